// One alert whole: why it is, where, the last hours, the last three alike, what happened, and what one may do.
import { offered, perform } from "../lib/acts.js";
import { Unreachable, get } from "../lib/api.js";
import { openFor } from "../lib/casework.js";
import { alerts } from "../lib/feed.js";
import { asking } from "../lib/latest.js";
import { where } from "../lib/places.js";
import { waiting } from "../lib/queue.js";
import { go } from "../lib/router.js";
import { can, layout } from "../lib/session.js";
import { ago, moment, span } from "../lib/time.js";
import PlaceMap from "../parts/map.js";
import State from "../parts/state.js";
import Trend from "../parts/trend.js";

export default {
  components: { PlaceMap, State, Trend },
  props: { id: { type: String, required: true } },
  emits: ["back"],
  data: () => ({ whole: null, problem: "", layout }),
  computed: {
    alert: (self) => alerts.get(self.id) ?? self.whole,
    acts: (self) => (self.alert ? offered(self.alert).filter(({ verb }) => !self.pending.includes(verb)) : []),
    pending: (self) => waiting().filter(({ path }) => path.startsWith(`/alerts/${self.id}/`)).map(({ words }) => words.verb),
    facts() {
      const { alert, t } = this;
      const number = (value) => (value == null ? "" : String(Math.round(value * 1000) / 1000));
      return [
        [t("detail.observed"), number(alert.observed)],
        [t("detail.expected"), number(alert.expected)],
        [t("detail.threshold"), number(alert.threshold)],
        [t("detail.device"), alert.device],
        [t("detail.onset"), moment(alert.onset_ms)],
        [t("detail.over"), alert.cleared_ms && !alert.active ? moment(alert.cleared_ms) : ""],
        [t("detail.rule"), alert.rule],
      ].filter(([, value]) => value);
    },
    path: (self) => (self.whole?.path.length ? self.whole.path.map(({ name }) => name).join(" › ") : where(self.alert.place)),
    history: (self) => [...(self.whole?.history ?? [])].reverse(),
    version: (self) => JSON.stringify([self.alert?.revision, self.alert?.active, self.alert?.count, self.alert?.state]),
  },
  watch: { version: { immediate: true, handler: "load" } },
  methods: {
    ago, can, moment, perform,
    async openCase() {
      const id = await openFor(this.alert);
      if (id) go(`/cases/${id}`);
    },
    async load() {
      const last = asking(this);
      try {
        const whole = await get(`/alerts/${this.id}`);
        if (last()) [this.whole, this.problem] = [whole, ""];
      } catch (error) {
        if (last()) this.problem = error instanceof Unreachable ? this.t("detail.offline") : error.message;
      }
    },
    words: ({ state }) => state.concluded?.why || state.acknowledged?.why,
    lasted: (alert) => span((alert.cleared_ms || alert.told_ms || alert.onset_ms) - alert.onset_ms),
    event: (each) => each.at_ms + each.what + each.by,
  },
  template: `
    <article class="panel detail" :class="alert?.severity" :aria-label="alert ? spoken(alert.title) : ''">
      <button v-if="layout === 'phone'" class="plain back" @click="$emit('back')"><Icon name="back" />{{ t('back') }}</button>
      <p v-if="!alert" class="empty">{{ problem || t('loading') }}</p>
      <template v-else>
        <header>
          <Severity :of="alert.severity" />
          <h2>{{ spoken(alert.title) }}</h2>
          <p class="place">{{ path }} · {{ t('ago', { span: ago(alert.onset_ms) }) }}
            <span v-if="alert.simulated" class="chip simulated">{{ t('simulated') }}</span></p>
          <p class="chips"><State :alert="alert" />
            <span v-for="verb in pending" :key="verb" class="chip wait">{{ t('act.' + verb) }} · {{ t('queue.waiting') }}</span></p>
        </header>
        <div class="acts" role="group">
          <button v-for="act in acts" :key="act.verb" :class="{ primary: act.primary }" :data-act="act.verb" @click="perform(act.verb, alert)">
            {{ t('act.' + act.verb) }}</button>
          <a v-if="whole?.case && can('cases.read')" class="button" :href="'#/cases/' + whole.case"><Icon name="case" />{{ t('case.to', { id: whole.case }) }}</a>
          <button v-else-if="whole && can('cases.report')" data-act="case" @click="openCase">{{ t('act.case') }}</button>
        </div>
        <div class="facets">
          <section class="why"><h3>{{ t('detail.why') }}</h3>
            <p v-if="alert.explanation" class="explanation">{{ spoken(alert.explanation) }}</p>
            <dl><template v-for="[term, value] in facts" :key="term"><dt>{{ term }}</dt><dd>{{ value }}</dd></template></dl></section>
          <section class="maps"><h3>{{ t('detail.map') }}</h3><PlaceMap :code="alert.place" /></section>
          <section class="hours"><h3>{{ t('detail.hours') }}</h3><Trend :code="alert.place" :domain="alert.domain" /></section>
          <section class="story"><h3>{{ t('detail.history') }}</h3>
            <p v-if="problem" class="quiet">{{ problem }}</p>
            <ol class="history"><li v-for="each in history" :key="event(each)">
              <time>{{ moment(each.at_ms) }}</time><b>{{ t('history.' + each.what) }}</b>
              <span v-if="each.by !== 'taishi'">{{ each.by }}<template v-if="each.second"> + {{ each.second }}</template></span>
              <span v-if="each.until_ms">{{ t('history.until', { at: moment(each.until_ms) }) }}</span>
              <span v-if="each.person">→ {{ each.person }}</span><span v-if="each.outcome">{{ t('outcome.' + each.outcome) }}</span>
              <q v-if="each.why && each.what !== 'raised'">{{ each.why }}</q></li></ol></section>
          <section class="alike"><h3>{{ t('detail.similar') }}</h3>
            <p v-if="whole && !whole.similar.length" class="quiet">{{ t('detail.similar.none') }}</p>
            <ul class="similar"><li v-for="each in whole?.similar ?? []" :key="each.id"><a :href="'#/alerts/' + each.id">
              <time>{{ moment(each.onset_ms) }}</time><span>{{ t('detail.lasted', { span: lasted(each) }) }}</span><State :alert="each" />
              <q v-if="words(each)">{{ words(each) }}</q></a></li></ul></section>
        </div>
      </template>
    </article>`,
};
