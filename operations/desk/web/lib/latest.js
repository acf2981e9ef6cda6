// Answers come in any order: of the questions a page asks again and again, only the last one's is shown.
const asked = new WeakMap();

// To be called when a page asks; what it returns says, when the answer is there, whether the page has not asked since.
export function asking(page) {
  const mine = (asked.get(page) ?? 0) + 1;
  asked.set(page, mine);
  return () => asked.get(page) === mine;
}
