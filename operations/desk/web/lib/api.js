// Questions to the desk's API, of this page's own server, with the session's cookie.
import { t } from "./words.js";

const LIMIT_MS = 10_000;

// The server answered, and it was no.
export class Refusal extends Error {
  constructor(status, detail, retryAfterS) {
    super(detail);
    Object.assign(this, { status, retryAfterS });
  }
}

// Nobody answered: no network, no server, or too late.
export class Unreachable extends Error {}

const heard = new Set();
const signedOut = new Set();
export const onHeard = (callback) => heard.add(callback);
export const onSignedOut = (callback) => signedOut.add(callback);

// `body`: what is sent as JSON, or a file as it is.
export async function ask(method, path, body) {
  const file = body instanceof Blob;
  let answer;
  try {
    answer = await fetch(`/api${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": file ? body.type : "application/json" },
      body: body === undefined || file ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(LIMIT_MS),
    });
  } catch {
    throw new Unreachable(t("unreachable")); // no network, no server, or too late: a browser does not say which
  }
  for (const each of heard) each();
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  const detail = words(await answer.json().catch(() => null), answer.status);
  if (answer.status === 401) for (const each of signedOut) each(path);
  throw new Refusal(answer.status, detail, Number(answer.headers.get("Retry-After")) || 0);
}

// Of a refusal, or of what FastAPI says of a request it cannot read.
function words(told, status) {
  const detail = told?.detail;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) return detail.map((each) => `${each.loc?.slice(1).join(".")}: ${each.msg}`).join("; ");
  return detail?.message ?? `HTTP ${status}`;
}

export const get = (path) => ask("GET", path);
export const post = (path, body = {}) => ask("POST", path, body);
