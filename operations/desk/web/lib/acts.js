// What a person may do with an alert here and now, as data; and doing it.
import { Refusal, get, post } from "./api.js";
import { request } from "./dialog.js";
import { submit } from "./queue.js";
import { can, layout } from "./session.js";
import { serverNow } from "./time.js";
import { complain, say } from "./toasts.js";
import { t } from "./words.js";

const HOUR_MS = 3600_000;
const LONGEST_H = 8;
const WHY = { name: "why", label: "act.why", kind: "long", required: true };
const HOURS = { name: "hours", label: "act.hours", kind: "choice", value: "1", options: ["1", "2", "4", "8"] };
const second = (alert) =>
  alert.severity === "life_safety"
    ? [
        { name: "second_id", label: "act.second", kind: "text", required: true, hint: "act.second.hint" },
        { name: "second_code", label: "sign.code", kind: "code", required: true },
      ]
    : [];
// What an alert was in the end, as the server takes it.
export const outcomes = () => ["real", "nuisance", "device_fault", "test", "cannot_tell"].map((value) => ({ value, label: t(`outcome.${value}`) }));
const people = () => get("/colleagues").then(({ people: known }) => known.map(({ name }) => name), () => []);
const until = (hours) => serverNow() + Number(hours) * HOUR_MS - 1000; // the longest is the server's to the second
const hiding = (given, hours) => ({
  why: given.why,
  until_ms: Math.round(until(hours)),
  ...(given.second_id ? { second: { id: given.second_id, code: given.second_code } } : {}),
});
const ofDevice = (kind) => (alert, given) => ["/hidings", { kind, device: alert.device, why: given.why ?? "" }];
const onAlert = (verb, body = (given) => given) => (alert, given) => [`/alerts/${alert.id}/${verb}`, body(given)];

// verb -> what it needs, when it is offered, what is asked before, and where it is sent. `waits`: may be queued.
export const ACTS = {
  acknowledge: {
    needs: "alerts.answer",
    offered: ({ state }) => !state.acknowledged,
    send: onAlert("acknowledge"),
    waits: true,
    primary: true,
  },
  assign: {
    needs: "alerts.answer",
    offered: () => true,
    fields: async () => [{ name: "person", label: "act.person", kind: "text", required: true, options: await people() }],
    send: onAlert("assign"),
  },
  conclude: {
    needs: "alerts.answer",
    offered: () => true,
    fields: () => [{ name: "outcome", label: "act.outcome", kind: "choice", required: true, options: outcomes() }],
    send: onAlert("conclude"),
  },
  reset: { needs: "alerts.answer", offered: ({ state }) => state.latched && !state.active, send: onAlert("reset"), primary: true },
  comment: { needs: "alerts.answer", offered: () => true, fields: () => [WHY], send: onAlert("comment"), waits: true },
  shelve: {
    needs: "alerts.shelve",
    offered: ({ state }) => !state.shelved,
    fields: (alert) => [HOURS, WHY, ...second(alert)],
    send: onAlert("shelve", (given) => hiding(given, given.hours)),
  },
  shelve_once: {
    needs: "alerts.shelve",
    offered: ({ state }) => !state.shelved && state.active,
    fields: (alert) => [WHY, ...second(alert)],
    send: onAlert("shelve_once", (given) => hiding(given, LONGEST_H)),
  },
  unshelve: { needs: "alerts.shelve", offered: ({ state }) => Boolean(state.shelved), send: onAlert("unshelve") },
  suppress: {
    needs: "alerts.suppress",
    offered: ({ state }) => !state.suppressed.length,
    fields: (alert) => [WHY, ...second(alert)],
    send: onAlert("suppress", ({ why, second_id, second_code }) => ({
      why,
      ...(second_id ? { second: { id: second_id, code: second_code } } : {}),
    })),
  },
  unsuppress: {
    needs: "alerts.suppress",
    offered: ({ id, state }) => state.suppressed.some((each) => each.alert === id),
    send: onAlert("unsuppress"),
  },
  out_of_service: {
    needs: "alerts.suppress",
    offered: ({ device, state }) => Boolean(device) && !state.out_of_service.length,
    fields: () => [WHY],
    send: ofDevice("out_of_service"),
  },
  in_service: {
    needs: "alerts.suppress",
    offered: ({ device, state }) => state.out_of_service.some((each) => each.device === device && device),
    send: ofDevice("in_service"),
  },
};

export const offered = (alert) =>
  Object.entries(ACTS)
    .filter(([, act]) => can(act.needs) && act.offered(alert))
    .map(([verb, act]) => ({ verb, primary: act.primary ?? false }));

// Ask what must be asked, do it, and say what became of it. A phone writes down what can wait.
export async function perform(verb, alert) {
  const act = ACTS[verb];
  const fields = (await act.fields?.(alert)) ?? [];
  const given = fields.length ? await request({ title: t(`act.${verb}`), about: alert.title, fields, confirm: t(`act.${verb}`) }) : {};
  if (given === null) return;
  const [path, body] = act.send(alert, given);
  if (layout === "phone" && act.waits) return told(verb, await submit({ verb, title: alert.title }, path, body));
  try {
    await post(path, body);
    say(t(`act.${verb}.done`));
  } catch (error) {
    if (!(error instanceof Refusal)) return say(t("unreachable"), "bad");
    complain(error);
  }
}

function told(verb, item) {
  if (item.state === "done") say(t(`act.${verb}.done`));
  else if (item.state === "refused") say(item.detail, "bad");
  else say(t("queue.waits"), "wait");
}
