// The last hours of a place as lines, the usual dashed beside them. Gaps are gaps.
import { get } from "../lib/api.js";
import { asking } from "../lib/latest.js";
import { at } from "../lib/time.js";
import { language } from "../lib/words.js";

const [WIDTH, HEIGHT, FOOT] = [600, 150, 18];

// A path through the values, broken where there is none.
export function path(values, low, high) {
  const x = (index) => ((index / Math.max(1, values.length - 1)) * WIDTH).toFixed(1);
  const y = (value) => (HEIGHT - ((value - low) / (high - low || 1)) * (HEIGHT - 10) - 2).toFixed(1);
  let pen = "M";
  return values
    .map((value, index) => {
      if (value == null) return (pen = "M") && "";
      const step = `${pen}${x(index)} ${y(value)}`;
      pen = "L";
      return step;
    })
    .join("");
}

export default {
  props: { code: { type: String, required: true }, domain: { type: String, default: "" } },
  data: () => ({ trend: null, failed: "" }),
  watch: { code: { immediate: true, handler: "load" } },
  computed: {
    lines() {
      const lines = (this.trend?.lines ?? []).filter((line) => line.values.some((value) => value != null));
      const own = lines.filter((line) => line.domain === this.domain);
      return own.length ? own : lines.slice(0, 2);
    },
    times() {
      const { start_ms, step_ms, lines } = this.trend;
      const end = start_ms + lines[0].values.length * step_ms;
      return [0, 1, 2, 3].map((part) => at(start_ms + ((end - start_ms) * part) / 3));
    },
  },
  methods: {
    async load() {
      [this.trend, this.failed] = [null, ""];
      const last = asking(this);
      try {
        const trend = await get(`/places/${this.code}/trend`);
        if (last()) this.trend = trend;
      } catch (error) {
        if (last()) this.failed = error.message;
      }
    },
    title: (line) => (language.now === "zh" ? line.chinese : line.english),
    text: (line, value) => (value == null ? "—" : line.share ? `${(value * 100).toFixed(1)}%` : String(Math.round(value))),
    last: (line) => [...line.values].reverse().find((value) => value != null),
    drawn(line) {
      const known = [...line.values, ...line.usual].filter((value) => value != null);
      const [low, high] = [line.share ? Math.min(...known) : 0, Math.max(...known)];
      return { actual: path(line.values, low, high), usual: path(line.usual, low, high), high: this.text(line, high) };
    },
  },
  template: `
    <div class="trend">
      <p v-if="failed" class="quiet">{{ failed }}</p>
      <p v-else-if="!trend" class="quiet">{{ t('loading') }}</p>
      <p v-else-if="!lines.length" class="quiet">{{ t('detail.hours.none') }}</p>
      <figure v-else v-for="line in lines" :key="line.key">
        <figcaption>{{ title(line) }} <b>{{ text(line, last(line)) }}</b><span class="usual">{{ t('detail.usual') }}</span></figcaption>
        <svg :viewBox="'0 0 ${WIDTH} ${HEIGHT + FOOT}'" role="img" :aria-label="title(line) + ' ' + text(line, last(line))">
          <path class="axis" d="M0 ${HEIGHT}H${WIDTH}" />
          <path class="usual" :d="drawn(line).usual" /><path class="actual" :d="drawn(line).actual" />
          <text x="2" y="11">{{ drawn(line).high }}</text>
          <text v-for="(time, part) in times" :key="part" :x="part * ${WIDTH / 3}" y="${HEIGHT + 14}"
            :text-anchor="['start', 'middle', 'middle', 'end'][part]">{{ time }}</text>
        </svg>
      </figure>
    </div>`,
};
