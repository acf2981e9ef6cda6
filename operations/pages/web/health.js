// The installation's own health: what `taishi status` says.
import { framed } from "taishi-pages";

export default {
  mixins: [framed],
  template: `
    <div class="ts-healthpage">
      <section class="ts-panel" aria-label="结论">
        <h2>系统健康 <small lang="en">System health</small></h2>
        <p class="ts-verdict" :class="{ bad: frame && !frame.well }" v-if="frame">
          {{ frame.well ? '一切正常' : '有异常' }} <em lang="en">{{ frame.well ? 'all well' : 'something is wrong' }}</em></p>
        <p class="ts-none" v-else>正在检查 <em lang="en">checking</em></p>
        <ul class="ts-problems"><li v-for="text in frame?.problems ?? []" :key="text">{{ text }}</li></ul>
      </section>
      <section v-for="table in frame?.tables ?? []" :key="table.english" class="ts-panel" :aria-label="table.chinese">
        <h2>{{ table.chinese }} <small lang="en">{{ table.english }}</small></h2>
        <div class="ts-scroll" tabindex="0" role="region" :aria-label="table.chinese">
        <table>
          <thead><tr><th v-for="[chinese, english] in table.columns" :key="english" scope="col">{{ chinese }}
            <small lang="en">{{ english }}</small></th></tr></thead>
          <tbody><tr v-for="(row, index) in table.rows" :key="index" :class="{ bad: table.bad.includes(index) }">
            <td v-for="(text, cell) in row" :key="cell">{{ text }}</td></tr></tbody>
        </table>
        </div>
      </section>
    </div>`,
};
