// One's votes: shown at once, sent one after the other, each time what was chosen last; then what stands is looked at.

import { Once } from "./once.js";

export class Votes {
  #session;
  #store;
  #sends = new Once();

  constructor(session, store) {
    this.#session = session;
    this.#store = store;
  }

  async choose(dialogId, seq, option) {
    const { content, poll } = this.#store.message(dialogId, seq) ?? {};
    if (!poll) return;
    const mine = poll.mine ?? [];
    const others = content.multiple ? mine.filter((each) => each !== option) : [];
    this.#store.vote(dialogId, seq, mine.includes(option) ? others : [...others, option]);
    const key = `${dialogId}/${seq}`;
    if (this.#sends.runs(key)) return this.#sends.again(key);
    try {
      await this.#sends.run(key, () => this.#send(dialogId, seq));
    } finally {
      this.#store.voted(dialogId, seq);
    }
  }

  async #send(dialogId, seq) {
    const options = this.#store.message(dialogId, seq)?.poll?.mine;
    if (options) await this.#session.call("PUT", `/v1/dialogs/${dialogId}/messages/${seq}/vote`, { options });
  }
}
