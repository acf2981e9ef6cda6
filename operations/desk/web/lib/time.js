// Moments in words. The server's clock counts, not this machine's; the district's zone, not the screen's.
import { reactive } from "/assets/vue.js";
import { t } from "./words.js";

const ZONE_MS = 8 * 3600_000;
const KEPT = "taishi-ahead";
// ahead: the server's clock minus this one's, kept for when a phone starts without a connection.
export const clock = reactive({ tick: Date.now(), ahead: Number(localStorage.getItem(KEPT)) || 0 });

export const serverNow = () => clock.tick + clock.ahead;
export const exactNow = () => Date.now() + clock.ahead;

export function learn(serverMs) {
  clock.ahead = serverMs - Date.now();
  localStorage.setItem(KEPT, clock.ahead);
}

setInterval(() => (clock.tick = Date.now()), 1000);

const two = (number) => String(number).padStart(2, "0");

export function at(ms, { seconds = false, day = false } = {}) {
  const zoned = new Date(ms + ZONE_MS);
  const time = [zoned.getUTCHours(), zoned.getUTCMinutes(), ...(seconds ? [zoned.getUTCSeconds()] : [])];
  const date = `${two(zoned.getUTCMonth() + 1)}-${two(zoned.getUTCDate())} `;
  return `${day ? date : ""}${time.map(two).join(":")}`;
}

// With its day where it is not of today.
export function moment(ms, now = serverNow()) {
  const days = (each) => Math.floor((each + ZONE_MS) / 86_400_000);
  return at(ms, { day: days(ms) !== days(now), seconds: days(ms) === days(now) });
}

export function span(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return t("span.s", { s });
  if (s < 3600) return t("span.min", { min: Math.floor(s / 60) });
  if (s < 86400) return t("span.h", { h: Math.floor(s / 3600), min: two(Math.floor((s % 3600) / 60)) });
  return t("span.d", { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
}

export const ago = (ms) => span(serverNow() - ms);

// Counting down, to the second: `1:02:03`; past the end with a minus.
export function left(ms) {
  const s = Math.abs(Math.trunc(ms / 1000));
  const hours = Math.floor(s / 3600);
  return `${ms < 0 ? "−" : ""}${hours}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
}
