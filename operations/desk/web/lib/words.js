// The client's words: 简体中文 first, English second. What the server says comes in both, `中文 English`.
import { reactive } from "/assets/vue.js";
import alerts from "../words/alerts.js";
import cases from "../words/cases.js";
import common from "../words/common.js";
import major from "../words/major.js";
import scenarios from "../words/scenarios.js";
import shifts from "../words/shifts.js";

const WORDS = { ...common, ...alerts, ...cases, ...shifts, ...major, ...scenarios };
const KEPT = "taishi-language";
const TAGS = { zh: "zh-CN", en: "en" };
const CHINESE = /[\u2e80-\u9fff\uff00-\uffef]/g;

export const language = reactive({ now: localStorage.getItem(KEPT) === "en" ? "en" : "zh" });

export function speak(which) {
  language.now = which;
  localStorage.setItem(KEPT, which);
  document.documentElement.lang = TAGS[which];
}

// The words of a key, `{name}` filled in; a key that is not there is a mistake of ours and says so.
export function t(key, values = {}) {
  const pair = WORDS[key];
  if (!pair) throw new Error(`words: received ${key}, allowed: a key of words/*.js`);
  const text = pair[language.now === "zh" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

export const has = (key) => key in WORDS;

// Of `中文 English`, or of sentences of both, the part of this language; all of a text that is of one only.
export function spoken(text, which = language.now) {
  const sentences = text.split(/(?<=[。.]) +/);
  const wanted = sentences.filter((each) => (each.search(CHINESE) === 0) === (which === "zh"));
  if (sentences.length > 1) return wanted.join(" ") || text;
  const ends = [...text.matchAll(CHINESE)].map((found) => found.index + 1);
  const cut = ends.length ? ends[ends.length - 1] : 0;
  const part = which === "zh" ? text.slice(0, cut) : text.slice(cut);
  return part.replace(/^[\s:：。,，-]+/, "").trim() || text;
}
