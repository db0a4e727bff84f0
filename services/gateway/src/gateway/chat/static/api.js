// Requests to the API: the token kept fresh, a retry where the network failed, refusals as errors with their code.

const KEY = "sampan.session";
let session = JSON.parse(localStorage.getItem(KEY) ?? "null");
let refreshing = null;

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }
}

export const me = () => session?.user ?? null;

export async function signIn(email, password) {
  keep(await plain("POST", "/v1/sessions", { method: "password", email, password, device_name: device() }));
}

export async function signUp(name, email, password, country) {
  keep(await plain("POST", "/v1/users", { name, email, password, country, device_name: device() }));
}

export async function signOut() {
  const id = session?.session_id;
  try {
    if (id) await call("DELETE", `/v1/sessions/${id}`);
  } finally {
    keep(null);
  }
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
      if (error instanceof Refused && error.status === 401 && attempt === 1) {
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
  const answer = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
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

// One refresh at a time: a refresh token is good for one use.
async function refresh() {
  refreshing ??= renew().finally(() => (refreshing = null));
  return refreshing;
}

async function renew() {
  try {
    keep(await plain("POST", "/v1/sessions/refresh", { refresh_token: session?.refresh_token ?? "" }));
  } catch (error) {
    if (error instanceof Refused && error.status < 500) {
      keep(null);
      dispatchEvent(new Event("signed-out"));
    }
    throw error;
  }
}

function keep(answer) {
  session = answer && {
    user: answer.user ?? session?.user,
    session_id: answer.session_id ?? session?.session_id,
    access_token: answer.access_token,
    refresh_token: answer.refresh_token,
    until: Date.now() + answer.expires_in_s * 1000,
  };
  if (session) localStorage.setItem(KEY, JSON.stringify(session));
  else localStorage.removeItem(KEY);
}

function device() {
  return `Web client, ${navigator.platform || "browser"}`.slice(0, 100);
}
