// The map: places of a level coloured by the band of a metric, from our own outlines; a click goes to the place.
import { echarts } from "nicegui-echart";
import { feed, rem, token, unwatchKey, watchKey } from "taishi-pages";
import { hatched, shade, tooltip } from "taishi-pages/charts.js";

const SEVERITY_SIZE = { life_safety: 1.5, high: 1.2, medium: 0.9, low: 0.7 };
const SYMBOLS = { life_safety: "diamond", high: "triangle", medium: "circle", low: "circle" };
const outlines = new Map(); // level -> promise of its features

async function features(level) {
  if (!outlines.has(level)) {
    outlines.set(level, fetch(`/map/${level}.geojson`).then((answer) => answer.json()));
  }
  return outlines.get(level);
}

function center(feature) {
  let [west, south, east, north] = [180, 90, -180, -90];
  const visit = (points) => {
    if (typeof points[0] !== "number") return points.forEach(visit);
    [west, east] = [Math.min(west, points[0]), Math.max(east, points[0])];
    [south, north] = [Math.min(south, points[1]), Math.max(north, points[1])];
  };
  visit(feature.geometry.coordinates);
  return [(west + east) / 2, (south + north) / 2];
}

export default {
  props: { levels: Array, metrics: Array, within: String, marked: String, alerts: String },
  template: `
    <section class="ts-panel ts-map" aria-label="地图">
      <div class="ts-tools">
        <div class="ts-choice" role="radiogroup" aria-label="指标 Metric">
          <button v-for="each in metrics" :key="each.key" role="radio" :aria-checked="each.key === metric"
            @click="metric = each.key" :data-metric="each.key">{{ each.chinese }}</button>
        </div>
        <div class="ts-choice" role="radiogroup" aria-label="层级 Level" v-if="levels.length > 1">
          <button v-for="each in levels" :key="each.key" role="radio" :aria-checked="each.key === level"
            @click="level = each.key" :data-level="each.key">{{ each.chinese }}</button>
        </div>
      </div>
      <div class="ts-canvas" ref="canvas" role="img" :aria-label="label" :data-painted="painted"></div>
      <ul class="ts-legend" v-if="frame" :aria-label="'图例 ' + frame.chinese">
        <li v-for="(text, index) in frame.labels" :key="index"><i :style="{ background: shade(index) }"></i>{{ text }}</li>
        <li><i class="hatch"></i>无数据</li>
        <li v-if="frame.masked.length"><i class="hatch"></i>人数少，不显示</li>
        <li v-if="synthetic" class="ts-note">网格边界为模拟 <em lang="en">synthetic grids</em></li>
      </ul>
    </section>`,
  data() {
    return { metric: this.metrics[0].key, level: this.levels[0].key, painted: "", synthetic: false, watched: "" };
  },
  created() {
    this.follow();
  },
  computed: {
    key() {
      return `map/${this.level}/${this.metric}`;
    },
    frame() {
      return feed.frames[this.key];
    },
    label() {
      return `${this.frame?.chinese ?? ""}，${this.levels.find((each) => each.key === this.level).chinese}`;
    },
    listed() {
      return feed.frames[this.alerts]?.alerts?.rows ?? [];
    },
  },
  methods: {
    shade(band) {
      return shade(band, this.frame.worse);
    },
    follow() {
      watchKey(this.key);
      if (this.watched) unwatchKey(this.watched);
      this.watched = this.key;
    },
    async draw() {
      const [frame, level] = [this.frame, this.level];
      if (!frame || !this.$refs.canvas) return;
      const collection = await features(level);
      if (this.frame !== frame || !this.$refs.canvas) return; // a newer one came meanwhile
      this.synthetic = collection.synthetic;
      const isMarked = ({ feature }) => feature.properties.code === this.marked;
      const shown = collection.features
        .map((feature, index) => ({ feature, index }))
        .filter(({ feature }) => feature.geometry && feature.properties.code.startsWith(this.within))
        .sort((one, other) => isMarked(one) - isMarked(other)); // drawn last: no neighbour covers its border
      const name = `${level}/${this.within}/${this.marked}`;
      if (!echarts.getMap(name)) {
        const geojson = { type: "FeatureCollection", features: shown.map(({ feature }) => feature) };
        echarts.registerMap(name, geojson);
      }
      this.chart ??= this.begin();
      this.chart.setOption(this.option(name, shown, frame), true);
      this.painted = `${frame.metric} ${frame.end_ms} ${Date.now()}`;
    },
    begin() {
      const chart = echarts.init(this.$refs.canvas);
      chart.on("click", (event) => {
        const code = event.data?.code ?? (event.componentType === "geo" ? event.name : null);
        if (code) location.assign(`/place/${code}`);
      });
      this.hatch = hatched();
      return chart;
    },
    option(name, shown, frame) {
      this.cells = new Map(shown.map(({ feature, index }) => [feature.properties.code, { feature, index }]));
      const marked = { borderColor: token("text"), borderWidth: rem(0.2) };
      return {
        tooltip: { ...tooltip(), formatter: (item) => this.tell(item, frame) },
        geo: {
          map: name,
          nameProperty: "code",
          aspectScale: 0.81,
          top: "3%",
          bottom: "3%",
          left: "2%",
          right: "2%",
          tooltip: { show: true },
          selectedMode: false,
          label: { show: false },
          itemStyle: { areaColor: this.hatch, borderColor: token("ground"), borderWidth: rem(0.05) },
          emphasis: { label: { show: false }, itemStyle: { borderColor: token("text"), borderWidth: rem(0.1) } },
          regions: shown.map(({ feature: { properties }, index }) => {
            const band = frame.bands[index];
            const areaColor = band == null ? this.hatch : this.shade(band);
            const itemStyle = { areaColor, ...(properties.code === this.marked ? marked : {}) };
            return { name: properties.code, itemStyle, emphasis: { itemStyle: { areaColor } } };
          }),
        },
        series: { type: "scatter", coordinateSystem: "geo", data: this.marks(shown), animation: false, z: 5 },
      };
    },
    marks(shown) {
      return this.listed.flatMap((row) => {
        const inside = shown.filter(({ feature: { properties } }) =>
          properties.code.length >= row.place.length
            ? properties.code.startsWith(row.place)
            : row.place.startsWith(properties.code),
        );
        if (!inside.length || row.place.length < 9) return []; // of the whole district: no point of it
        const points = inside.map(({ feature }) => center(feature));
        const mean = (axis) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
        return {
          value: [mean(0), mean(1)],
          code: row.place,
          alert: row,
          symbol: SYMBOLS[row.severity],
          symbolSize: rem(SEVERITY_SIZE[row.severity]),
          itemStyle: {
            color: token(row.severity.replace("_", "-")),
            borderColor: token("ground"),
            borderWidth: rem(0.12),
          },
        };
      });
    },
    tell(item, frame) {
      const found = item.data?.alert;
      const cell = this.cells.get(item.name);
      const lines = found
        ? [found.title, found.where]
        : [cell?.feature.properties.name ?? "", `${frame.chinese} ${this.value(cell?.index, frame)}`];
      const node = document.createElement("div");
      node.append(...lines.map((text) => Object.assign(document.createElement("div"), { textContent: text })));
      return node;
    },
    value(index, frame) {
      const value = frame.values[index];
      if (frame.masked.includes(index)) return "人数少，不显示";
      if (value == null) return "无数据";
      return frame.unit === "%" ? `${(value * 100).toFixed(1)}%` : value.toLocaleString("en-US");
    },
  },
  mounted() {
    this.observer = new ResizeObserver(() => {
      this.chart?.resize();
      this.draw();
    });
    this.observer.observe(this.$refs.canvas);
  },
  watch: {
    key() {
      this.follow();
      this.draw();
    },
    frame: { handler: "draw", flush: "post" },
    listed: { handler: "draw", flush: "post" },
  },
  unmounted() {
    unwatchKey(this.watched);
    this.observer.disconnect();
    this.chart?.dispose();
  },
};
