// Our own line icons, 24 × 24.
const PATHS = {
  bell: "M6 16V11a6 6 0 0 1 12 0v5l2 2H4zM10 21h4",
  hidden: "M4 4l16 16M9.5 5.6A10 10 0 0 1 21 12a12 12 0 0 1-2.2 3M6 7.2A12 12 0 0 0 3 12a9.6 9.6 0 0 0 12 5.6",
  case: "M4 7h16v12H4zM9 7V4h6v3M4 12h16",
  report: "M12 4v16M4 12h16",
  chart: "M4 20V4M4 20h16M8 16v-5M12 16V8M16 16v-7",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0",
  back: "M15 5l-7 7 7 7",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM16 16l5 5",
  keys: "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
  leave: "M14 4H5v16h9M10 12h11M17 8l4 4-4 4",
  check: "M4 12l5 5L20 6",
  flag: "M5 21V4h13l-3 4 3 4H5",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2 20a7 7 0 0 1 14 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 13a7 7 0 0 1 4 7",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  car: "M4 16v-4l2-6h12l2 6v4zM4 12h16M7 19v-3M17 19v-3",
  heart: "M12 20S4 15 4 9a4 4 0 0 1 8-1 4 4 0 0 1 8 1c0 6-8 11-8 11z",
  shield: "M12 3l8 3v6c0 5-8 9-8 9s-8-4-8-9V6z",
  star: "M12 4l2.5 5 5.5.8-4 3.9.9 5.5L12 16.6l-4.9 2.6.9-5.5-4-3.9 5.5-.8z",
};

export default {
  props: { name: { type: String, required: true } },
  computed: {
    path() {
      if (!PATHS[this.name]) throw new Error(`icon: received ${this.name}, allowed: ${Object.keys(PATHS)}`);
      return PATHS[this.name];
    },
  },
  template: `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path :d="path" /></svg>`,
};
