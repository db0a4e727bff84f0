// Who the people are: their names, who of them is here, and who is writing in which dialog.

import { Once } from "./once.js";

const PAGES = 10; // of 200 members
export class People {
  #session;
  #changed;
  #named = new Map();
  #here = new Set();
  #typing = new Map();
  #naming = new Once();
  #listed = new Set();
  #asked = new Set();
  #asking = Promise.resolve();

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

  // Of somebody who is, or was, in this dialog. Who is not among its members is asked for, once.
  nameOf(userId, dialogId) {
    const known = this.#named.get(userId);
    if (!known && userId && this.#listed.has(dialogId) && !this.#asked.has(userId)) this.#ask(userId);
    return known?.display_name || "Somebody";
  }

  // One after the other: a page may be of many who left.
  async #ask(userId) {
    this.#asked.add(userId);
    const ask = () => this.#session.until(() => this.#session.call("GET", `/v1/users/${userId}`));
    try {
      const { name } = await (this.#asking = this.#asking.then(ask, ask));
      if (!this.knows(userId)) this.know({ user_id: userId, display_name: name });
    } catch {
      this.#session.check(); // their account is deleted, or they are not there for this person
    }
    this.#changed();
  }

  isHere(userId) {
    return this.#here.has(userId);
  }

  typingIn(dialogId) {
    return [...(this.#typing.get(dialogId)?.keys() ?? [])].map((each) => this.nameOf(each, dialogId));
  }

  // The names of who is in a dialog. Who leaves is named as before: what they wrote is still there.
  async nameAll(dialogId) {
    await this.#naming.run(dialogId, async () => {
      try {
        for (let page = 0, cursor = ""; cursor !== null && page < PAGES; page++) {
          const next = cursor && `&cursor=${encodeURIComponent(cursor)}`;
          const found = await this.#session.until(() => this.#session.call("GET", `/v1/dialogs/${dialogId}/members?limit=200${next}`));
          for (const each of found.items) this.know(each);
          cursor = found.next_cursor ?? null;
        }
      } catch {
        this.#session.check(); // whoever is not in it any more is told no names
      }
    });
    this.#listed.add(dialogId);
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
