// Who is signed in, in every tab: one session or none. The page hears "signed-in" and "signed-out" of each change.

import { pause, Refused, request } from "./request.js";
import { Ended, Session } from "./session.js";
import { keep, KEY, read } from "./tokens.js";

let session = null;
let changes = 0;

export const current = () => session;

export const signIn = (email, password) => begin("/v1/sessions", { method: "password", email, password });

export const signUp = (name, email, password, country) => begin("/v1/users", { name, email, password, country });

// Here everything is gone at once, whatever the network does; the server is told with what was held.
export const signOut = () => revoke(session?.end());

// What is stored is who is signed in: another tab signed out, or in as somebody else; or this page comes back from
// the browser's own memory.
export function follow() {
  if (session && !session.ended) return;
  const stored = read();
  if (stored) enter(new Session(stored));
}

// Whoever signed in or out meanwhile is newer than this answer: then its session is nobody's.
async function begin(path, credentials) {
  const before = changes;
  const unchanged = () => changes === before && !read();
  let answer;
  try {
    answer = await request("POST", path, { ...credentials, device_name: device() });
  } catch (error) {
    throw unchanged() ? error : new Ended("Somebody else signed in meanwhile");
  }
  if (!unchanged()) {
    revoke({ ...answer, until: Date.now() + answer.expires_in_s * 1000 });
    throw new Ended("Somebody else signed in meanwhile");
  }
  enter(new Session(keep(answer), answer.user.name));
}

function enter(next) {
  session = next;
  changes++;
  next.signal.addEventListener("abort", () => {
    session = null;
    changes++;
    dispatchEvent(new Event("signed-out"));
  });
  dispatchEvent(new Event("signed-in"));
}

async function revoke(left) {
  for (let attempt = 1; left; attempt++) {
    try {
      const fresh = left.until - Date.now() > 5_000;
      const bearer = fresh ? left.access_token : (await request("POST", "/v1/sessions/refresh", { refresh_token: left.refresh_token })).access_token;
      return void (await request("DELETE", `/v1/sessions/${left.session_id}`, undefined, { bearer }));
    } catch (error) {
      if (error instanceof Refused || attempt >= 3) return;
      await pause(1000 * attempt);
    }
  }
}

addEventListener("storage", (event) => (event.key === KEY || event.key === null) && follow());
addEventListener("pageshow", (event) => event.persisted && follow());

function device() {
  return `Web client, ${navigator.platform || "browser"}`.slice(0, 100);
}
