// The list that a shift hands over: what stands, what hides, what is due, what there was.
import { where } from "../lib/places.js";
import { ago, left, moment, span } from "../lib/time.js";

export default {
  props: { listed: { type: Object, required: true } },
  computed: {
    rest: ({ listed }) => listed.active.filter((line) => line.acknowledged_by),
    hiding: ({ listed }) => ["shelved", "suppressed", "out_of_service"].map((name) => [name, listed[name]]).filter(([, lines]) => lines.length),
    dues: ({ listed }) => [["overdue", listed.overdue], ["soon", listed.soon_overdue]].filter(([, lines]) => lines.length),
    empty() {
      return !this.listed.active.length && !this.hiding.length && !this.dues.length && !this.listed.floods.length;
    },
    counts: ({ listed }) => [
      ["active", listed.active.length],
      ["unacknowledged", listed.unacknowledged.length],
      ["overdue", listed.overdue.length],
      ["soon", listed.soon_overdue.length],
    ],
  },
  methods: { where, ago, left, moment, span },
  template: `
    <div class="outgoing">
      <ul class="tiles"><li v-for="[name, n] in counts" :key="name" :class="{ zero: !n, alarm: n && name !== 'active' }"><b>{{ n }}</b><span>{{ t('handover.' + name) }}</span></li></ul>
      <p v-if="empty" class="quiet">{{ t('handover.clear') }}</p>
      <div class="facets">
        <section v-if="listed.unacknowledged.length"><h3>{{ t('handover.unacknowledged') }}</h3>
          <ul class="lines"><li v-for="line in listed.unacknowledged" :key="line.id"><a :href="'#/alerts/' + line.id">
            <Severity :of="line.severity" /><b>{{ spoken(line.title) }}</b><span>{{ where(line.place) }}</span><time>{{ ago(line.onset_ms) }}</time></a></li></ul></section>
        <section v-if="rest.length"><h3>{{ t('handover.active') }}</h3>
          <ul class="lines"><li v-for="line in rest" :key="line.id"><a :href="'#/alerts/' + line.id">
            <Severity :of="line.severity" /><b>{{ spoken(line.title) }}</b><span>{{ where(line.place) }}</span><span class="chip done">{{ line.acknowledged_by }}</span></a></li></ul></section>
        <section v-for="[name, lines] in dues" :key="name"><h3>{{ t('handover.' + name) }}</h3>
          <ul class="lines"><li v-for="due in lines" :key="due.id"><a :href="'#/cases/' + due.id"><b>{{ spoken(due.title) }}</b><span>{{ due.department || where(due.place) }}</span>
            <span class="chip" :class="due.left_ms > 0 ? 'wait' : 'late'">{{ due.left_ms > 0 ? t('handover.left', { left: left(due.left_ms) }) : t('handover.late', { span: span(-due.left_ms) }) }}</span></a></li></ul></section>
        <section v-for="[name, lines] in hiding" :key="name"><h3>{{ t('handover.' + name) }}</h3>
          <ul class="lines"><li v-for="each in lines" :key="each.what + each.since_ms"><b>{{ each.what }}</b><span>{{ each.why }} · {{ each.by }}</span>
            <span class="chip quiet">{{ each.until_ms ? t('handover.left', { left: left(each.left_ms) }) : t('handover.no_end') }}</span></li></ul></section>
        <section v-if="listed.suppressed_groups.length"><h3>{{ t('handover.groups') }}</h3>
          <ul class="lines"><li v-for="line in listed.suppressed_groups" :key="line.id"><b>{{ spoken(line.title) }}</b><span>{{ where(line.place) }}</span>
            <span class="chip">{{ t('handover.children', { n: line.children }) }}</span></li></ul></section>
        <section v-if="listed.floods.length"><h3>{{ t('handover.floods') }}</h3>
          <ul class="lines"><li v-for="flood in listed.floods" :key="flood.console + flood.start_ms"><b>{{ flood.console }}</b>
            <time>{{ moment(flood.start_ms) }}<template v-if="flood.end_ms"> – {{ moment(flood.end_ms) }}</template></time><span>{{ t('handover.flood', flood) }}</span></li></ul></section>
        <section v-if="listed.load.length"><h3>{{ t('handover.load') }}</h3>
          <ul class="lines"><li v-for="each in listed.load" :key="each.console"><b>{{ each.console }}</b><span class="number">{{ each.annunciated }}</span></li></ul></section>
      </div>
    </div>`,
};
