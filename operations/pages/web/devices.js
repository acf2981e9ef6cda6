// The devices of a grid: counted by kind; listed only where none stands for a person or a home.
import { framed } from "taishi-pages";

export default {
  mixins: [framed],
  template: `
    <section class="ts-panel ts-devices" aria-label="设备">
      <h2>设备 <small lang="en">Devices</small><span v-if="found?.simulated" class="ts-chip ts-sim">模拟</span></h2>
      <ul class="ts-kinds" v-if="found">
        <li v-for="kind in found.kinds" :key="kind.kind"><b>{{ kind.count ?? '＊' }}</b>{{ kind.chinese }}
          <small v-if="kind.count == null">人数少，不显示</small></li>
      </ul>
      <p class="ts-none" v-if="found && !found.kinds.length">没有登记的设备 <em lang="en">none registered</em></p>
      <div class="ts-scroll" v-if="found?.rows.length" tabindex="0" role="region" aria-label="设备列表">
      <table>
        <thead><tr><th scope="col">设备</th><th scope="col">类型</th><th scope="col">型号</th></tr></thead>
        <tbody><tr v-for="[device, kind, model] in found.rows" :key="device">
          <th scope="row">{{ device }}</th><td>{{ kind }}</td><td>{{ model }}</td></tr></tbody>
      </table>
      </div>
    </section>`,
  computed: {
    found() {
      return this.frame?.devices;
    },
  },
};
