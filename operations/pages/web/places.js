// The places within, with their figures: what the map shows, for the keyboard and for those who read.
import { framed } from "taishi-pages";
import { shade } from "taishi-pages/charts.js";

export default {
  mixins: [framed],
  props: { heading: String, english: String },
  template: `
    <section class="ts-panel ts-places" :aria-label="heading">
      <h2>{{ heading }} <small lang="en">{{ english }}</small></h2>
      <div class="ts-scroll" tabindex="0" role="region" :aria-label="heading + ' 列表'">
      <table>
        <thead><tr><th scope="col">名称</th>
          <th v-for="[chinese] in columns" :key="chinese" scope="col">{{ chinese }}</th><th scope="col">告警</th></tr></thead>
        <tbody>
          <tr v-for="row in rows" :key="row.code">
            <th scope="row"><a :href="'/place/' + row.code"><i :class="{ hatch: row.band == null }"
              :style="row.band == null ? {} : { background: shade(row.band) }"></i>{{ row.name }}</a></th>
            <td v-for="(text, index) in row.texts" :key="index" :class="{ void: !text }">{{ text || '—' }}</td>
            <td :class="{ void: !row.alerts, hot: row.alerts }">{{ row.alerts || '0' }}</td>
          </tr>
        </tbody>
      </table>
      </div>
      <p class="ts-none" v-if="frame && !rows.length">其下没有地点</p>
    </section>`,
  computed: {
    rows() {
      return this.frame?.places.rows ?? [];
    },
    columns() {
      return this.frame?.places.columns ?? [];
    },
  },
  methods: {
    shade(band) {
      return shade(band, this.frame.places.worse);
    },
  },
};
