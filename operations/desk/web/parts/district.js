// The district's streets with the alerts that are listed: shape and colour say how urgent.
import { alerts, isHidden, ordered } from "../lib/feed.js";
import { features, name } from "../lib/places.js";
import { serverNow } from "../lib/time.js";
import { drawn, middle, projection } from "../lib/outlines.js";

const RADIUS = { life_safety: 11, high: 9, medium: 8, low: 6 };
const SHAPES = {
  life_safety: (r) => `M0 ${-r}L${r} 0L0 ${r}L${-r} 0Z`,
  high: (r) => `M0 ${-r}L${r} ${r}L${-r} ${r}Z`,
  medium: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
  low: (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`,
};

export default {
  data: () => ({ streets: [], middles: new Map(), box: "0 0 10 10" }),
  async created() {
    const [streets, grids] = await Promise.all([features("street"), features("grid")]);
    const { box, to, flat } = projection(streets);
    this.box = box;
    this.middles = new Map([...streets, ...grids].map((each) => [each.properties.code, flat(middle(each))]));
    this.streets = streets.map((each) => ({ code: each.properties.code, path: drawn(each, to), at: flat(middle(each)) }));
  },
  computed: {
    marks() {
      const now = serverNow();
      const listed = ordered(alerts.values()).filter((alert) => !isHidden(alert, now) && this.point(alert.place));
      return listed.reverse().map((alert) => ({ alert, at: this.point(alert.place), path: SHAPES[alert.severity](RADIUS[alert.severity]) }));
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
      <text v-for="street in streets" :key="'t' + street.code" :x="street.at[0]" :y="street.at[1]">{{ name(street.code).replace('街道', '') }}</text>
      <path v-for="mark in marks" :key="mark.alert.id" class="mark" :class="[mark.alert.severity, { answered: mark.alert.state.acknowledged }]" :d="mark.path"
        :transform="'translate(' + mark.at[0] + ' ' + mark.at[1] + ')'"><title>{{ spoken(mark.alert.title) }}</title></path>
    </svg>`,
};
