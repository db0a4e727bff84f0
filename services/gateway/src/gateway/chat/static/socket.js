// The realtime connection: resumes from the last seq of each dialog after every break, and waits longer each time.

import { pause } from "./request.js";

const UNAUTHENTICATED = 4401;
const FOR_GOOD = new Set([4400, 4403, 4413]);

export class Socket extends EventTarget {
  #socket = null;
  #stopped = false;
  #failures = 0;
  #beat = 0;
  #session;
  #positions;
  #wake = () => {};

  // positions(): {dialogs: {id: seq}, account_seq}
  constructor(session, positions) {
    super();
    this.#session = session;
    this.#positions = positions;
    const { signal } = session;
    addEventListener("online", () => this.#wake(), { signal });
    document.addEventListener("visibilitychange", () => document.hidden || this.#wake(), { signal });
    signal.addEventListener("abort", () => this.#stop());
  }

  get live() {
    return this.#socket?.readyState === WebSocket.OPEN && this.#socket.ready === true;
  }

  async run() {
    while (!this.#stopped) {
      let wait = 0;
      try {
        wait = await this.#connection();
      } catch {
        this.#failures++;
      }
      this.#state(false);
      if (this.#stopped) return;
      const backoff = Math.min(15_000, 500 * 2 ** Math.min(this.#failures, 6)) * Math.random();
      await Promise.race([pause(Math.max(wait, backoff)), new Promise((done) => (this.#wake = done))]);
    }
  }

  send(frame) {
    if (!this.live) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  #stop() {
    this.#stopped = true;
    if (this.#socket) this.#socket.onmessage = null;
    this.#socket?.close();
    this.#wake();
  }

  // Resolves with how long the server asks to stay away, in ms.
  async #connection() {
    const bearer = await this.#session.token();
    const url = new URL("/v1/realtime", location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = (this.#socket = new WebSocket(url));
    let wait = 0;
    return new Promise((done, fail) => {
      socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token: bearer, resume: this.#positions() }));
      socket.onmessage = (event) => {
        const frame = JSON.parse(event.data);
        if (frame.type === "ready") this.#ready(socket, frame);
        if (frame.type === "bye") wait = (frame.retry_after_s ?? 1) * 1000;
        if (frame.type === "auth.expiring") this.#again(socket);
        this.dispatchEvent(new CustomEvent("frame", { detail: frame }));
      };
      socket.onclose = (event) => {
        clearInterval(this.#beat);
        if (FOR_GOOD.has(event.code)) this.#stopped = true;
        if (event.code === UNAUTHENTICATED) this.#session.doubt();
        if (socket.ready) done(wait);
        else fail(new Error(`closed with ${event.code}`));
      };
    });
  }

  #ready(socket, frame) {
    socket.ready = true;
    this.#failures = 0;
    this.#beat = setInterval(() => socket.send('{"type":"ping"}'), (frame.heartbeat_s ?? 25) * 1000);
    this.#state(true);
  }

  async #again(socket) {
    try {
      socket.send(JSON.stringify({ type: "auth", token: await this.#session.token() }));
    } catch {
      socket.close();
    }
  }

  #state(live) {
    this.dispatchEvent(new CustomEvent("state", { detail: live }));
  }
}
