// One dialog for all: `given = await request({ title, fields, confirm })`, null when it was closed.
//
// A field is { name, label, kind, options, required, value, hint }; kinds: text, long, choice, select, code, many, number,
// date, file and photo (a File, "" if none was chosen).
import { reactive } from "/assets/vue.js";

export const dialog = reactive({ asked: null });
let answer = null;

export function request(asked) {
  dialog.asked = asked;
  return new Promise((resolve) => (answer = resolve));
}

export function settleDialog(values) {
  dialog.asked = null;
  answer?.(values);
  answer = null;
}
