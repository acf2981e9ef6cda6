// The wall: what is, who has it, what is being done. Nobody acts here, and nobody is signed out.
import { get } from "../lib/api.js";
import { alerts, isHidden, ordered } from "../lib/feed.js";
import { where } from "../lib/places.js";
import { ago, left, serverNow } from "../lib/time.js";
import { SEVERITIES } from "../parts/severity.js";
import District, { marksOf } from "../parts/district.js";
import State from "../parts/state.js";

const AGAIN_MS = 2000;
const MOST = 16;

export default {
  components: { District, State },
  data: () => ({ cases: null, severities: SEVERITIES, most: MOST }),
  created() {
    this.load();
    this.timer = setInterval(this.load, AGAIN_MS);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  computed: {
    rows() {
      const now = serverNow();
      return ordered(alerts.values()).filter((alert) => !isHidden(alert, now));
    },
    counts() {
      return Object.fromEntries(SEVERITIES.map((each) => [each, this.rows.filter(({ severity }) => severity === each)]));
    },
    marks: (self) => marksOf(self.rows),
    hidden: (self) => alerts.size - self.rows.length,
  },
  methods: {
    ago, where,
    async load() {
      try {
        this.cases = await get("/cases?limit=12");
      } catch {
        this.cases = null; // the banner says when the server is lost; what is not known is not shown
      }
    },
    open: (list) => list.filter(({ state }) => !state.acknowledged).length,
    due: ({ due_ms }) => (due_ms ? left(due_ms - serverNow()) : ""),
    late: ({ due_ms }) => due_ms > 0 && due_ms < serverNow(),
  },
  template: `
    <div class="board">
      <ul class="tiles"><li v-for="each in severities" :key="each" class="panel" :class="[each, { zero: !counts[each].length }]">
        <Severity :of="each" /><b>{{ counts[each].length }}</b><span>{{ t('wall.open', { n: open(counts[each]) }) }}</span></li></ul>
      <section class="panel listing"><h2>{{ t('page.alerts') }}<small v-if="hidden">{{ t('wall.hidden', { n: hidden }) }}</small></h2>
        <p v-if="!rows.length" class="empty">{{ t('alerts.none') }}</p>
        <ol class="rows"><li v-for="alert in rows.slice(0, most)" :key="alert.id" :data-alert="alert.id"><div :class="[alert.severity, { answered: alert.state.acknowledged }]">
          <Severity :of="alert.severity" bare /><span class="what"><b>{{ spoken(alert.title) }}</b><small v-if="alert.simulated" class="simulated">{{ t('simulated') }}</small></span>
          <span class="place">{{ where(alert.place) }}</span><time>{{ ago(alert.onset_ms) }}</time><State :alert="alert" /></div></li></ol>
        <p v-if="rows.length > most" class="quiet more">{{ t('wall.more', { n: rows.length - most }) }}</p></section>
      <section class="panel city"><h2>{{ t('wall.where') }}</h2><District :marks="marks" /></section>
      <section class="panel listing"><h2>{{ t('page.cases') }}<small v-if="cases">{{ t('wall.cases', { n: cases.total, late: cases.overdue }) }}</small></h2>
        <p v-if="cases && !cases.cases.length" class="empty">{{ t('cases.none') }}</p>
        <ol v-if="cases" class="rows cases"><li v-for="each in cases.cases" :key="each.id" :data-case="each.id"><div>
          <span class="stage">{{ each.label }}</span><span class="what"><b>{{ spoken(each.title) }}</b></span><span class="place">{{ where(each.place) }}</span>
          <time :class="{ late: late(each) }">{{ due(each) }}</time><span class="chips"><span v-if="each.person || each.department" class="chip">{{ each.person || each.department }}</span></span></div></li></ol></section>
    </div>`,
};
