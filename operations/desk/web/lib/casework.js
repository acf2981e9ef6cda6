// What a person may do with a case: the server's word (`allowed`), asked for here and sent.
import { outcomes } from "./acts.js";
import { Refusal, get, post } from "./api.js";
import { request } from "./dialog.js";
import { submit, submitFile } from "./queue.js";
import { layout } from "./session.js";
import { complain, say } from "./toasts.js";
import { language, t } from "./words.js";

const LATER = new Set(["claim"]); // whether one is the first only the server knows: it does not wait in a queue
const pair = (value, word) => ({ value, label: t(word) });

// need of a move -> the fields of the dialog that meet it
const FIELDS = {
  why: () => [{ name: "why", label: "act.why", kind: "long", required: true }],
  standard: (_, { standards }) => [{ name: "standard", label: "case.standard", kind: "select", required: true, options: standards }],
  department: (_, { departments }) => [{ name: "department", label: "case.department", kind: "text", required: true, options: departments }],
  person: (_, { people }) => [{ name: "person", label: "case.person", kind: "text", required: true, options: people }],
  evidence: () => [{ name: "photo", label: "case.photo", kind: "photo", required: true, hint: "case.photo.hint" }],
  until: () => [{ name: "until", label: "case.until", kind: "date", required: true }],
  criteria: ({ standard }) =>
    standard?.closing.length ? [{ name: "criteria", label: "case.criteria", kind: "many", options: standard.closing }] : [],
  outcome: ({ alerts }) =>
    alerts?.length ? [{ name: "outcome", label: "act.outcome", kind: "choice", required: true, options: outcomes() }] : [],
  result: () => [{ name: "result", label: "case.result", kind: "choice", required: true, options: [pair("passed", "case.passed"), pair("failed", "case.failed")] }],
  satisfied: () => [{ name: "satisfied", label: "case.satisfied", kind: "choice", required: true, options: [pair("yes", "case.yes"), pair("no", "case.no")] }],
};

export const titled = (move) => (language.now === "zh" ? move.label : move.label_en);

// What the dialog gave, as the API takes it.
export function bodyOf(given) {
  const { photo, until, satisfied, ...rest } = given;
  return {
    ...rest,
    ...(photo ? { evidence: [photo] } : {}),
    ...(until ? { until_ms: Date.parse(`${until}T18:00:00+08:00`) } : {}),
    ...(satisfied ? { satisfied: satisfied === "yes" } : {}),
  };
}

// What the server will call a photo: the hash of its bytes, so that a case can name it before it is sent.
async function referenceOf(file) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await file.arrayBuffer()));
  const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { what: "照片 photo", reference: `photo:${hex}` };
}

// Whom and what one may name; without a connection one writes it.
async function knownFor(needs, { category }) {
  const named = needs.some((need) => need === "department" || need === "person");
  const [colleagues, found] = await Promise.all([
    named ? get("/colleagues").catch(() => null) : null,
    needs.includes("standard") ? get(`/standards?category=${encodeURIComponent(category)}`).catch(() => null) : null,
  ]);
  return {
    departments: colleagues?.departments ?? [],
    people: (colleagues?.people ?? []).map(({ name }) => name),
    standards: (found?.standards ?? []).map(({ code, name }) => ({ value: code, label: `${code} ${name}` })),
  };
}

// Sent before what names it; a phone writes both down.
export async function sendPhoto(file, title) {
  await submitFile({ label: t("case.photo"), title }, "/photos", file);
  return referenceOf(file);
}

// True when the server has taken it.
export async function move(whole, allowed) {
  const { case: subject } = whole;
  const known = await knownFor(allowed.needs, subject);
  const fields = allowed.needs.flatMap((need) => FIELDS[need]?.(subject, known) ?? []);
  const confirm = titled(allowed);
  const given = fields.length ? await request({ title: confirm, about: subject.title, fields, confirm }) : {};
  if (given === null) return false;
  const path = `/cases/${subject.id}/${allowed.verb}`;
  const photo = given.photo && (await sendPhoto(given.photo, subject.title));
  const body = bodyOf({ ...given, photo });
  if (layout === "phone" && !LATER.has(allowed.verb)) {
    return told(confirm, await submit({ label: confirm, title: subject.title }, path, body, "id", false));
  }
  return done(confirm, () => post(path, { ...body, version: subject.version }));
}

export async function openFor(alert) {
  let opened = null;
  await done(t("case.opened"), async () => (opened = await post(`/alerts/${alert.id}/case`)));
  return opened?.case.case.id ?? "";
}

async function done(words, work) {
  try {
    await work();
    say(words);
    return true;
  } catch (error) {
    if (error instanceof Refusal) complain(error);
    else say(t("unreachable"), "bad");
    return false;
  }
}

export function told(words, item) {
  if (item.state === "done") say(words);
  else if (item.state === "refused") say(item.detail, "bad");
  else say(t("queue.waits"), "wait");
  return item.state === "done";
}
