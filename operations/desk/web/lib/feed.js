// What the server tells by itself: the list of alerts, then what changes, and a beat in between.
//
// Nothing is believed for longer than it is told so: `isStale` is judged by this machine's clock alone, so a
// screen that slept, lost its network or its server knows it by itself.
import { reactive, shallowReactive } from "/assets/vue.js";
import { get, onHeard } from "./api.js";
import { keep, kept } from "./keeping.js";
import { can, layout } from "./session.js";
import { clock, learn } from "./time.js";

export const STALE_AFTER_MS = 8000; // a beat comes at least every 5 s
const RETRY_MS = 1000;
const POLL_MS = 4000;
const RANKS = { life_safety: 3, high: 2, medium: 1, low: 0 };

export const feed = reactive({ heardAt: Date.now(), keptAt: 0, listedOnce: false });
export const alerts = shallowReactive(new Map());
let source = null;
let timer = null;
const listeners = new Map(); // event -> callbacks, for pages that follow other things than alerts

export function follow(event, callback) {
  if (!listeners.has(event)) {
    listeners.set(event, new Set());
    if (source && !(event in HANDLERS)) hear(event);
  }
  listeners.get(event).add(callback);
  return () => listeners.get(event).delete(callback);
}

export const isListed = ({ state }) => state.active || state.latched;

// The alerts after these changes; a newer version replaces, what is over leaves.
export function merged(known, changed) {
  const after = new Map(known);
  for (const alert of changed) isListed(alert) ? after.set(alert.id, alert) : after.delete(alert.id);
  return after;
}

export const ordered = (all) =>
  [...all].sort(
    (one, other) =>
      RANKS[other.severity] - RANKS[one.severity] || other.onset_ms - one.onset_ms || one.id.localeCompare(other.id),
  );

// A shelving that has run out hides no longer, whether or not the server has said so yet.
export function isHidden({ state }, nowMs) {
  const shelved = state.shelved && !(state.shelved.until_ms && state.shelved.until_ms <= nowMs);
  return Boolean(shelved || state.suppressed.length || state.out_of_service.length);
}

export const isStale = (nowMs, heardAt) => nowMs - heardAt > STALE_AFTER_MS;
export const stale = () => isStale(clock.tick, feed.heardAt);

function heard() {
  feed.heardAt = Date.now();
  clock.tick = feed.heardAt;
}

function replace(after) {
  for (const id of alerts.keys()) if (!after.has(id)) alerts.delete(id);
  for (const [id, alert] of after) if (alerts.get(id) !== alert) alerts.set(id, alert);
  if (layout === "phone") keep("alerts", { at: feed.heardAt, list: [...after.values()] });
}

const HANDLERS = {
  listed: (list) => {
    replace(merged(new Map(), list));
    feed.listedOnce = true;
    feed.keptAt = 0;
  },
  changed: (list) => replace(merged(alerts, list)),
  beat: (nowMs) => learn(nowMs),
};

export function connect() {
  disconnect();
  can("cases.read") ? open() : poll();
}

export function disconnect() {
  source?.close();
  clearTimeout(timer);
  alerts.clear();
  Object.assign(feed, { heardAt: Date.now(), listedOnce: false });
}

function open() {
  source = new EventSource("/api/events");
  for (const event of new Set([...Object.keys(HANDLERS), ...listeners.keys()])) hear(event);
  // A refusal ends it for good where a lost connection does not: ask who one is, which says why.
  source.onerror = () => {
    if (source.readyState !== EventSource.CLOSED) return;
    timer = setTimeout(() => get("/me").then(open, open), RETRY_MS * (1 + Math.random()));
  };
}

function hear(event) {
  source.addEventListener(event, (told) => {
    heard();
    const body = JSON.parse(told.data);
    HANDLERS[event]?.(body);
    for (const callback of listeners.get(event) ?? []) callback(body);
  });
}

// Who reads no cases has no feed; that the server is there they learn by asking.
function poll() {
  timer = setTimeout(() => get("/me").then(poll, poll), POLL_MS);
}

// What the phone saw last, shown until the server says more, with when that was.
export async function recall() {
  const seen = await kept("alerts");
  if (!seen || feed.listedOnce) return;
  replace(merged(new Map(), seen.list));
  feed.keptAt = feed.heardAt = seen.at;
}

onHeard(heard);
