// The operators' list, live, and the chosen alert beside it (on a phone: instead of it).
import { perform } from "../lib/acts.js";
import { alerts, feed, isHidden, ordered } from "../lib/feed.js";
import { taking } from "../lib/keys.js";
import { where } from "../lib/places.js";
import { go, replaceWith } from "../lib/router.js";
import { can, layout } from "../lib/session.js";
import { ago, at, moment, serverNow } from "../lib/time.js";
import { say } from "../lib/toasts.js";
import { SEVERITIES } from "../parts/severity.js";
import District, { marksOf } from "../parts/district.js";
import State from "../parts/state.js";
import Detail from "./alert.js";

const FILTERS = ["all", "open"];

export default {
  components: { Detail, District, State },
  props: { id: { type: String, default: "" } },
  data: () => ({ text: "", filter: "all", severity: "", withHidden: false, layout, feed, severities: SEVERITIES, filters: FILTERS }),
  created() {
    if (layout !== "desk") return;
    taking({
      j: ["keys.next", () => this.move(1)],
      k: ["keys.previous", () => this.move(-1)],
      "/": ["keys.search", () => this.$refs.search.focus()],
      a: ["act.acknowledge", this.acknowledge],
      c: ["act.case", () => this.$refs.detail?.openCase()],
    });
  },
  computed: {
    visible() {
      const now = serverNow();
      return ordered(alerts.values()).filter((alert) => this.withHidden || !isHidden(alert, now));
    },
    counts() {
      return Object.fromEntries(SEVERITIES.map((each) => [each, this.visible.filter(({ severity }) => severity === each).length]));
    },
    rows() {
      const text = this.text.trim().toLowerCase();
      return this.visible.filter(
        (alert) =>
          (!this.severity || alert.severity === this.severity) &&
          (this.filter === "all" || !alert.state.acknowledged) &&
          (!text || `${alert.title} ${where(alert.place)} ${alert.device} ${alert.rule}`.toLowerCase().includes(text)),
      );
    },
    marks: (self) => marksOf(self.rows),
    chosen() {
      return this.id || (layout === "phone" ? "" : (this.rows[0]?.id ?? ""));
    },
  },
  methods: {
    ago, where,
    href: (alert) => `#/alerts/${alert.id}`,
    toggle(severity) {
      this.severity = this.severity === severity ? "" : severity;
    },
    move(step) {
      const index = this.rows.findIndex(({ id }) => id === this.chosen);
      const next = this.rows[Math.min(this.rows.length - 1, Math.max(0, index + step))];
      if (!next) return;
      replaceWith(`/alerts/${next.id}`);
      this.$nextTick(() => this.$refs.list.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" }));
    },
    acknowledge() {
      const alert = alerts.get(this.chosen);
      if (!alert || !can("alerts.answer")) return;
      const first = alert.state.acknowledged;
      if (first) say(this.t("act.already", { who: first.by, at: moment(first.at_ms) }), "bad");
      else perform("acknowledge", alert);
    },
    back: () => go("/alerts"),
  },
  template: `
    <div class="two" :class="{ chosen: id }">
      <section class="panel listing" :aria-label="t('page.alerts')">
        <div class="tools">
          <label class="search"><Icon name="search" /><span class="sr">{{ t('alerts.search') }}</span>
            <input ref="search" v-model="text" type="search" :placeholder="t('alerts.search')" /></label>
          <div class="choice" role="group" :aria-label="t('alerts.state')">
            <button v-for="each in filters" :key="each" :aria-pressed="filter === each" @click="filter = each">{{ t('alerts.' + each) }}</button>
            <button :aria-pressed="withHidden" @click="withHidden = !withHidden">{{ t('alerts.with_hidden') }}</button>
          </div>
          <div class="choice counts" role="group" :aria-label="t('alerts.severity')">
            <button v-for="each in severities" :key="each" :aria-pressed="severity === each" @click="toggle(each)" :class="{ zero: !counts[each] }">
              <Severity :of="each" /><b>{{ counts[each] }}</b></button>
          </div>
        </div>
        <p v-if="!rows.length" class="empty">{{ visible.length ? t('alerts.none.filtered') : feed.listedOnce ? t('alerts.none') : t('loading') }}</p>
        <ol v-else ref="list" class="rows">
          <li v-for="alert in rows" :key="alert.id" :data-alert="alert.id">
            <a :href="href(alert)" :class="[alert.severity, { answered: alert.state.acknowledged }]" :aria-current="alert.id === chosen ? 'true' : null">
              <Severity :of="alert.severity" bare />
              <span class="what"><b>{{ spoken(alert.title) }}</b>
                <small v-if="alert.count > 1">{{ t('alerts.count', { n: alert.count }) }}</small>
                <small v-if="alert.children_ids.length">{{ t('alerts.children', { n: alert.children_ids.length }) }}</small>
                <small v-if="alert.simulated" class="simulated">{{ t('simulated') }}</small></span>
              <span class="place">{{ where(alert.place) }}</span>
              <time>{{ ago(alert.onset_ms) }}</time>
              <State :alert="alert" />
            </a>
          </li>
        </ol>
        <div v-if="layout !== 'phone'" class="city"><h3>{{ t('wall.where') }}</h3><District :marks="marks" /></div>
      </section>
      <Detail v-if="chosen" ref="detail" :id="chosen" :key="chosen" @back="back" />
      <section v-else-if="layout !== 'phone'" class="panel empty">{{ t('alerts.choose') }}</section>
    </div>`,
};
