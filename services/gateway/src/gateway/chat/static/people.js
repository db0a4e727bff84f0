// Who the people are: their names, who of them is here, and who is writing in which dialog.

import { Once } from "./once.js";

export class People {
  #session;
  #changed;
  #named = new Map();
  #here = new Set();
  #typing = new Map();
  #naming = new Once();

  // changed(): what is shown of them is another.
  constructor(session, changed) {
    this.#session = session;
    this.#changed = changed;
  }

  knows(userId) {
    return this.#named.has(userId);
  }

  know(person) {
    this.#named.set(person.user_id, person);
  }

  nameOf(userId) {
    return this.#named.get(userId)?.display_name ?? "Somebody";
  }

  isHere(userId) {
    return this.#here.has(userId);
  }

  typingIn(dialogId) {
    return [...(this.#typing.get(dialogId)?.keys() ?? [])].map((each) => this.nameOf(each));
  }

  // The names of who is in a dialog. Who leaves is named as before: what they wrote is still there.
  async nameAll(dialogId) {
    await this.#naming.run(dialogId, async () => {
      try {
        const page = await this.#session.until(() => this.#session.call("GET", `/v1/dialogs/${dialogId}/members?limit=200`));
        for (const each of page.items) this.know(each);
      } catch {
        this.#session.check(); // whoever is not in it any more is told no names
      }
    });
    this.#changed();
  }

  presence({ user_id, online }) {
    if (online) this.#here.add(user_id);
    else this.#here.delete(user_id);
    this.#changed();
  }

  // Without a connection nobody tells who is here.
  alone() {
    this.#here.clear();
    this.#changed();
  }

  types({ dialog_id, user_id, expires_in_s = 6 }) {
    if (user_id === this.#session.user_id) return;
    const who = this.#typing.get(dialog_id) ?? new Map();
    this.#typing.set(dialog_id, who);
    clearTimeout(who.get(user_id));
    const end = () => {
      who.delete(user_id);
      this.#changed();
    };
    who.set(user_id, setTimeout(end, expires_in_s * 1000));
    this.#changed();
  }

  wrote(dialogId, userId) {
    this.#typing.get(dialogId)?.delete(userId);
  }
}
