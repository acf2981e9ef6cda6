// What happened, said for a few seconds where everybody looks, and read out.
import { reactive } from "/assets/vue.js";

const STAY_MS = 6000;
let number = 0;
export const toasts = reactive([]);

export function say(text, kind = "good") {
  const toast = { id: ++number, text, kind };
  toasts.push(toast);
  setTimeout(() => toasts.shift(), STAY_MS); // the oldest: all stay equally long
}

export const complain = (error) => say(error.message, "bad");
