// Major-event mode: the board of an event, its units and what they report, and the summary when it is over.
import { get, post } from "../lib/api.js";
import { request } from "../lib/dialog.js";
import { asking } from "../lib/latest.js";
import { where } from "../lib/places.js";
import { submit } from "../lib/queue.js";
import { can, layout } from "../lib/session.js";
import { at, left, moment, serverNow } from "../lib/time.js";
import { complain, say } from "../lib/toasts.js";

const AGAIN_MS = 10_000;
const MARKS = { in_time: "✓", late: "迟", missing: "✕", due: "…", waiting: "·" };

const over = (whole) => whole && whole.on_ms && (whole.off_ms || serverNow() >= whole.until_ms);

export default {
  props: { id: { type: String, default: "" } },
  data: () => ({ events: null, whole: null, summary: null }),
  created() {
    this.load();
    this.timer = setInterval(this.load, AGAIN_MS);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  watch: { id: "load" },
  computed: {
    commands: () => can("major.command"),
    reports: () => can("major.report"),
    board: ({ whole }) => whole?.board,
    over: ({ whole }) => over(whole),
    tiles() {
      const { missing, unacknowledged, open_cases, alerts } = this.board;
      const active = alerts.reduce((sum, [, n]) => sum + n, 0);
      return [["missing", missing, missing], ["alerts", active, false], ["unacknowledged", unacknowledged, unacknowledged], ["cases", open_cases, false]];
    },
  },
  methods: {
    at,
    left,
    where,
    moment,
    mark: ({ state }) => MARKS[state],
    told: (slot) => (slot.report ? `${slot.report.by_name} ${slot.report.text}` : ""),
    unitName: (whole, code) => whole.setup.units.find((unit) => unit.code === code)?.name ?? code,
    hours: (seconds) => Math.round(seconds / 360) / 10,
    state: (each) => (each.in_effect ? "on" : !each.on_ms ? "planned" : each.off_ms || serverNow() >= each.until_ms ? "over" : "armed"),
    async load() {
      const last = asking(this);
      try {
        const events = await get("/major-events");
        const id = this.id || (layout === "phone" ? "" : events[0]?.id);
        const whole = id ? await get(`/major-events/${id}`) : null;
        const summary = over(whole) ? await get(`/major-events/${id}/summary`) : null;
        if (last()) [this.events, this.whole, this.summary] = [events, whole, summary];
      } catch (error) {
        complain(error);
      }
    },
    async act(verb, path, body) {
      try {
        const told = await post(path, body);
        say(this.t(`major.${verb}.done`));
        if (verb === "add") location.hash = `/major/${told.id}`;
        await this.load();
      } catch (error) {
        complain(error);
      }
    },
    async change(verb) {
      const fields = [{ name: "why", label: "major.why", kind: "long", required: true }];
      const given = await request({ title: this.t(`major.${verb}`), about: this.whole.name, fields, confirm: this.t(`major.${verb}`) });
      if (given) await this.act(verb, `/major-events/${this.whole.id}/${verb}`, { why: given.why });
    },
    async add() {
      const fields = [{ name: "text", label: "major.add.text", kind: "file", required: true }];
      const given = await request({ title: this.t("major.add"), fields, confirm: this.t("major.add") });
      if (given) await this.act("add", "/major-events", { text: await given.text.text() });
    },
    async report(unit) {
      const kinds = ["zero", "situation"].map((value) => ({ value, label: this.t(`major.report.${value}`) }));
      const fields = [
        { name: "kind", label: "major.report.kind", kind: "choice", options: kinds, value: "zero", required: true },
        { name: "incidents", label: "major.report.incidents", kind: "number", value: "0" },
        { name: "text", label: "major.report.text", kind: "long" },
      ];
      const given = await request({ title: this.t("major.report"), about: unit.name, fields, confirm: this.t("major.report") });
      if (!given) return;
      const path = `/major-events/${this.whole.id}/reports`;
      const body = { unit: unit.code, kind: given.kind, text: given.text, incidents: Number(given.incidents) || 0 };
      if (layout !== "phone") return this.act("report", path, body);
      const item = await submit({ verb: "report", title: unit.name, place: unit.places[0] ?? "" }, path, body);
      say(item.state === "done" ? this.t("major.report.done") : item.detail || this.t("queue.waits"), item.state === "done" ? "good" : "wait");
      await this.load();
    },
  },
  template: `
    <div class="two narrow" :class="{ chosen: id }">
      <section class="panel listing" :aria-label="t('page.major')">
        <div v-if="commands" class="tools"><span></span><button @click="add">{{ t('major.add') }}</button></div>
        <p v-if="events && !events.length" class="empty">{{ t('major.none') }}</p>
        <div class="rows plain"><a v-for="each in events ?? []" :key="each.id" :href="'#/major/' + each.id" :aria-current="each.id === whole?.id ? 'true' : null">
          <b>{{ each.name }}</b><span><span class="chip" :class="{ late: each.in_effect, quiet: state(each) === 'over' }">{{ t('major.state.' + state(each)) }}</span>
          <time>{{ moment(each.from_ms) }}</time></span></a></div>
      </section>
      <section v-if="whole" class="panel detail" :class="{ high: board.in_effect }" :aria-label="whole.name">
        <a v-if="id" class="button plain back" href="#/major"><Icon name="back" />{{ t('back') }}</a>
        <header><h2>{{ whole.name }}</h2><span class="chip" :class="{ late: board.in_effect }">{{ t('major.state.' + state(whole)) }}</span>
          <p class="place">{{ moment(whole.from_ms) }} – {{ moment(whole.until_ms) }} · {{ whole.places.map(where).join('、') }}</p></header>
        <div class="acts" v-if="commands"><button v-if="!whole.on_ms" class="primary" @click="change('on')">{{ t('major.on') }}</button>
          <button v-else-if="!over" @click="change('off')">{{ t('major.off') }}</button></div>
        <ul v-if="!summary" class="tiles"><li v-if="board.in_effect"><b>{{ left(board.left_ms) }}</b><span>{{ t('major.left') }}</span></li>
          <li v-for="[name, n, alarm] in tiles" :key="name" :class="{ zero: !n, alarm }"><b>{{ n }}</b><span>{{ t('major.' + name) }}</span></li></ul>
        <template v-if="summary">
          <h3>{{ t('major.summary') }}</h3>
          <ul class="tiles"><li v-for="name in ['due', 'in_time', 'late', 'zero']" :key="name"><b>{{ summary.reports[name] }}</b><span>{{ t('major.summary.' + name) }}</span></li>
            <li :class="{ alarm: summary.reports.missing }"><b>{{ summary.reports.missing }}</b><span>{{ t('major.missing') }}</span></li>
            <li><b>{{ summary.alerts.reduce((sum, [, n]) => sum + n, 0) }}</b><span>{{ t('major.summary.alerts') }}</span></li>
            <li><b>{{ summary.cases }} ({{ summary.cases_closed }})</b><span>{{ t('major.summary.cases') }}</span></li></ul>
          <h3>{{ t('major.summary.served') }}</h3>
          <ul class="lines"><li v-for="each in summary.served" :key="each.name"><b>{{ each.name }}</b><span>{{ each.units.map((code) => unitName(whole, code)).join('、') }}</span>
            <span>{{ t('major.summary.hours', { h: hours(each.duty_s) }) }}</span><span class="number">{{ t('major.summary.given', { n: each.reports }) }}</span></li></ul>
        </template>
        <ul class="tree">
          <li v-for="unit in board.units" :key="unit.code" :style="{ '--depth': unit.depth }" :class="{ missing: unit.missing }">
            <p class="unit"><small>{{ t('major.kind.' + unit.kind) }}</small><b>{{ unit.name }}</b></p>
            <p class="duty" :class="{ problem: !unit.on_duty.length && board.in_effect }"><Icon name="person" />{{ unit.on_duty.join('、') || t('major.nobody') }}</p>
            <p class="slots"><span v-for="slot in unit.slots" :key="slot.due_ms" :class="'is-' + slot.state" :title="at(slot.due_ms) + ' ' + t('major.slot.' + slot.state) + ' ' + told(slot)">
              <i aria-hidden="true">{{ mark(slot) }}</i><small>{{ at(slot.due_ms) }}</small><span class="sr">{{ t('major.slot.' + slot.state) }}</span></span></p>
            <p class="figures"><span v-if="unit.alerts" class="chip">{{ t('major.alerts') }} {{ unit.alerts }}</span><span v-if="unit.open_cases" class="chip">{{ t('major.cases') }} {{ unit.open_cases }}</span>
              <button v-if="reports && board.in_effect && unit.next_due_ms" @click="report(unit)">{{ t('major.report') }}</button></p>
          </li></ul>
        <p v-if="whole.setup.holds.length" class="quiet">{{ t('major.holds') }}：{{ whole.setup.holds.join('、') }}</p>
        <p v-if="whole.setup.raises.length" class="quiet">{{ t('major.raises') }}：<template v-for="each in whole.setup.raises" :key="each.rule">{{ each.rule }} → <Severity :of="each.severity" /> </template></p>
        <h3>{{ t('major.newest') }}</h3>
        <p v-if="!whole.reports.length" class="quiet">{{ t('major.no_reports') }}</p>
        <ul class="lines"><li v-for="each in whole.reports.slice(0, 12)" :key="each.id"><time>{{ moment(each.at_ms) }}</time><b>{{ unitName(whole, each.unit) }}</b>
          <span class="chip" :class="each.kind === 'zero' ? 'quiet' : 'wait'">{{ t('major.report.' + each.kind) }}</span><span>{{ each.text }}</span><small>{{ each.by_name }}</small></li></ul>
      </section>
    </div>`,
};
