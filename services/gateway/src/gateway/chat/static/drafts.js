// The field for words. Half-written words wait in their dialog, with what they answer or edit; an edit is laid over
// what was being written before it, which comes back after it. Messages are held by seq: what they say, the store knows.

import { $, fill } from "./page.js";

const blank = () => ({ words: "", answering: null, editing: null, before: null });

export class Drafts {
  #waiting = new Map();
  #now = blank();
  #openId;

  // The seq that the words are about, if any.
  get about() {
    return this.#now.editing?.seq ?? this.#now.answering;
  }

  get editing() {
    return this.#now.editing !== null;
  }

  open(dialogId) {
    this.#putAside();
    this.#openId = dialogId;
    this.#takeUp(this.#waiting.get(dialogId) ?? blank());
  }

  // What is to be sent, which then stands in the field no more.
  take() {
    const { editing, answering } = this.#now;
    const taken = { text: $("words").value.trim(), editing, answering };
    this.#takeUp(this.#now.before ?? blank());
    return taken;
  }

  answer(seq) {
    this.giveUp();
    this.#now.answering = seq;
    $("words").focus();
  }

  edit({ seq, version, content }) {
    if (this.editing) this.giveUp();
    this.#putAside();
    this.#takeUp({ ...blank(), words: content.text, editing: { seq, version }, before: this.#now });
    $("words").focus();
  }

  // Neither answered nor edited any more. The words stay; instead of an edit's come those from before it.
  giveUp() {
    if (this.editing) this.#takeUp(this.#now.before ?? blank());
    else this.#now.answering = null;
  }

  // Words that were taken and refused are written again, over what is being written.
  giveBack(dialogId, words, editing) {
    this.#putAside();
    const before = (dialogId === this.#openId ? this.#now : this.#waiting.get(dialogId)) ?? blank();
    this.#lay(dialogId, { ...blank(), words, editing, before });
  }

  // The same of a message, where nothing else is being written: whether they are.
  giveBackMessage(dialogId, words, answering) {
    this.#putAside();
    const held = this.#waiting.get(dialogId) ?? blank();
    if (held.words.trim() || held.editing || held.answering) return false;
    this.#lay(dialogId, { ...blank(), words, answering });
    return true;
  }

  #lay(dialogId, draft) {
    this.#waiting.set(dialogId, draft);
    if (dialogId === this.#openId) this.#takeUp(draft);
  }

  #putAside() {
    this.#now.words = $("words").value;
    if (this.#openId) this.#waiting.set(this.#openId, this.#now);
  }

  #takeUp(draft) {
    this.#now = draft;
    fill(draft.words);
  }
}
