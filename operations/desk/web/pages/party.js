// Party building: who reaches a station on foot, who is registered twice, and the branch of each grid.
import { get } from "../lib/api.js";
import { name, where } from "../lib/places.js";
import { can } from "../lib/session.js";
import { complain } from "../lib/toasts.js";
import Areas from "../parts/areas.js";

const LEAST = 12;
const COMMUNITY_DIGITS = 12;
const percent = (share) => `${Math.round(share * 1000) / 10}%`;

export default {
  components: { Areas },
  data: () => ({ told: null, members: [], branches: [] }),
  async created() {
    try {
      [this.told, this.branches] = await Promise.all([get("/party/coverage"), get("/party/branches")]);
      if (this.mayList) this.members = await get("/party/members");
    } catch (error) {
      complain(error);
    }
  },
  computed: {
    mayList: () => can("cases.dispatch"),
    model: ({ told }) => ({ minutes: told.walking.minutes, speed: told.walking.speed_m_s, detour: told.walking.detour, radius: Math.round(told.coverage.radius_m) }),
    tones: ({ told }) =>
      Object.fromEntries(
        told.coverage.grids.map(({ code, share }) => [
          code,
          { tone: share >= 0.5 ? "open" : share > 0 ? "busy" : "bare", title: `${where(code)} ${percent(share)}` },
        ]),
      ),
    marks: ({ told }) => told.stations.map(({ code, name: title, point }) => ({ key: code, point, title })),
    least: ({ told }) => {
      const communities = Object.groupBy(told.coverage.grids, ({ code }) => code.slice(0, COMMUNITY_DIGITS));
      const mean = (grids) => grids.reduce((sum, { share }) => sum + share, 0) / grids.length;
      const shares = Object.entries(communities).map(([code, grids]) => ({ code, share: mean(grids) }));
      return shares.sort((one, other) => one.share - other.share || one.code.localeCompare(other.code)).slice(0, LEAST);
    },
  },
  methods: { name, where, percent },
  template: `
    <div v-if="told" class="two">
      <section class="panel detail" :aria-label="t('party.circle')">
        <h3>{{ t('party.circle') }}</h3>
        <p v-if="!told.stations.length" class="problem">{{ t('party.no_stations') }}</p>
        <ul class="tiles"><li><b>{{ told.stations.length }}</b><span>{{ t('party.stations') }}</span></li><li><b>{{ percent(told.coverage.share) }}</b><span>{{ t('party.share') }}</span></li>
          <li><b>{{ told.coverage.covered }}<small> / {{ told.coverage.grids.length }}</small></b><span>{{ t('party.covered') }}</span></li></ul>
        <Areas :tones="tones" :circles="told.circles.features" :marks="marks" :label="t('party.circle')" />
        <p class="quiet">{{ t('party.model', model) }} <span v-if="told.synthetic" class="chip simulated">{{ t('party.synthetic') }}</span></p>
      </section>
      <section class="panel detail" :aria-label="t('party.members')">
        <template v-if="mayList"><h3>{{ t('party.members') }}</h3>
          <p v-if="!members.length" class="quiet">{{ t('party.no_members') }}</p>
          <div v-else class="scroll"><table><thead><tr><th>{{ t('party.member') }}</th><th>{{ t('party.work_unit') }}</th><th>{{ t('party.community') }}</th><th class="number">{{ t('party.claims') }}</th><th class="number">{{ t('party.hours') }}</th></tr></thead>
            <tbody><tr v-for="each in members" :key="each.name"><td>{{ each.name }}</td><td>{{ each.work_unit }}</td><td>{{ name(each.community) }}</td><td class="number">{{ each.claims }}</td><td class="number">{{ each.hours }}</td></tr></tbody></table></div></template>
        <template v-if="branches.length"><h3 class="next">{{ t('party.branches') }}</h3>
          <ul class="lines"><li v-for="each in branches" :key="each.grid"><b>{{ each.name }}</b><span>{{ where(each.grid) }}</span><span>{{ each.secretary }}</span></li></ul></template>
        <h3 class="next">{{ t('party.gaps') }}</h3>
        <ul class="lines"><li v-for="each in least" :key="each.code"><b>{{ where(each.code) }}</b><span class="number">{{ percent(each.share) }}</span></li></ul>
      </section>
    </div>`,
};
