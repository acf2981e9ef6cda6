// Shift hand-over: whose the next alert is, the list that goes over, and both signatures.
import { get, post } from "../lib/api.js";
import { request } from "../lib/dialog.js";
import { asking } from "../lib/latest.js";
import { can, session } from "../lib/session.js";
import { ago, moment } from "../lib/time.js";
import { complain, say } from "../lib/toasts.js";
import Outgoing from "../parts/outgoing.js";

const AGAIN_MS = 15_000;

export default {
  components: { Outgoing },
  props: { id: { type: String, default: "" } },
  data: () => ({ posts: [], recent: [], shown: null, session }),
  created() {
    this.load();
    this.timer = setInterval(this.load, AGAIN_MS);
  },
  unmounted() {
    clearInterval(this.timer);
  },
  watch: { id: "load" },
  computed: {
    signer: () => can("handover.sign"),
    offered: ({ recent, id }) => recent.find((each) => each.id === id),
    listed: ({ shown }) => shown?.listed ?? shown,
  },
  methods: {
    ago,
    moment,
    state: (each) => (each.signed_ms ? "signed" : each.withdrawn_ms ? "withdrawn" : each.unsigned ? "unsigned" : "waits"),
    open: (each) => !each.signed_ms && !each.withdrawn_ms,
    mine: (each) => each.outgoing === session.me.id,
    async load() {
      const last = asking(this);
      const shown = this.id ? `/handovers/${this.id}` : this.signer ? "/handover-list" : "";
      try {
        const answers = await Promise.all([get("/posts"), get("/handovers"), shown ? get(shown) : null]);
        if (last()) [this.posts, this.recent, this.shown] = answers;
      } catch (error) {
        complain(error);
      }
    },
    async act(verb, path, body) {
      try {
        const whole = await post(path, body);
        say(this.t(`handover.${verb}.done`));
        location.hash = `/handover/${whole.id}`;
        await this.load();
      } catch (error) {
        complain(error);
      }
    },
    async offer({ post: name }) {
      const fields = [{ name: "notes", label: "handover.notes", kind: "long", hint: "handover.notes.hint" }];
      const given = await request({ title: this.t("handover.offer"), about: name, fields, confirm: this.t("handover.offer") });
      if (given) await this.act("offer", "/handovers", { post: name, notes: given.notes });
    },
    sign(each) {
      return this.act("sign", `/handovers/${each.id}/sign`);
    },
    withdraw(each) {
      return this.act("withdraw", `/handovers/${each.id}/withdraw`);
    },
  },
  template: `
    <div class="two" :class="{ chosen: id }">
      <section class="panel listing" :aria-label="t('handover.posts')">
        <ul class="cards"><li v-for="each in posts" :key="each.post">
          <h2>{{ each.post }}</h2>
          <p v-if="each.name">{{ t('handover.holds', { name: each.name }) }} <small>{{ t('handover.since', { since: moment(each.since_ms) }) }}</small></p>
          <p v-else class="quiet">{{ t('handover.nobody') }}</p>
          <a v-if="each.offered" class="button" :href="'#/handover/' + each.offered">{{ t('handover.waits') }}</a>
          <button v-else-if="signer" class="primary" @click="offer(each)">{{ t('handover.offer') }}</button></li></ul>
        <div class="rows plain">
          <a v-if="signer" href="#/handover" :aria-current="id ? null : 'true'"><b>{{ t('handover.now') }}</b><span></span></a>
          <a v-for="each in recent" :key="each.id" :href="'#/handover/' + each.id" :aria-current="each.id === id ? 'true' : null">
            <b>{{ each.incoming_name ? t('handover.signed', { outgoing: each.outgoing_name, incoming: each.incoming_name }) : each.outgoing_name }}</b>
            <span><span v-if="!each.signed_ms" class="chip" :class="{ late: state(each) === 'unsigned', wait: state(each) === 'waits' }">{{ t('handover.' + state(each)) }}</span>
            <time>{{ moment(each.offered_ms) }}</time></span></a>
          <p v-if="!recent.length" class="empty">{{ t('handover.none') }}</p>
        </div>
      </section>
      <section v-if="listed" class="panel detail" :aria-label="t('handover.now')">
        <a v-if="id" class="button plain back" href="#/handover"><Icon name="back" />{{ t('back') }}</a>
        <header><h2>{{ shown.listed ? t('handover.as_of', { moment: moment(listed.at_ms) }) : t('handover.now') }}</h2>
          <p class="place">{{ t('handover.shift', { since: moment(listed.since_ms) }) }}</p></header>
        <div v-if="shown.listed" class="acts">
          <button v-if="open(shown) && signer && !mine(shown)" class="primary" @click="sign(shown)">{{ t('handover.sign') }}</button>
          <button v-if="open(shown) && signer && mine(shown)" @click="withdraw(shown)">{{ t('handover.withdraw') }}</button>
          <p v-if="shown.notes" class="notes"><b>{{ shown.outgoing_name }}</b>：{{ shown.notes }}</p></div>
        <Outgoing :listed="listed" />
      </section>
    </div>`,
};
