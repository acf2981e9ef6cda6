// At a touch screen: who are you? A reader types the badge and Enter; without one, name and PIN by fingers.
import { Refusal } from "../lib/api.js";
import { session, signInAtScreen } from "../lib/session.js";

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0", "⌫"];
const PAUSE_MS = 2000; // what was read before is another badge

export default {
  emits: ["done"],
  data: () => ({ id: "", pin: "", problem: "", session, digits: DIGITS }),
  created() {
    [this.read, this.last] = ["", 0];
    window.addEventListener("keydown", this.key);
  },
  unmounted() {
    window.removeEventListener("keydown", this.key);
  },
  methods: {
    key(event) {
      if (event.target.matches("input")) return;
      if (event.timeStamp - this.last > PAUSE_MS) this.read = "";
      this.last = event.timeStamp;
      if (event.key === "Enter" && this.read) this.enter({ secret: this.read });
      else if (event.key.length === 1) this.read += event.key;
    },
    press(digit) {
      this.pin = digit === "⌫" ? this.pin.slice(0, -1) : this.pin + digit;
    },
    async enter(given) {
      try {
        await signInAtScreen(given);
        this.$emit("done");
      } catch (error) {
        this.problem = error instanceof Refusal ? error.message : this.t("unreachable");
      }
      [this.pin, this.read] = ["", ""];
    },
  },
  template: `
    <form class="badge" @submit.prevent="enter({ id, secret: pin })">
      <h2>{{ t('screen.who') }}</h2><p class="quiet">{{ t('screen.hint') }}</p>
      <label class="field"><span>{{ t('sign.id') }}</span><input v-model.trim="id" name="badge-id" autocomplete="off" autocapitalize="none" required /></label>
      <p class="pin" aria-live="polite" :aria-label="'PIN ' + pin.length">{{ '●'.repeat(pin.length) || 'PIN' }}</p>
      <div class="pad"><template v-for="digit in digits" :key="digit"><button v-if="digit" type="button" @click="press(digit)">{{ digit }}</button><i v-else></i></template></div>
      <p v-if="problem" class="problem" role="alert">{{ problem }}</p>
      <div class="buttons"><button type="button" @click="$emit('done')">{{ t('cancel') }}</button><button class="primary" :disabled="!pin">{{ t('sign.in') }}</button></div>
    </form>`,
};
