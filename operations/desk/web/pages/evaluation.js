// The rates of a period, each with its definition, and the cases behind it.
import { get } from "../lib/api.js";
import { asking } from "../lib/latest.js";
import { language } from "../lib/words.js";
import { can, layout } from "../lib/session.js";

const CUTS = ["total", "street", "community", "department", "category", "person"];

export default {
  data: () => ({ by: "total", period: "", answer: null, problem: "", chosen: null, layout }),
  created() {
    this.load();
  },
  watch: { by: "load", period: "load" },
  computed: {
    cuts: () => CUTS.filter((cut) => cut !== "person" || can("export")),
    measures() {
      const found = new Map();
      for (const each of this.answer?.figures ?? []) found.set(each.measure, each);
      return [...found.values()];
    },
    columns() {
      const found = new Map();
      for (const each of this.answer?.figures ?? []) found.set(each.of, each.name || each.of);
      return [...found];
    },
    figures() {
      return new Map((this.answer?.figures ?? []).map((each) => [`${each.measure} ${each.of}`, each]));
    },
    csv: (self) => can("export") && `/api/evaluation.csv?by=${self.by}&period=${self.period}`,
    // Those it is not so of first: they are what one looks for.
    behind() {
      if (!this.chosen) return [];
      const yes = new Set(this.chosen.yes);
      return [...this.chosen.among].map((id) => ({ id, yes: yes.has(id) })).sort((one, other) => one.yes - other.yes);
    },
  },
  methods: {
    async load() {
      this.chosen = null;
      const last = asking(this);
      try {
        const answer = await get(`/evaluation?by=${this.by}&period=${encodeURIComponent(this.period)}`);
        if (last()) [this.answer, this.problem] = [answer, ""];
      } catch (error) {
        if (last()) this.problem = error.message;
      }
    },
    figure(measure, of) {
      return this.figures.get(`${measure} ${of}`);
    },
    title: (each) => (language.now === "zh" ? each.chinese : each.english),
    rate: (each) => (each?.rate == null ? "—" : `${(each.rate * 100).toFixed(1)}%`),
    against: (each, other) => (each?.rate == null || other == null ? "" : `${each.rate >= other ? "▲" : "▼"} ${(Math.abs(each.rate - other) * 100).toFixed(1)}`),
  },
  template: `
    <div class="two evaluation" :class="{ chosen }">
      <section class="panel listing" :aria-label="t('page.evaluation')">
        <div class="tools"><label class="field"><span>{{ t('evaluation.period') }}</span><input v-model.lazy.trim="period" :placeholder="answer?.period ?? '2026-11'" /></label>
          <a v-if="csv" class="button" :href="csv" download>{{ t('evaluation.csv') }}</a>
          <div class="choice counts" role="group" :aria-label="t('evaluation.by')">
            <button v-for="each in cuts" :key="each" :aria-pressed="by === each" @click="by = each">{{ t('cut.' + each) }}</button></div></div>
        <p v-if="problem" class="problem">{{ problem }}</p>
        <div class="scroll"><table>
          <thead><tr><th>{{ t('evaluation.measure') }}</th><th v-for="[of, name] in columns" :key="of" class="number">{{ spoken(name || t('cut.total')) }}</th></tr></thead>
          <tbody><tr v-for="each in measures" :key="each.measure" :data-measure="each.measure">
            <th scope="row" :title="each.definition">{{ title(each) }}</th>
            <td v-for="[of, name] in columns" :key="of" class="number" :data-of-name="spoken(name || t('cut.total'))"><button class="plain" :data-of="of" @click="chosen = figure(each.measure, of)">
              <b>{{ rate(figure(each.measure, of)) }}</b> <small>{{ figure(each.measure, of)?.yes.length }}/{{ figure(each.measure, of)?.among.length }}</small></button></td></tr></tbody>
        </table></div>
      </section>
      <section class="panel detail" v-if="chosen">
        <button v-if="layout === 'phone'" class="plain back" @click="chosen = null"><Icon name="back" />{{ t('back') }}</button>
        <h2>{{ title(chosen) }} {{ rate(chosen) }}</h2><p class="quiet">{{ chosen.definition }}</p>
        <dl><dt>{{ t('evaluation.before') }}</dt><dd>{{ against(chosen, chosen.before) || '—' }}</dd><dt>{{ t('evaluation.year') }}</dt><dd>{{ against(chosen, chosen.last_year) || '—' }}</dd></dl>
        <ul class="similar"><li v-for="each in behind" :key="each.id"><a :href="'#/cases/' + each.id" :data-behind="each.id"><span class="number">{{ each.id }}</span>
          <span class="chip" :class="each.yes ? 'done' : 'new'">{{ each.yes ? t('evaluation.yes') : t('evaluation.no') }}</span></a></li></ul>
        <p v-if="chosen.exempt.length" class="quiet">{{ t('evaluation.exempt', { n: chosen.exempt.length }) }}</p>
      </section>
      <section v-else-if="layout !== 'phone'" class="panel empty">{{ t('evaluation.choose') }}</section>
    </div>`,
};
