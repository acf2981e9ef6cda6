// Where a place lies in its street, from our own outlines: no map service is asked.
import { features, where } from "../lib/places.js";

const SIZE = 400;

export function rings(geometry) {
  return geometry.type === "Polygon" ? [geometry.coordinates] : geometry.coordinates;
}

// Degrees to a square of SIZE: longitude shrinks by the latitude's cosine.
export function projection(shown) {
  const points = shown.flatMap(({ geometry }) => rings(geometry).flat(2));
  const [west, east] = [Math.min(...points.map(([x]) => x)), Math.max(...points.map(([x]) => x))];
  const [south, north] = [Math.min(...points.map(([, y]) => y)), Math.max(...points.map(([, y]) => y))];
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180);
  const scale = SIZE / Math.max((east - west) * squeeze, north - south);
  return {
    box: `-6 -6 ${(east - west) * squeeze * scale + 12} ${(north - south) * scale + 12}`,
    to: ([x, y]) => `${((x - west) * squeeze * scale).toFixed(1)} ${((north - y) * scale).toFixed(1)}`,
  };
}

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
        this.shapes = shown.map(({ properties, geometry }) => ({
          code: properties.code,
          name: properties.name,
          here: this.code.startsWith(properties.code),
          path: rings(geometry).flat().map((ring) => `M${ring.map(to).join("L")}Z`).join(""),
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
