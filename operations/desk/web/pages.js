// Every page of the client. A new one is a module in `pages/`, its words in `words/`, and a line here:
//
//   path     behind the `#`; `:id?` may be left out
//   needs    a permission, any of several, or "" for everybody who is signed in
//   nav      layouts whose navigation lists it; it can be reached by its address in all of `layouts`
//   key      key of the PC desk that goes there
//   load     its component, fetched when it is first opened
//
// Its name in the navigation is the word `page.<name>`.
const ALL = ["desk", "phone", "touch"];

export const PAGES = [
  { name: "alerts", path: "/alerts/:id?", icon: "bell", key: "1", needs: ["alerts.read"], nav: ALL, load: () => import("./pages/alerts.js") },
  { name: "cases", path: "/cases/:id?", icon: "case", key: "3", needs: ["cases.read"], nav: ALL, load: () => import("./pages/cases.js") },
  { name: "report", path: "/report", icon: "report", key: "4", needs: ["cases.report"], nav: ALL, load: () => import("./pages/report.js") },
  { name: "evaluation", path: "/evaluation", icon: "chart", key: "7", needs: ["cases.read"], nav: ["desk", "touch"], layouts: ALL, load: () => import("./pages/evaluation.js") },
  { name: "hidden", path: "/hidden", icon: "hidden", key: "2", needs: ["alerts.read"], nav: ["desk", "touch"], load: () => import("./pages/hidden.js") },
  { name: "day", path: "/day", icon: "grid", needs: ["cases.check"], nav: ["phone"], layouts: ["phone"], load: () => import("./pages/day.js") },
  { name: "handover", path: "/handover/:id?", icon: "people", key: "5", needs: ["alerts.read"], nav: ["desk", "touch"], load: () => import("./pages/handover.js") },
  { name: "major", path: "/major/:id?", icon: "flag", key: "6", needs: ["cases.read"], nav: ALL, load: () => import("./pages/major.js") },
  { name: "parking", path: "/parking", icon: "car", needs: ["alerts.read"], nav: ["desk", "touch"], load: () => import("./pages/parking.js") },
  { name: "patrol", path: "/patrol", icon: "shield", needs: ["alerts.read"], nav: ["desk", "touch"], load: () => import("./pages/patrol.js") },
  { name: "care", path: "/care", icon: "heart", needs: ["care.identity"], nav: ["phone"], layouts: ["phone"], load: () => import("./pages/care.js") },
  { name: "care", path: "/care", icon: "heart", needs: ["alerts.read"], nav: ["desk", "touch"], layouts: ["desk", "touch"], load: () => import("./pages/care.js") },
  { name: "party", path: "/party", icon: "star", needs: ["cases.read"], nav: ["desk", "touch"], load: () => import("./pages/party.js") },
  { name: "wall", path: "/wall", icon: "grid", needs: ["alerts.read"], nav: ["wall"], layouts: ["wall"], load: () => import("./pages/wall.js") },
  { name: "me", path: "/me", icon: "person", needs: [], nav: ["phone"], load: () => import("./pages/me.js") },
];
