// What people and the condition made of an alert, in chips: each part of the state is its own.
import { isListed } from "../lib/feed.js";
import { left, moment, serverNow } from "../lib/time.js";

export default {
  props: { alert: { type: Object, required: true } },
  computed: {
    chips() {
      const { state, active, chattering } = this.alert;
      const chips = [];
      if (state.acknowledged) chips.push(["done", this.t("state.acknowledged_by", this.first(state.acknowledged))]);
      else if (isListed(this.alert)) chips.push(["new", this.t("state.new")]);
      else chips.push(["plain", this.t("state.cleared")]);
      if (state.assigned) chips.push(["plain", `→ ${state.assigned.person}`]);
      if (state.concluded) chips.push(["plain", this.t(`outcome.${state.concluded.outcome}`)]);
      if (state.latched && !active) chips.push(["plain", this.t("state.latched")]);
      if (chattering) chips.push(["plain", this.t("state.chattering")]);
      if (state.shelved) chips.push(["quiet", `${this.t("state.shelved")} ${this.until(state.shelved)}`]);
      if (state.suppressed.length) chips.push(["quiet", this.t("state.suppressed")]);
      if (state.out_of_service.length) chips.push(["quiet", this.t("state.out_of_service")]);
      return chips;
    },
  },
  methods: {
    first: (action) => ({ who: action.by, at: moment(action.at_ms) }),
    until: ({ until_ms }) => (until_ms ? left(until_ms - serverNow()) : ""),
  },
  template: `<span class="chips"><span v-for="[kind, text] in chips" class="chip" :class="kind">{{ text }}</span></span>`,
};
