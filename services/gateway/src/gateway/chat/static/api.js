// Requests to the API: the token kept fresh, a retry where the network failed, refusals as errors with their code.

// Stored is what a page that is opened again needs: tokens and ids. Names and addresses live in memory only.
const KEY = "sampan.session";
let session = read();
let myName = "";
let refreshing = null;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }
}

export const me = () => session && { user_id: session.user_id };

export async function name() {
  myName ||= (await call("GET", "/v1/users/me")).name;
  return myName;
}

export async function signIn(email, password) {
  begin(await plain("POST", "/v1/sessions", { method: "password", email, password, device_name: device() }));
}

export async function signUp(name, email, password, country) {
  begin(await plain("POST", "/v1/users", { name, email, password, country, device_name: device() }));
}

// Here everything is gone at once, whatever the network does; the server is told with what was held.
export async function signOut() {
  const left = session;
  forget();
  for (let attempt = 1; left; attempt++) {
    try {
      const fresh = left.until - Date.now() > 5_000;
      const bearer = fresh ? left.access_token : (await plain("POST", "/v1/sessions/refresh", { refresh_token: left.refresh_token })).access_token;
      return void (await plain("DELETE", `/v1/sessions/${left.session_id}`, undefined, bearer));
    } catch (error) {
      if (error instanceof Refused || attempt >= 3) return;
      await pause(1000 * attempt);
    }
  }
}

// The server did not take the token: whether the session still lives, only a new one tells.
export function doubt() {
  if (session) session.until = 0;
}

// A token with at least half a minute to live.
export async function token() {
  if (session && session.until - Date.now() < 30_000) await refresh();
  if (!session) throw new Refused(401, { code: "auth.session.none", title: "Sign in first" });
  return session.access_token;
}

// One request as the person signed in. Repeated when the connection failed: every write here carries its own id.
export async function call(method, path, body, { tries = 3 } = {}) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await plain(method, path, body, await token());
    } catch (error) {
      if (error instanceof Refused && error.status === 401 && attempt === 1 && session) {
        await refresh();
      } else if (error instanceof Refused ? error.status !== 503 : attempt >= tries) {
        throw error;
      } else if (attempt >= tries) {
        throw error;
      } else {
        await pause(300 * 2 ** attempt * Math.random());
      }
    }
  }
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function plain(method, path, body, bearer) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID();
  // Nothing of it is left in the browser's cache, where the next person's requests would find it.
  const answer = await fetch(path, { method, headers, cache: "no-store", keepalive: method === "DELETE", body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  let document = null;
  try {
    document = text ? JSON.parse(text) : null;
  } catch {
    document = { title: "The answer could not be read" };
  }
  if (!answer.ok) throw new Refused(answer.status, document ?? {});
  return document;
}

// One refresh at a time, over all tabs: a refresh token is good for one use.
async function refresh() {
  refreshing ??= navigator.locks.request(KEY, renew).finally(() => (refreshing = null));
  return refreshing;
}

async function renew() {
  const stored = read();
  if (stored && session && stored.user_id === session.user_id && stored.access_token !== session.access_token) {
    session = stored; // another tab was first
    return;
  }
  const before = session;
  try {
    const answer = await plain("POST", "/v1/sessions/refresh", { refresh_token: before?.refresh_token ?? "" });
    if (session === before && before) keep({ ...answer, user: { user_id: before.user_id }, session_id: answer.session_id ?? before.session_id });
  } catch (error) {
    if (error instanceof Refused && error.status < 500 && error.status !== 429 && session === before) forget();
    throw error;
  }
}

function begin(answer) {
  myName = answer.user.name;
  keep(answer);
}

function keep(answer) {
  session = {
    user_id: answer.user.user_id,
    session_id: answer.session_id,
    access_token: answer.access_token,
    refresh_token: answer.refresh_token,
    until: Date.now() + answer.expires_in_s * 1000,
  };
  localStorage.setItem(KEY, JSON.stringify(session));
}

// Nobody is signed in here any more, and no other tab may go on either: they hear it from the storage.
function forget() {
  session = null;
  myName = "";
  localStorage.removeItem(KEY);
  dispatchEvent(new Event("signed-out"));
}

function read() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "null");
    if (found?.user_id && found.refresh_token) return found;
  } catch {
    // Not ours, or half written: nobody is signed in.
  }
  localStorage.removeItem(KEY);
  return null;
}

// Another tab signed out, or in as somebody else; or this page comes back from the browser's own memory.
function follow() {
  const stored = read();
  const same = stored?.user_id === session?.user_id;
  session = stored;
  if (same) return;
  myName = "";
  dispatchEvent(new Event("signed-out"));
  if (session) dispatchEvent(new Event("signed-in"));
}

addEventListener("storage", (event) => (event.key === KEY || event.key === null) && follow());
addEventListener("pageshow", (event) => event.persisted && follow());

function device() {
  return `Web client, ${navigator.platform || "browser"}`.slice(0, 100);
}
