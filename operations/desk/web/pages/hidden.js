// What hides alerts now, by whom, why and for how long still: for everybody to see.
import { get, post } from "../lib/api.js";
import { alerts, follow } from "../lib/feed.js";
import { asking } from "../lib/latest.js";
import { where } from "../lib/places.js";
import { can } from "../lib/session.js";
import { left, serverNow } from "../lib/time.js";
import { complain, say } from "../lib/toasts.js";
import { spoken } from "../lib/words.js";

const ENDS = { shelve: "unshelve", shelve_once: "unshelve", suppress: "unsuppress", out_of_service: "in_service" };
const NEEDS = { unshelve: "alerts.shelve", unsuppress: "alerts.suppress", in_service: "alerts.suppress" };

export default {
  data: () => ({ hidings: null, problem: "" }),
  created() {
    this.load();
    this.unfollow = follow("changed", this.load);
  },
  unmounted() {
    this.unfollow();
  },
  computed: {
    rows() {
      return (this.hidings ?? []).filter(({ until_ms }) => !until_ms || until_ms > serverNow());
    },
  },
  methods: {
    where,
    async load() {
      const last = asking(this);
      try {
        const hidings = await get("/hidings");
        if (last()) this.hidings = hidings;
      } catch (error) {
        if (last()) this.problem = error.message;
      }
    },
    target({ alert, device, rule, place }) {
      const known = alerts.get(alert);
      if (known) return spoken(known.title);
      return device || rule || this.t("hidden.everything");
    },
    left: ({ until_ms }) => (until_ms ? left(until_ms - serverNow()) : ""),
    may: ({ kind }) => can(NEEDS[ENDS[kind]]),
    end: ({ kind }) => ENDS[kind],
    async finish({ kind, alert, device, rule, place }) {
      const verb = ENDS[kind];
      const scoped = !alert;
      try {
        await post(scoped ? "/hidings" : `/alerts/${alert}/${verb}`, scoped ? { kind: verb, device, rule, place } : {});
        say(this.t(`act.${verb}.done`));
        await this.load();
      } catch (error) {
        complain(error);
      }
    },
  },
  template: `
    <section class="panel listing wide" :aria-label="t('page.hidden')">
      <p v-if="problem" class="problem">{{ problem }}</p>
      <p v-if="hidings && !rows.length" class="empty">{{ t('hidden.none') }}</p>
      <div v-else class="scroll"><table>
        <thead><tr><th>{{ t('hidden.what') }}</th><th>{{ t('hidden.target') }}</th><th>{{ t('alerts.place') }}</th><th>{{ t('hidden.why') }}</th>
          <th>{{ t('hidden.by') }}</th><th>{{ t('hidden.left') }}</th><th></th></tr></thead>
        <tbody><tr v-for="each in rows" :key="each.id" :data-hiding="each.id">
          <td><span class="chip quiet">{{ t('history.' + each.kind) }}</span></td><td>{{ target(each) }}</td><td>{{ where(each.place) }}</td>
          <td>{{ each.why }}</td><td>{{ each.by }}<template v-if="each.second"> + {{ each.second }}</template></td>
          <td class="number">{{ left(each) || t('hidden.open_end') }}</td>
          <td><button v-if="may(each)" @click="finish(each)">{{ t('act.' + end(each)) }}</button></td></tr></tbody>
      </table></div>
    </section>`,
};
