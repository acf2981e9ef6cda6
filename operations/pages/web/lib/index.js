// The one connection of a page to its server: frames by key, kept reactive, and the server's clock.
//
// A page is never believed for longer than it is told so: `feed.beatAt` is when the last beat came, by this
// machine's wall clock, so that a screen that slept, lost its network or its server knows it by itself.
import { reactive } from "vue";

export const DEAD_AFTER_MS = 5000;
const RETRY_MS = 1000;

export const feed = reactive({ frames: {}, beatAt: 0, openedAt: Date.now(), refused: "", now: Date.now() });
const wanted = new Map(); // key -> how many components watch it
let socket = null;
let pending = null;

export function watchKey(key) {
  wanted.set(key, (wanted.get(key) ?? 0) + 1);
  reopenSoon();
}

export function unwatchKey(key) {
  const left = (wanted.get(key) ?? 1) - 1;
  if (left > 0) {
    wanted.set(key, left);
  } else {
    wanted.delete(key);
    delete feed.frames[key];
  }
}

// The server's clock: what it said last, and what went by here since.
export function serverNow() {
  const beat = feed.frames.beat;
  return beat ? beat.now_ms + (feed.now - feed.beatAt) : feed.now;
}

export function isDead() {
  return feed.now - (feed.beatAt || feed.openedAt) > DEAD_AFTER_MS;
}

// Every page hears the beat, also one that shows no frame.
export function connect() {
  reopenSoon();
}

function reopenSoon() {
  clearTimeout(pending);
  pending = setTimeout(open, 20);
}

function open() {
  const previous = socket;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = new WebSocket(`${scheme}://${location.host}/live?keys=${[...wanted.keys()].join(",")}`);
  socket = mine;
  mine.onmessage = (event) => {
    const { key, frame } = JSON.parse(event.data);
    if (key === "beat") {
      feed.beatAt = Date.now();
      feed.now = feed.beatAt;
    }
    feed.frames[key] = Object.freeze(frame);
  };
  mine.onopen = () => previous?.close();
  mine.onclose = (event) => {
    if (socket !== mine) return; // another one has taken over
    if (event.code === 1008) {
      feed.refused = event.reason;
    } else {
      pending = setTimeout(open, RETRY_MS + Math.random() * RETRY_MS);
    }
  };
}

setInterval(() => (feed.now = Date.now()), 500);

const two = (number) => String(number).padStart(2, "0");

// A moment as the district's clocks show it, whatever the screen's zone.
export function clock(ms, seconds = true) {
  const at = new Date(ms + 8 * 3600_000);
  const text = `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`;
  return seconds ? `${text}:${two(at.getUTCSeconds())}` : text;
}

const WEEKDAYS = "日一二三四五六";
export function day(ms) {
  const at = new Date(ms + 8 * 3600_000);
  return `${at.getUTCFullYear()}年${at.getUTCMonth() + 1}月${at.getUTCDate()}日 星期${WEEKDAYS[at.getUTCDay()]}`;
}

export function age(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} 秒`;
  if (s < 3600) return `${Math.floor(s / 60)} 分钟`;
  if (s < 86400) return `${Math.floor(s / 3600)} 小时 ${Math.floor((s % 3600) / 60)} 分`;
  return `${Math.floor(s / 86400)} 天 ${Math.floor((s % 86400) / 3600)} 小时`;
}

// For charts on canvas, which know no rem.
export function rem(count) {
  return count * parseFloat(getComputedStyle(document.documentElement).fontSize);
}

export function token(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// What every component that shows a frame does.
export const framed = {
  props: { source: String },
  created() {
    watchKey(this.source);
  },
  unmounted() {
    unwatchKey(this.source);
  },
  computed: {
    frame() {
      return feed.frames[this.source];
    },
  },
};
