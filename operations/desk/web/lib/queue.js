// What a person does on a phone: written down first, sent then, and sent again until the server has answered.
//
// Dying between any two lines: what was said is on the phone's disk before anything else happens, and leaves it
// after the answer only; sent twice it counts once, by its id. It is sent in the order in which it was said, by
// one tab at a time, and only in the name of who said it.
import { reactive } from "/assets/vue.js";
import { Refusal, Unreachable, ask, onHeard } from "./api.js";
import { outbox } from "./keeping.js";
import { session } from "./session.js";
import { exactNow } from "./time.js";

const AGAIN_MS = 4000;
export const queue = reactive({ items: [] });

export const waiting = () => queue.items.filter((item) => item.state === "waiting");

// What becomes of an item: `done`; `refused`, which is final; `wait` for a connection, a sign-in or a server.
export function outcome(error) {
  if (!error) return "done";
  const final = error instanceof Refusal && error.status >= 400 && error.status < 500;
  return final && ![401, 408, 429].includes(error.status) ? "refused" : "wait";
}

export const inOrder = (items, who) =>
  items.filter((item) => item.state === "waiting" && item.who === who).sort((one, other) => one.saidMs - other.saidMs);

// Resolves with the item as it stands after one try to send it. `named`: what the API calls its identity.
// `dated`: the API takes when it was said.
export function submit(words, path, body, named = "id", dated = true) {
  const id = crypto.randomUUID();
  const saidMs = Math.round(exactNow());
  return put(id, words, path, { ...body, [named]: id, ...(dated ? { said_ms: saidMs } : {}) }, saidMs);
}

// A file, which the server knows by what it is: sent twice it is there once.
export const submitFile = (words, path, file) => put(crypto.randomUUID(), words, path, file, Math.round(exactNow()));

// Of what Vue watches a database takes no copy.
const plain = (item) => ({ ...item, body: item.body instanceof Blob ? item.body : JSON.parse(JSON.stringify(item.body)), words: { ...item.words } });

async function put(id, words, path, body, saidMs) {
  const item = { id, words, path, body, saidMs, who: session.me.id, state: "waiting", detail: "" };
  await outbox.put(plain(item));
  queue.items.push(item);
  await flush();
  return queue.items.find((each) => each.id === id) ?? { ...item, state: "done" };
}

export const flush = () => navigator.locks.request("taishi-outbox", sendAll);

async function sendAll() {
  await load();
  for (const item of inOrder(queue.items, session.me?.id)) {
    const became = outcome(await sent(item));
    if (became === "wait") return;
    await settle(item, became);
  }
}

async function sent(item) {
  try {
    await ask("POST", item.path, item.body);
    return null;
  } catch (error) {
    if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
    item.detail = error.message;
    return error;
  }
}

async function settle(item, became) {
  if (became === "done") return dismiss(item.id);
  item.state = became;
  await outbox.put(plain(item));
}

export async function dismiss(id) {
  await outbox.drop(id);
  queue.items = queue.items.filter((each) => each.id !== id);
}

// What another tab wrote, or this one before it was restarted.
async function load() {
  queue.items = await outbox.all();
}

export function beginQueue() {
  const again = () => session.me && waiting().length && flush();
  window.addEventListener("online", again);
  let last = 0;
  onHeard(() => {
    if (Date.now() - last < AGAIN_MS) return;
    last = Date.now();
    again();
  });
  setInterval(again, AGAIN_MS);
  return flush();
}
