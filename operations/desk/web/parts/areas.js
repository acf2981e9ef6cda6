// Every grid of the district, toned by a value; circles and marks over it. Our own outlines: no map service.
import { features, where } from "../lib/places.js";
import { drawn, projection } from "../lib/outlines.js";

export default {
  props: {
    tones: { type: Object, required: true }, // code -> { tone: class, title }
    circles: { type: Array, default: () => [] }, // GeoJSON features
    marks: { type: Array, default: () => [] }, // { key, point, title }
    label: { type: String, required: true },
    chosen: { type: String, default: "" },
  },
  emits: ["choose"],
  data: () => ({ shapes: [], box: "0 0 10 10", to: null, failed: "" }),
  async created() {
    try {
      const all = await features("grid");
      const { box, to } = projection(all);
      this.shapes = all.map(({ properties, geometry }) => ({ code: properties.code, path: this.drawn(geometry, to) }));
      Object.assign(this, { box, to });
    } catch (error) {
      this.failed = error.message;
    }
  },
  computed: {
    rounds: ({ to, circles, drawn }) => (to ? circles.map(({ properties, geometry }) => ({ key: properties.code, title: properties.name, path: drawn(geometry, to) })) : []),
    dots: ({ to, marks }) => (to ? marks.map((mark) => ({ ...mark, at: to(mark.point).split(" ") })) : []),
  },
  methods: {
    drawn: (geometry, to) => drawn({ geometry }, to),
    title: (tones, code) => tones[code]?.title ?? where(code),
  },
  template: `
    <figure class="map areas">
      <p v-if="failed" class="quiet">{{ failed }}</p>
      <svg v-else :viewBox="box" role="img" :aria-label="label">
        <path v-for="shape in shapes" :key="shape.code" :d="shape.path" :class="[tones[shape.code]?.tone, { chosen: shape.code === chosen }]" @click="$emit('choose', shape.code)">
          <title>{{ title(tones, shape.code) }}</title></path>
        <path v-for="circle in rounds" :key="circle.key" :d="circle.path" class="circle" />
        <circle v-for="dot in dots" :key="dot.key" :cx="dot.at[0]" :cy="dot.at[1]" r="4" class="mark"><title>{{ dot.title }}</title></circle>
      </svg>
    </figure>`,
};
