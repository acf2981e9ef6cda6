// Signing in by name, password and one-time code.
import { Refusal } from "../lib/api.js";
import { waiting } from "../lib/queue.js";
import { layout, session, signIn } from "../lib/session.js";
import { language, speak } from "../lib/words.js";

export default {
  data: () => ({ id: "", password: "", code: "", problem: "", busy: false, layout, session, language }),
  computed: { waiting: () => waiting().length },
  methods: {
    async enter() {
      [this.busy, this.problem] = [true, ""];
      try {
        await signIn({ id: this.id.trim(), password: this.password, code: this.code });
      } catch (error) {
        this.problem = error instanceof Refusal ? error.message : this.t("unreachable");
        this.code = "";
        this.$refs.code.focus();
      } finally {
        this.busy = false;
      }
    },
    other: () => speak(language.now === "zh" ? "en" : "zh"),
  },
  template: `
    <main class="entrance">
      <form @submit.prevent="enter" class="panel">
        <img src="/assets/icons/icon.svg" alt="" width="56" height="56" />
        <h1>{{ t('app.name') }} <small>{{ t('app.' + layout) }}</small></h1>
        <p v-if="layout === 'touch' || layout === 'wall'" class="note">{{ t('screen.account') }}</p>
        <p v-if="session.ended" class="note">{{ session.ended === 'over' ? t('sign.over') : session.ended }}</p>
        <p v-if="waiting" class="note">{{ t('sign.waits', { n: waiting }) }}</p>
        <label class="field"><span>{{ t('sign.id') }}</span>
          <input v-model="id" name="id" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus /></label>
        <label class="field"><span>{{ t('sign.password') }}</span>
          <input v-model="password" name="password" type="password" autocomplete="current-password" required /></label>
        <label class="field"><span>{{ t('sign.code') }}</span>
          <input v-model.trim="code" ref="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9]{6}" maxlength="6" required />
          <small>{{ t('sign.code.hint') }}</small></label>
        <p v-if="problem" class="problem" role="alert">{{ problem }}</p>
        <button class="primary big" :disabled="busy">{{ t('sign.in') }}</button>
        <button type="button" class="plain" @click="other">{{ t('language') }}</button>
      </form>
    </main>`,
};
