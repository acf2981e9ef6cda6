// Who is signed in at this terminal, and what they may.
import { reactive, watch } from "/assets/vue.js";
import { Refusal, ask, get, onSignedOut, post } from "./api.js";
import { forget, kept, keep } from "./keeping.js";

const LAYOUTS = { "/m": "phone", "/touch": "touch", "/wall": "wall" };
const SCREENS = ["touch", "wall"];

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

// A wall and a touch screen sign in for themselves, once; who acts at a touch screen says who they are by badge.
const terminal = SCREENS.includes(layout) ? "wall" : layout;
export const signIn = (given) => post("/session", { ...given, terminal }).then(enter);
export const signInAtScreen = (given) => post("/session/screen", given).then(enter);
export const isScreen = () => session.me?.terminal === "wall";

export async function signOut() {
  await ask("DELETE", "/session");
  await forget();
  session.me = null;
  if (SCREENS.includes(layout)) await begin(); // the screen itself goes on
}

// At a touch screen who is not there any more is signed out.
export function leaveWhenIdle(afterMs) {
  let timer = null;
  const restart = () => {
    clearTimeout(timer);
    if (session.me && !isScreen()) timer = setTimeout(signOut, afterMs);
  };
  for (const event of ["pointerdown", "keydown"]) window.addEventListener(event, restart);
  watch(() => session.me, restart);
}

onSignedOut((path) => {
  if (session.me && path !== "/session") {
    session.me = null;
    session.ended = "over";
  }
});
