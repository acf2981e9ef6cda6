// Names and outlines of the district's places.
import { reactive } from "/assets/vue.js";
import { get } from "./api.js";
import { keep, kept } from "./keeping.js";
import { layout } from "./session.js";

export const places = reactive({ names: {}, district: "" });
const outlines = new Map(); // level -> promise of its features

export async function learnPlaces() {
  let list = [];
  try {
    list = await get("/places");
    if (layout === "phone") await keep("places", list);
  } catch (error) {
    list = (layout === "phone" && (await kept("places"))) || [];
    if (!list.length) throw error;
  }
  places.names = Object.fromEntries(list.map(({ code, name }) => [code, name]));
  places.district = list.find(({ level }) => level === "district")?.code ?? "";
}

export const name = (code) => places.names[code] ?? code;

// `香港中路街道 · 新贵都社区基础网格02`; the code where it is no place of ours.
export function where(code) {
  const street = code.length > 9 ? places.names[code.slice(0, 9)] : null;
  return street ? `${street} · ${name(code)}` : name(code);
}

export function features(level) {
  if (!outlines.has(level)) {
    const asked = get(`/map/${level}`).then((collection) => collection.features.filter((each) => each.geometry));
    asked.catch(() => outlines.delete(level)); // another try may find it
    outlines.set(level, asked);
  }
  return outlines.get(level);
}
