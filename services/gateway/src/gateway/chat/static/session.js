// A session of one person: its token kept fresh, and the end of everything that was begun in it.
//
// Whoever asks the API asks a session, and keeps asking the same one: a request, its retries and what is done with
// its answer belong to the session that they began with. When that ends, in whichever tab, requests under way are
// broken off, what waits is not sent, and what was awaited is answered with Ended.

import { passes, pause, Refused, request } from "./request.js";
import { erase, keep, KEY, read } from "./tokens.js";

const FRESH_MS = 30_000;
const AGAIN_MS = 5_000;

export class Ended extends Error {}

export class Session {
  #tokens;
  #name;
  #ending = new AbortController();
  #refreshing = null;

  constructor(tokens, name = "") {
    this.#tokens = tokens;
    this.#name = name;
  }

  get user_id() {
    return this.#tokens.user_id;
  }

  // Aborted when the session ends.
  get signal() {
    return this.#ending.signal;
  }

  // The storage tells of another tab's sign-out at once, its event only later.
  get ended() {
    if (!this.signal.aborted && read()?.session_id !== this.#tokens.session_id) this.end();
    return this.signal.aborted;
  }

  check() {
    if (this.ended) throw this.signal.reason;
  }

  // Nobody goes on with it, in no tab. The tokens that were held, for whoever tells the server.
  end() {
    const stored = read();
    const held = stored?.session_id === this.#tokens.session_id ? stored : null;
    if (held) erase();
    this.#ending.abort(new Ended("The session has ended"));
    return held;
  }

  // The server did not take the token: whether the session still lives, only a new one tells.
  doubt() {
    this.#tokens.until = 0;
  }

  async name() {
    this.#name ||= (await this.call("GET", "/v1/users/me")).name;
    return this.#name;
  }

  // A token with at least half a minute to live.
  async token() {
    this.check();
    if (this.#tokens.until - Date.now() < FRESH_MS) await this.#refresh();
    this.check();
    return this.#tokens.access_token;
  }

  // Repeated when the connection failed, as the same act.
  async call(method, path, body, { tries = 3 } = {}) {
    const key = crypto.randomUUID();
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await request(method, path, body, { bearer: await this.token(), signal: this.signal, key });
        this.check();
        return answer;
      } catch (error) {
        this.check();
        if (error instanceof Refused && error.status === 401 && attempt === 1) await this.#refresh();
        else if (attempt >= tries || (error instanceof Refused && error.status !== 503)) throw error;
        else await this.pause(300 * 2 ** attempt * Math.random());
      }
    }
  }

  // Asked again, more and more seldom, until it is answered or refused for good. failed(error): what is waited for
  // beside the time, if anything; it raises when nobody waits for the answer any more.
  async until(act, failed = () => undefined) {
    for (let failures = 1; ; failures++) {
      try {
        return await act();
      } catch (error) {
        this.check();
        if (!passes(error)) throw error;
        const time = this.pause(Math.min(AGAIN_MS, 500 * 2 ** failures) * (0.5 + Math.random() / 2));
        await Promise.race([time, failed(error)].filter(Boolean));
        this.check();
      }
    }
  }

  // One request with its own headers and body, not repeated.
  async fetch(url, { headers, ...rest }) {
    const bearer = await this.token();
    const answer = await fetch(url, { ...rest, headers: { Authorization: `Bearer ${bearer}`, ...headers }, signal: this.signal });
    this.check();
    return answer;
  }

  async pause(ms) {
    await pause(ms);
    this.check();
  }

  // One refresh at a time, over all tabs: a refresh token is good for one use.
  #refresh() {
    this.#refreshing ??= navigator.locks.request(KEY, { signal: this.signal }, () => this.#renew()).finally(() => (this.#refreshing = null));
    return this.#refreshing;
  }

  async #renew() {
    this.check();
    const stored = read();
    if (stored.access_token !== this.#tokens.access_token) {
      this.#tokens = stored; // another tab was first
      return;
    }
    const { user_id, session_id, refresh_token } = this.#tokens;
    try {
      const answer = await request("POST", "/v1/sessions/refresh", { refresh_token }, { signal: this.signal });
      this.check();
      this.#tokens = keep({ session_id, ...answer, user: { user_id } });
    } catch (error) {
      this.check();
      if (!passes(error)) this.end();
      throw error;
    }
  }
}

// What an ended session leaves undone is nobody's error.
addEventListener("unhandledrejection", (event) => event.reason instanceof Ended && event.preventDefault());
