// Who is signed in at this terminal, and what they may.
import { reactive } from "/assets/vue.js";
import { Refusal, ask, get, onSignedOut, post } from "./api.js";
import { forget, kept, keep } from "./keeping.js";

const LAYOUTS = { "/m": "phone", "/touch": "touch", "/wall": "wall" };
const TERMINALS = { desk: "desk", phone: "phone", touch: "touch", wall: "wall" };

export const layout = LAYOUTS[location.pathname] ?? "desk";
export const session = reactive({ me: null, known: false, ended: "" });

export const can = (permission) => session.me?.permissions.includes(permission) ?? false;

// A phone without a connection goes on as who it was; every other terminal asks.
export async function begin() {
  try {
    await enter(await get("/me"));
  } catch (error) {
    if (error instanceof Refusal) session.ended = error.status === 401 ? "" : error.message;
    else if (layout === "phone") session.me = (await kept("me")) ?? null;
    else throw error;
  } finally {
    session.known = true;
  }
}

async function enter(me) {
  session.me = me;
  session.ended = "";
  if (layout === "phone") await keep("me", me);
}

export const signIn = (given) => post("/session", { ...given, terminal: TERMINALS[layout] }).then(enter);

export async function signOut() {
  await ask("DELETE", "/session");
  await forget();
  session.me = null;
}

onSignedOut((path) => {
  if (session.me && path !== "/session") {
    session.me = null;
    session.ended = "over";
  }
});
