// The alerts that are listed: how many of each severity, then the most urgent with place and age.
import { age, framed, serverNow } from "taishi-pages";

const SEVERITIES = [
  ["life_safety", "生命安全", "◆"],
  ["high", "高", "▲"],
  ["medium", "中", "●"],
  ["low", "低", "○"],
];
const MARKS = Object.fromEntries(SEVERITIES.map(([key, chinese, mark]) => [key, { chinese, mark }]));

export default {
  mixins: [framed],
  template: `
    <section class="ts-panel ts-alerts" aria-label="活动告警">
      <h2>活动告警 <small lang="en">Active alerts</small><b class="ts-total" v-if="alerts">{{ alerts.total }}</b></h2>
      <ul class="ts-counts" v-if="alerts">
        <li v-for="[key, chinese, mark] in severities" :key="key" :class="['sev', key, { zero: !alerts.counts[key] }]">
          <span aria-hidden="true">{{ mark }}</span><b>{{ alerts.counts[key] }}</b>{{ chinese }}</li>
      </ul>
      <p class="ts-none" v-if="!alerts">正在读取告警 <em lang="en">reading</em></p>
      <p class="ts-none" v-else-if="!alerts.total">没有活动告警 <em lang="en">none active</em></p>
      <ol v-else class="ts-list">
        <li v-for="row in alerts.rows" :key="row.id" :class="['sev', row.severity]" :data-alert="row.id">
          <span class="ts-mark" aria-hidden="true">{{ marks[row.severity].mark }}</span>
          <div>
            <p class="ts-title"><span class="ts-sr">{{ marks[row.severity].chinese }} </span>{{ row.title }}
              <span v-if="row.count > 1" class="ts-chip">×{{ row.count }}</span>
              <span v-if="row.children" class="ts-chip">含 {{ row.children }} 条</span>
              <span v-if="row.latched" class="ts-chip">待复位</span>
              <span v-if="row.simulated" class="ts-chip ts-sim">模拟</span></p>
            <p class="ts-where"><a :href="'/place/' + row.place">{{ row.where }}</a></p>
          </div>
          <time>{{ since(row) }}</time>
        </li>
      </ol>
      <p class="ts-more" v-if="alerts && alerts.total > alerts.rows.length">
        另有 {{ alerts.total - alerts.rows.length }} 条 <em lang="en">more</em></p>
    </section>`,
  computed: {
    alerts() {
      return this.frame?.alerts;
    },
    severities: () => SEVERITIES,
    marks: () => MARKS,
  },
  methods: {
    since: (row) => age(serverNow() - row.onset_ms),
  },
};
