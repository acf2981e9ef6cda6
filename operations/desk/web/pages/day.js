// The grid worker's day: cases in hand, the patrol, and reporting with a photograph, also without a connection.
import { get } from "../lib/api.js";
import { sendPhoto } from "../lib/casework.js";
import { request } from "../lib/dialog.js";
import { where } from "../lib/places.js";
import { position } from "../lib/position.js";
import { submit } from "../lib/queue.js";
import { can, session } from "../lib/session.js";
import { left, serverNow, span } from "../lib/time.js";
import { complain, say } from "../lib/toasts.js";
import Rounds from "../parts/rounds.js";

const GRID_DIGITS = 15;

export default {
  components: { Rounds },
  data: () => ({ tasks: null, branches: [] }),
  created() {
    this.load();
  },
  computed: {
    reports: () => can("cases.report"),
    branch: ({ branches }) => branches.find(({ grid }) => session.me.places.includes(grid)),
  },
  methods: {
    where,
    left: (due) => left(due - serverNow()),
    late: (due) => due && due < serverNow(),
    span: (due) => span(serverNow() - due),
    async load() {
      try {
        [this.tasks, this.branches] = await Promise.all([get("/cases?mine=true").then(({ cases }) => cases), get("/party/branches")]);
      } catch (error) {
        complain(error);
      }
    },
    async report() {
      const fields = [
        { name: "photo", label: "day.photo", kind: "photo" },
        { name: "title", label: "day.what", kind: "text", required: true },
        { name: "description", label: "day.more", kind: "long" },
      ];
      const given = await request({ title: this.t("day.report"), fields, confirm: this.t("day.report") });
      if (!given) return;
      const stands = await position().catch(() => null);
      const own = session.me.places.find((code) => code.length === GRID_DIGITS) ?? session.me.places[0];
      const body = { title: given.title, description: given.description, ...(stands ?? { place: own }) };
      const words = { verb: "report", title: given.title, place: own };
      if (given.photo) body.evidence = [await sendPhoto(given.photo, given.title)];
      const item = await submit(words, "/cases", body, "id", false);
      if (item.state === "done") say(this.t("day.report.done"));
      else say(item.detail || this.t("queue.waits"), "wait");
      await this.load();
    },
  },
  template: `
    <div class="two">
      <section class="panel detail" :aria-label="t('day.tasks')">
        <p v-if="branch" class="place">{{ t('day.branch') }}：{{ branch.name }} · {{ branch.secretary }}</p>
        <div class="acts"><button v-if="reports" class="primary" @click="report"><Icon name="report" />{{ t('day.report') }}</button></div>
        <h3>{{ t('day.tasks') }}</h3>
        <p v-if="tasks && !tasks.length" class="quiet">{{ t('day.no_tasks') }}</p>
        <ul class="lines"><li v-for="task in tasks ?? []" :key="task.id"><a :href="'#/cases/' + task.id"><b>{{ spoken(task.title) }}</b><span>{{ where(task.place) }}</span>
          <span v-if="task.due_ms" class="chip" :class="late(task.due_ms) ? 'late' : 'wait'">{{ late(task.due_ms) ? t('day.late', { span: span(task.due_ms) }) : t('day.due', { left: left(task.due_ms) }) }}</span></a></li></ul>
      </section>
      <section class="panel detail" :aria-label="t('day.patrol')"><h3>{{ t('day.patrol') }}</h3><Rounds /></section>
    </div>`,
};
