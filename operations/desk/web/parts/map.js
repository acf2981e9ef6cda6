// Where a place lies in its street, from our own outlines: no map service is asked.
import { drawn, projection } from "../lib/outlines.js";
import { features, where } from "../lib/places.js";

export default {
  props: { code: { type: String, required: true } },
  data: () => ({ shapes: [], box: "0 0 10 10", failed: "" }),
  computed: { label: (self) => where(self.code) },
  watch: { code: { immediate: true, handler: "draw" } },
  methods: {
    async draw() {
      this.failed = "";
      try {
        const level = this.code.length >= 15 ? "grid" : this.code.length === 12 ? "community" : "street";
        const all = await features(level);
        const street = this.code.slice(0, 9);
        const shown = level === "street" ? all : all.filter(({ properties }) => properties.code.startsWith(street));
        if (!shown.length) return;
        const { box, to } = projection(shown);
        this.box = box;
        this.shapes = shown.map((each) => ({
          code: each.properties.code,
          name: each.properties.name,
          here: this.code.startsWith(each.properties.code),
          path: drawn(each, to),
        }));
      } catch (error) {
        this.failed = error.message;
      }
    },
  },
  template: `
    <figure class="map">
      <p v-if="failed" class="quiet">{{ failed }}</p>
      <svg v-else :viewBox="box" role="img" :aria-label="label">
        <path v-for="shape in shapes" :key="shape.code" :d="shape.path" :class="{ here: shape.here }"><title>{{ shape.name }}</title></path>
      </svg>
      <figcaption>{{ label }}</figcaption>
    </figure>`,
};
