// Where one is: the address behind `#`, which needs no server.
import { reactive } from "/assets/vue.js";

export const route = reactive({ path: "/", params: {}, page: null });

// `/alerts/:id?` as an expression; what has a `?` may be left out.
const pattern = (path) =>
  new RegExp(`^${path.replace(/\/:(\w+)\?/g, "(?:/(?<$1>[^/]*))?").replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`);

export function match(pages, path) {
  for (const page of pages) {
    const found = pattern(page.path).exec(path);
    if (!found) continue;
    const given = Object.entries(found.groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value ?? "")]);
    return { page, params: Object.fromEntries(given) };
  }
  return null;
}

export const go = (path) => (location.hash = path);
export const replaceWith = (path) => location.replace(`#${path}`);

export function routing(pages, home) {
  const read = () => {
    const path = location.hash.slice(1) || home();
    const found = match(pages(), path) ?? match(pages(), home());
    Object.assign(route, { path, page: found?.page ?? null, params: found?.params ?? {} });
  };
  window.addEventListener("hashchange", read);
  read();
  return { read, stop: () => window.removeEventListener("hashchange", read) };
}
