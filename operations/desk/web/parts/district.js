// The district's streets with marks on places; shape and colour say how urgent, hollow that somebody has it.
import { features, name } from "../lib/places.js";
import { drawn, middle, projection } from "../lib/outlines.js";

// Marks of alerts, the most urgent drawn last.
export const marksOf = (listed) =>
  [...listed].reverse().map(({ id, place, severity, title, state }) => ({ id, place, severity, title, taken: Boolean(state.acknowledged) }));

const RADIUS = { life_safety: 11, high: 9, medium: 8, low: 6 };
const SHAPES = {
  life_safety: (r) => `M0 ${-r}L${r} 0L0 ${r}L${-r} 0Z`,
  high: (r) => `M0 ${-r}L${r} ${r}L${-r} ${r}Z`,
  medium: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  low: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
};

export default {
  props: { marks: { type: Array, required: true } },
  data: () => ({ streets: [], middles: new Map(), box: "0 0 10 10" }),
  async created() {
    const [streets, grids] = await Promise.all([features("street"), features("grid")]);
    const { box, to, flat } = projection(streets);
    this.box = box;
    this.middles = new Map([...streets, ...grids].map((each) => [each.properties.code, flat(middle(each))]));
    this.streets = streets.map((each) => ({ code: each.properties.code, path: drawn(each, to), at: flat(middle(each)) }));
  },
  computed: {
    placed() {
      const path = (severity) => SHAPES[severity](RADIUS[severity]);
      return this.marks.flatMap((mark) => {
        const at = this.point(mark.place);
        return at ? [{ ...mark, at, path: path(mark.severity) }] : [];
      });
    },
  },
  methods: {
    name,
    point(place) {
      return this.middles.get(place) ?? this.middles.get(place.slice(0, 9));
    },
  },
  template: `
    <svg class="district" :viewBox="box" role="img" :aria-label="t('wall.where')">
      <path v-for="street in streets" :key="street.code" class="street" :d="street.path" />
      <text v-for="street in streets" :key="'t' + street.code" :x="street.at[0]" :y="street.at[1] + 18">{{ name(street.code).replace('街道', '') }}</text>
      <path v-for="mark in placed" :key="mark.id" class="mark" :class="[mark.severity, { answered: mark.taken }]" :d="mark.path"
        :transform="'translate(' + mark.at[0] + ' ' + mark.at[1] + ')'"><title>{{ spoken(mark.title) }}</title></path>
    </svg>`,
};
