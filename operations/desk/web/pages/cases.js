// The cases of one's places, what is due first first, and the chosen one beside it (on a phone: instead of it).
import { Unreachable, get } from "../lib/api.js";
import { follow } from "../lib/feed.js";
import { asking } from "../lib/latest.js";
import { taking } from "../lib/keys.js";
import { where } from "../lib/places.js";
import { go, replaceWith } from "../lib/router.js";
import { layout, session } from "../lib/session.js";
import { left, serverNow } from "../lib/time.js";
import District from "../parts/district.js";
import Detail from "./case.js";

const AGAIN_MS = 4000;
const VIEWS = { open: "", mine: "mine=true", overdue: "overdue=true", over: "over=true" };

export default {
  components: { Detail, District },
  props: { id: { type: String, default: "" } },
  data: () => ({ page: null, view: "open", stage: "", text: "", problem: "", layout, views: Object.keys(VIEWS) }),
  created() {
    this.load();
    this.timer = setInterval(this.load, AGAIN_MS);
    this.unfollow = follow("cases", this.load);
    if (layout !== "desk") return;
    taking({
      j: ["keys.next", () => this.move(1)],
      k: ["keys.previous", () => this.move(-1)],
      "/": ["keys.search", () => this.$refs.search.focus()],
    });
  },
  unmounted() {
    clearInterval(this.timer);
    this.unfollow();
  },
  computed: {
    rows: (self) => self.page?.cases ?? [],
    stages: (self) => Object.entries(self.page?.stages ?? {}).filter(([, count]) => count),
    marks: (self) => self.rows.map((each) => ({ ...each, severity: self.late(each) ? "high" : "low", taken: Boolean(each.person) })),
    chosen() {
      return this.id || (layout === "phone" ? "" : (this.rows[0]?.id ?? ""));
    },
    query() {
      return [VIEWS[this.view], this.stage && `stage=${this.stage}`, this.text && `text=${encodeURIComponent(this.text)}`].filter(Boolean).join("&");
    },
  },
  watch: { query: "load" },
  methods: {
    where,
    async load() {
      const last = asking(this);
      try {
        const page = await get(`/cases?limit=200&${this.query}`);
        if (last()) [this.page, this.problem] = [page, ""];
      } catch (error) {
        if (last()) this.problem = error instanceof Unreachable ? this.t("unreachable") : error.message;
      }
    },
    due: ({ due_ms }) => (due_ms ? left(due_ms - serverNow()) : ""),
    late: ({ due_ms }) => due_ms > 0 && due_ms < serverNow(),
    holder: ({ person, department }) => person || department,
    mine: ({ person }) => person && person === session.me.name,
    move(step) {
      const index = this.rows.findIndex(({ id }) => id === this.chosen);
      const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, index + step))];
      if (next) replaceWith(`/cases/${next.id}`);
    },
    back: () => go("/cases"),
  },
  template: `
    <div class="two" :class="{ chosen: id }">
      <section class="panel listing" :aria-label="t('page.cases')">
        <div class="tools">
          <label class="search"><Icon name="search" /><span class="sr">{{ t('cases.search') }}</span>
            <input ref="search" v-model.lazy="text" type="search" :placeholder="t('cases.search')" /></label>
          <div class="choice" role="group" :aria-label="t('alerts.state')">
            <button v-for="each in views" :key="each" :aria-pressed="view === each" @click="view = each">{{ t('cases.' + each) }}
              <b v-if="each === 'overdue' && page?.overdue" class="late">{{ page.overdue }}</b></button></div>
          <div v-if="stages.length" class="choice counts" role="group" :aria-label="t('cases.stage')">
            <button v-for="[each, count] in stages" :key="each" :aria-pressed="stage === each" @click="stage = stage === each ? '' : each">
              {{ t('stage.' + each) }} <b>{{ count }}</b></button></div>
        </div>
        <p v-if="problem" class="problem">{{ problem }}</p>
        <p v-if="!rows.length" class="empty">{{ page ? t('cases.none') : t('loading') }}</p>
        <ol v-else class="rows cases">
          <li v-for="each in rows" :key="each.id" :data-case="each.id">
            <a :href="'#/cases/' + each.id" :aria-current="each.id === chosen ? 'true' : null" :class="{ late: late(each) }">
              <span class="stage">{{ each.label }}</span>
              <span class="what"><b>{{ spoken(each.title) }}</b><small v-if="each.citizens > 1">{{ t('cases.citizens', { n: each.citizens }) }}</small>
                <small class="number">{{ each.id }}</small></span>
              <span class="place">{{ where(each.place) }}</span>
              <time :class="{ late: late(each) }">{{ due(each) }}</time>
              <span class="chips"><span v-if="holder(each)" class="chip" :class="mine(each) ? 'done' : ''">{{ holder(each) }}</span></span>
            </a></li>
        </ol>
        <div v-if="layout !== 'phone'" class="city"><h3>{{ t('cases.where') }}</h3><District :marks="marks" /></div>
      </section>
      <Detail v-if="chosen" :id="chosen" :key="chosen" @back="back" @changed="load" />
      <section v-else-if="layout !== 'phone'" class="panel empty">{{ t('cases.choose') }}</section>
    </div>`,
};
