// The keys that count on this page.
import { keys, taking } from "../lib/keys.js";
import { layout } from "../lib/session.js";

export default {
  setup: () => ({ keys }),
  created() {
    if (layout === "desk") taking({ "?": ["keys.help", () => this.open()] });
  },
  methods: {
    open() {
      this.$refs.box.showModal();
    },
  },
  template: `
    <dialog ref="box" class="ask help" aria-labelledby="help-title">
      <h2 id="help-title">{{ t('keys.help') }}</h2>
      <dl><template v-for="[key, each] in keys" :key="key"><dt><kbd>{{ key }}</kbd></dt><dd>{{ t(each.words) }}</dd></template></dl>
      <form method="dialog" class="buttons"><button class="primary">{{ t('close') }}</button></form>
    </dialog>`,
};
