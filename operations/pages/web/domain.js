// A domain's key figures in one place: the first one large with its last hours, the others below it.
import { feed, framed, unwatchKey, watchKey } from "taishi-pages";
import { echarts } from "nicegui-echart";
import { sparkline } from "taishi-pages/charts.js";

const VERDICTS = { above: "▲ 高于往常", below: "▼ 低于往常", usual: "≈ 与往常相当", unknown: "往常" };

export default {
  mixins: [framed],
  props: { domain: String, trend: String, line: String, href: String },
  template: `
    <section class="ts-panel ts-domain" :data-domain="domain" :aria-label="found?.chinese">
      <h2>
        <a v-if="href" :href="href">{{ found?.chinese }}</a><template v-else>{{ found?.chinese }}</template>
        <small lang="en">{{ found?.english }}</small>
        <span class="ts-fresh" v-if="found && !found.complete">不全 <em lang="en">incomplete</em></span>
      </h2>
      <div class="ts-lead" v-if="lead">
        <div class="ts-figure" :class="tone(lead)" :data-figure="lead.key">
          <span class="ts-label">{{ lead.chinese }}<small>{{ span(lead) }}</small></span>
          <strong>{{ text(lead) }}</strong>
          <span class="ts-usual">{{ usual(lead) }}</span>
        </div>
        <div class="ts-spark" ref="spark" role="img" :aria-label="'过去六小时 ' + (found?.chinese ?? '')"></div>
      </div>
      <div class="ts-rest">
        <div v-for="figure in rest" :key="figure.key" class="ts-figure" :class="tone(figure)" :data-figure="figure.key">
          <span class="ts-label">{{ figure.chinese }}<small>{{ span(figure) }}</small></span>
          <strong>{{ text(figure) }}</strong>
          <span class="ts-usual">{{ figure.usual || figure.masked ? usual(figure) : '' }}</span>
        </div>
      </div>
    </section>`,
  computed: {
    found() {
      return this.frame?.domains.find((each) => each.domain === this.domain);
    },
    lead() {
      return this.found?.figures[0];
    },
    rest() {
      return this.found?.figures.slice(1) ?? [];
    },
    points() {
      return feed.frames[this.trend]?.lines.find((each) => each.key === this.line);
    },
  },
  created() {
    watchKey(this.trend);
  },
  methods: {
    span: (figure) => (figure.span === "hour" ? "近 1 小时" : ""),
    text: (figure) => (figure.masked ? "＊" : figure.text || "—"),
    usual(figure) {
      if (figure.masked) return "人数少，不显示";
      if (!figure.text) return "无数据";
      if (!figure.usual) return "尚无往常值";
      return `${VERDICTS[figure.verdict]} ${figure.usual}`;
    },
    tone(figure) {
      return [
        figure.worse && figure.verdict === "above" ? "warn" : figure.verdict,
        figure.masked || !figure.text ? "void" : "",
      ];
    },
    draw() {
      if (!this.points || !this.$refs.spark) return;
      this.chart ??= echarts.init(this.$refs.spark, null, { renderer: "svg" });
      this.chart.setOption(sparkline(this.points, feed.frames[this.trend]), true);
    },
  },
  mounted() {
    this.observer = new ResizeObserver(() => this.chart?.resize());
    this.observer.observe(this.$el);
    this.draw();
  },
  updated() {
    this.draw();
  },
  watch: {
    points: { handler: "draw", flush: "post" },
  },
  unmounted() {
    unwatchKey(this.trend);
    this.observer.disconnect();
    this.chart?.dispose();
  },
};
