// The last hours of a place: one chart a figure, the usual dashed beside it.
import { echarts } from "nicegui-echart";
import { framed } from "taishi-pages";
import { trendChart } from "taishi-pages/charts.js";

export default {
  mixins: [framed],
  props: { only: String },
  template: `
    <section class="ts-panel ts-trends" aria-label="过去六小时">
      <h2>过去六小时 <small lang="en">Last six hours</small><span class="ts-key"><i></i>实际 <i class="dash"></i>往常</span></h2>
      <p class="ts-none" v-if="!frame">正在读取 <em lang="en">reading</em></p>
      <div class="ts-charts">
        <figure v-for="line in lines" :key="line.key" :data-line="line.key">
          <figcaption>{{ line.chinese }} <small lang="en">{{ line.english }}</small>
            <small v-if="line.share === false"> 每 5 分钟</small></figcaption>
          <p class="ts-none" v-if="empty(line)">近六小时无数据</p>
          <div v-else class="ts-chart" :ref="line.key" role="img" :aria-label="line.chinese + ' 过去六小时'"></div>
        </figure>
      </div>
    </section>`,
  computed: {
    lines() {
      return (this.frame?.lines ?? []).filter((line) => !this.only || line.domain === this.only);
    },
  },
  methods: {
    empty: (line) => line.values.every((value) => value == null),
    draw() {
      this.charts ??= new Map();
      for (const line of this.lines) {
        const [canvas] = this.$refs[line.key] ?? [];
        if (!canvas) continue;
        if (!this.charts.has(line.key)) this.charts.set(line.key, echarts.init(canvas));
        this.charts.get(line.key).setOption(trendChart(line, this.frame), true);
      }
    },
  },
  mounted() {
    this.observer = new ResizeObserver(() => {
      for (const chart of this.charts?.values() ?? []) chart.resize();
      this.draw();
    });
    this.observer.observe(this.$el);
    this.draw();
  },
  watch: { frame: { handler: "draw", flush: "post" } },
  unmounted() {
    this.observer.disconnect();
    for (const chart of this.charts?.values() ?? []) chart.dispose();
  },
};
