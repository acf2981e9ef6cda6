// Parking: where it is short, how that changed, and the nearest free spaces from a place.
import { get } from "../lib/api.js";
import { features, where } from "../lib/places.js";
import { position } from "../lib/position.js";
import { moment } from "../lib/time.js";
import { complain, say } from "../lib/toasts.js";
import Areas from "../parts/areas.js";

const AGAIN_MS = 10_000;
const ROWS = 60;
const percent = (share) => `${Math.round(share * 100)}%`;
const centre = ({ coordinates }) => {
  const points = coordinates.flat(coordinates[0][0].length === 2 && typeof coordinates[0][0][0] === "number" ? 1 : 2);
  return [0, 1].map((axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length);
};

export default {
  components: { Areas },
  data: () => ({ told: null, near: null, chosen: "", problem: "" }),
  created() {
    this.load();
    this.timer = setInterval(this.load, AGAIN_MS);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  computed: {
    rows: ({ told }) => told.grids.slice(0, ROWS),
    tones: ({ told }) =>
      Object.fromEntries(
        told.grids.map((each) => [
          each.place,
          { tone: each.full ? "full" : each.occupancy >= 0.7 ? "busy" : "open", title: `${where(each.place)} ${percent(each.occupancy)}` },
        ]),
      ),
    tiles: ({ told }) => [
      ["grids", told.grids.length],
      ["full", told.grids.filter((each) => each.full).length],
      ["free", told.grids.reduce((sum, each) => sum + each.free, 0)],
      ["unknown", told.grids.reduce((sum, each) => sum + each.unknown, 0)],
    ],
    marks: ({ near }) => (near ?? []).map((each) => ({ key: each.place, point: [each.longitude, each.latitude], title: where(each.place) })),
  },
  methods: {
    where,
    moment,
    percent,
    change: ({ change }) => (change === null ? "–" : `${change > 0 ? "↑" : change < 0 ? "↓" : "→"} ${percent(Math.abs(change))}`),
    async load() {
      try {
        this.told = await get("/parking/pressure");
        this.problem = "";
      } catch (error) {
        this.problem = error.message;
      }
    },
    async guide({ longitude, latitude }) {
      try {
        this.near = await get(`/parking/free?longitude=${longitude}&latitude=${latitude}&limit=6`);
      } catch (error) {
        complain(error);
      }
    },
    async choose(code) {
      this.chosen = code;
      const found = (await features("grid")).find(({ properties }) => properties.code === code);
      const [longitude, latitude] = centre(found.geometry);
      await this.guide({ longitude, latitude });
    },
    here() {
      position().then(this.guide, () => say(this.t("patrol.no_position"), "bad"));
    },
  },
  template: `
    <p v-if="problem" class="panel empty">{{ problem }}</p>
    <div v-else-if="told" class="two">
      <section class="panel detail" :aria-label="t('page.parking')">
        <ul class="tiles"><li v-for="[name, n] in tiles" :key="name" :class="{ alarm: name === 'full' && n }"><b>{{ n }}</b><span>{{ t('parking.' + name) }}</span></li></ul>
        <p class="place">{{ t('parking.as_of', { moment: moment(told.at_ms) }) }} <span v-if="told.simulated" class="chip simulated">{{ t('simulated') }}</span></p>
        <Areas :tones="tones" :marks="marks" :chosen="chosen" :label="t('page.parking')" @choose="choose" />
        <section class="guide"><h3>{{ t('parking.guide') }}</h3>
          <p class="quiet">{{ chosen ? where(chosen) : t('parking.guide.hint') }} <button @click="here">{{ t('parking.here') }}</button></p>
          <p v-if="near && !near.length">{{ t('parking.none_near') }}</p>
          <ul class="lines"><li v-for="each in near ?? []" :key="each.place"><b>{{ where(each.place) }}</b><span class="chip done">{{ t('parking.n_free', { n: each.free }) }}</span>
            <span class="number">{{ t('parking.away', { m: each.distance_m }) }}</span></li></ul></section>
      </section>
      <section class="panel listing" :aria-label="t('parking.occupancy')"><div class="scroll"><table>
        <thead><tr><th>{{ t('parking.place') }}</th><th class="number">{{ t('parking.occupancy') }}</th><th class="number">{{ t('parking.change') }}</th><th class="number">{{ t('parking.free') }}</th></tr></thead>
        <tbody><tr v-for="each in rows" :key="each.place" @click="choose(each.place)">
          <td>{{ where(each.place) }}</td><td class="number"><span class="bar" :class="tones[each.place].tone" :style="{ '--share': each.occupancy }">{{ percent(each.occupancy) }}</span></td>
          <td class="number">{{ change(each) }}</td><td class="number">{{ each.free }}<small> / {{ each.spaces }}</small></td></tr></tbody></table></div></section>
    </div>`,
};
