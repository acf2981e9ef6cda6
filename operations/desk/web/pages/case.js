// One case whole: clocks counting down, what one may do and what hinders the rest, evidence, its flow log.
import { Unreachable, get } from "../lib/api.js";
import { move, titled } from "../lib/casework.js";
import { learnCaseWords, verbName } from "../lib/casewords.js";
import { follow } from "../lib/feed.js";
import { asking } from "../lib/latest.js";
import { where } from "../lib/places.js";
import { queue } from "../lib/queue.js";
import { layout } from "../lib/session.js";
import { left, moment, serverNow } from "../lib/time.js";
import { complain } from "../lib/toasts.js";
import { has } from "../lib/words.js";
import PlaceMap from "../parts/map.js";

const AGAIN_MS = 4000;
const ORDER = { forward: 0, side: 1, return: 2 };

export default {
  components: { PlaceMap },
  props: { id: { type: String, required: true } },
  emits: ["back", "changed"],
  data: () => ({ whole: null, problem: "", layout }),
  created() {
    this.load();
    learnCaseWords().catch(complain);
    this.timer = setInterval(this.load, AGAIN_MS);
    this.unfollow = follow("cases", this.load);
  },
  unmounted() {
    clearInterval(this.timer);
    this.unfollow();
  },
  computed: {
    subject: (self) => self.whole.case,
    running: (self) => self.whole.clocks.filter((clock) => !clock.stopped_at),
    stopped: (self) => self.whole.clocks.filter((clock) => clock.stopped_at),
    moves: (self) => [...self.whole.allowed].sort((one, other) => ORDER[one.kind] - ORDER[other.kind]),
    free: (self) => self.moves.filter((each) => !each.hindrance),
    hindered: (self) => self.moves.filter((each) => each.hindrance),
    first: (self) => self.free.find((each) => each.kind === "forward")?.verb,
    flow: (self) => [...self.whole.flow].reverse(),
    sent: () => queue.items.length,
    facts() {
      const { subject, whole, t } = this;
      return [
        [t("case.workflow"), whole.workflow_title],
        [t("case.category"), whole.category_name],
        [t("case.department"), subject.department],
        [t("case.person"), subject.person],
        [t("case.arrived"), subject.arrived_ms ? moment(subject.arrived_ms) : ""],
        [t("case.reporter"), subject.reporter],
        [t("case.citizens"), subject.citizens > 1 ? String(subject.citizens) : ""],
        [t("case.standard"), subject.standard?.name],
        [t("case.reported"), moment(subject.reported_ms)],
      ].filter(([, value]) => value);
    },
  },
  watch: { sent: "load" },
  methods: {
    moment, titled, where,
    async load() {
      const last = asking(this);
      try {
        const whole = await get(`/cases/${this.id}`);
        if (last()) [this.whole, this.problem] = [whole, ""];
      } catch (error) {
        if (last()) this.problem = error instanceof Unreachable ? this.t("unreachable") : error.message;
      }
    },
    async act(each) {
      if (await move(this.whole, each)) this.$emit("changed");
      await this.load();
    },
    left: (clock) => (clock.standing ? left(clock.left_ms) : left(clock.due_ms - serverNow())),
    late: (clock) => clock.due_ms < serverNow() && !clock.standing,
    word(verb) {
      return verbName(this.subject.workflow, verb) ?? (has(`verb.${verb}`) ? this.t(`verb.${verb}`) : verb);
    },
  },
  template: `
    <article class="panel detail case" :aria-label="whole ? spoken(subject.title) : ''">
      <button v-if="layout === 'phone'" class="plain back" @click="$emit('back')"><Icon name="back" />{{ t('back') }}</button>
      <p v-if="!whole" class="empty">{{ problem || t('loading') }}</p>
      <template v-else>
        <header><span class="stage" :title="whole.meaning">{{ whole.label }}</span><h2>{{ spoken(subject.title) }}</h2>
          <p class="place">{{ where(subject.place) }} · <span class="number">{{ subject.id }}</span>
            <span v-if="subject.simulated" class="chip simulated">{{ t('simulated') }}</span></p></header>
        <ul v-if="running.length" class="clocks" :aria-label="t('case.clocks')">
          <li v-for="clock in running" :key="clock.clock" :class="{ late: late(clock) }" :data-clock="clock.clock">
            <span>{{ clock.label }}</span><b class="number">{{ left(clock) }}</b>
            <small>{{ clock.limit }}<template v-if="clock.standing"> · {{ t('case.standing') }}</template><template v-if="clock.provisional"> · ?</template></small></li></ul>
        <div class="acts" role="group" :aria-label="t('case.may')">
          <button v-for="each in free" :key="each.verb" :data-verb="each.verb" :class="{ primary: each.verb === first }" @click="act(each)">{{ titled(each) }}</button>
          <p v-if="!moves.length" class="quiet">{{ t('case.nothing') }}</p>
          <ul v-if="hindered.length" class="hindered"><li v-for="each in hindered" :key="each.verb">
            <b>{{ titled(each) }}</b> <span>{{ each.hindrance }}</span></li></ul>
        </div>
        <div class="facets">
          <section class="why"><h3>{{ t('case.about') }}</h3><p v-if="subject.description" class="explanation">{{ spoken(subject.description) }}</p>
            <dl><template v-for="[term, value] in facts" :key="term"><dt>{{ term }}</dt><dd>{{ value }}</dd></template></dl></section>
          <section class="maps"><h3>{{ t('detail.map') }}</h3><PlaceMap :code="subject.place" /></section>
          <section class="story"><h3>{{ t('case.flow') }}</h3><ol class="history">
            <li v-for="each in flow" :key="each.version"><time>{{ moment(each.at_ms) }}</time><b>{{ word(each.verb) }}</b>
              <span>{{ each.by }}</span><q v-if="each.why">{{ each.why }}</q></li></ol></section>
          <section class="alike"><h3>{{ t('case.alerts') }}</h3>
            <ul class="similar"><li v-for="each in whole.alerts" :key="each.id"><a :href="'#/alerts/' + each.id">
              <span>{{ spoken(each.title) }}</span><span class="chip" :class="each.active ? 'new' : 'quiet'">{{ each.active ? t('state.active') : t('state.cleared') }}</span></a></li></ul>
            <h3>{{ t('case.evidence') }}</h3><ul class="similar evidence"><li v-for="(each, index) in subject.evidence ?? []" :key="index">
              <b>{{ each.what }}</b> <span>{{ each.reference }}</span> <small>{{ each.by }}</small></li></ul></section>
        </div>
      </template>
    </article>`,
};
