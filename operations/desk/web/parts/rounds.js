// Patrol rounds in their running period, and checking in at a point by where one stands.
import { get } from "../lib/api.js";
import { position } from "../lib/position.js";
import { post } from "../lib/api.js";
import { submit } from "../lib/queue.js";
import { can, layout } from "../lib/session.js";
import { at } from "../lib/time.js";
import { complain, say } from "../lib/toasts.js";

const AGAIN_MS = 15_000;

export default {
  data: () => ({ rounds: null }),
  created() {
    this.load();
    this.timer = setInterval(this.load, AGAIN_MS);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  computed: { checks: () => can("cases.check") },
  methods: {
    at,
    missed: (round) => round.missed.map((code) => round.points.find(({ point }) => point.code === code).point.name).join("、"),
    async load() {
      try {
        this.rounds = await get("/patrols");
      } catch (error) {
        complain(error);
      }
    },
    async checkIn({ code, name }) {
      const stands = await position().catch(() => null);
      if (!stands) return say(this.t("patrol.no_position"), "bad");
      const path = `/patrols/${encodeURIComponent(code)}/check-in`;
      try {
        if (layout !== "phone") await post(path, stands);
        else {
          const item = await submit({ verb: "check_in", title: name, place: "" }, path, stands);
          if (item.state !== "done") return say(item.detail || this.t("queue.waits"), "wait");
        }
        say(this.t("patrol.check_in.done"));
        await this.load();
      } catch (error) {
        complain(error);
      }
    },
  },
  template: `
    <p v-if="rounds && !rounds.length" class="quiet">{{ t('patrol.no_rounds') }}</p>
    <section v-for="round in rounds ?? []" :key="round.code" class="round">
      <h2>{{ round.name }} <small>{{ at(round.from_ms) }} – {{ at(round.until_ms) }}</small>
        <span class="chip" :class="round.state === 'done' ? 'done' : 'wait'">{{ t('patrol.visited', { n: round.visited, of: round.points.length }) }}</span></h2>
      <p v-if="round.missed.length" class="problem">{{ t('patrol.missed', { points: missed(round) }) }}</p>
      <ul class="lines"><li v-for="{ point, checked } in round.points" :key="point.code"><b>{{ point.name }}</b>
        <span v-if="checked" class="chip done">{{ t('patrol.by', { name: checked.name, at: at(checked.at_ms), m: Math.round(checked.distance_m) }) }}</span>
        <span v-else class="quiet">{{ t('patrol.open') }}</span>
        <button v-if="!checked && checks" @click="checkIn(point)">{{ t('patrol.check_in') }}</button></li></ul>
    </section>`,
};
