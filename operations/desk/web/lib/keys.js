// Keys of the PC desk. Each page says which it takes; nothing is taken while somebody writes.
import { onUnmounted, shallowReactive } from "/assets/vue.js";

export const keys = shallowReactive(new Map()); // key -> { words, act }, the last that took it counts
const WRITING = "input, textarea, select, [contenteditable]";

window.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches(WRITING)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (document.querySelector("dialog[open]")) return;
  const taken = keys.get(event.key);
  if (taken) {
    event.preventDefault();
    taken.act();
  }
});

// `taking({ j: ["keys.next", next] })`, given back when the component goes.
export function taking(map) {
  const mine = Object.entries(map).map(([key, [words, act]]) => [key, { words, act }]);
  for (const [key, each] of mine) keys.set(key, each);
  onUnmounted(() => {
    for (const [key, each] of mine) if (keys.get(key) === each) keys.delete(key);
  });
}
