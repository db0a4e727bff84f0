// What the client knows: dialogs and their messages. Events are applied in order of seq, each once; a hole is fetched.

import { after, edited } from "./follow.js";
import { Once } from "./once.js";
import { People } from "./people.js";

const LOOK_MS = 150;
const PRESENT = new Set(["active", "muted"]);

export class Store extends EventTarget {
  dialogs = new Map();
  people;
  accountSeq = 0;
  #session;
  #me;
  #fills = new Once();
  #refreshes = new Once();
  #looks;
  #sights;
  #opening = new Map();
  #pages = new Set();
  #voting = new Set();
  #seeing = Promise.resolve();
  #drops = 0;

  constructor(session) {
    super();
    this.#session = session;
    this.#me = session.user_id;
    this.people = new People(session, () => this.#changed());
    this.#looks = new Once(() => session.pause(LOOK_MS));
    this.#sights = new Once(() => session.pause(LOOK_MS));
  }

  positions() {
    const dialogs = {};
    for (const [id, dialog] of this.dialogs) dialogs[id] = dialog.position;
    return { dialogs, account_seq: this.accountSeq };
  }

  // The first look: every dialog, latest first, without messages. At a later one, those that are not there any more go.
  async load() {
    const before = [...this.dialogs.keys()];
    const news = await this.#session.until(() => this.#session.call("POST", "/v1/sync", { dialogs: {} }));
    this.accountSeq = news.account_seq;
    for (const { dialog } of news.dialogs) {
      if (dialog && !this.dialogs.has(dialog.dialog_id)) this.#keep(dialog);
      else if (dialog && !this.#show(dialog)) this.#look(dialog.dialog_id);
    }
    const there = new Set(news.dialogs.map((each) => each.dialog_id));
    for (const id of before) if (!there.has(id)) this.#look(id);
    this.#changed();
  }

  sorted() {
    const rank = (each) => (each.me.pinned_at ? 1 : 0);
    return [...this.dialogs.values()].sort((a, b) => rank(b) - rank(a) || b.last_at.localeCompare(a.last_at));
  }

  // One that was just opened.
  add(dialog) {
    if (!this.dialogs.has(dialog.dialog_id)) this.#keep(dialog);
    this.#changed(dialog.dialog_id);
  }

  message(id, seq) {
    return this.dialogs.get(id)?.messages?.get(seq);
  }

  // The page of a dialog, asked for until it is had or not wanted any more; `problem` tells why it is not there. Asked
  // for once more meanwhile, it does not wait.
  async open(id, wanted) {
    const dialog = this.dialogs.get(id);
    if (!dialog || dialog.messages) return;
    if (this.#opening.has(id)) return this.#opening.get(id)();
    this.#opening.set(id, () => {});
    dialog.problem = undefined;
    try {
      await this.#session.until(
        () => this.#fetch(id),
        (error) => {
          if (!wanted()) throw error;
          this.#missing(id, error);
          return new Promise((done) => this.#opening.set(id, done));
        },
      );
    } catch (error) {
      this.#session.check();
      if (error.status === 404) this.#drop(id);
      else this.#missing(id, error);
    } finally {
      this.#opening.delete(id);
    }
  }

  #missing(id, error) {
    const dialog = this.dialogs.get(id);
    if (dialog) dialog.problem = error;
    this.#changed(id);
  }

  async earlier(id) {
    const dialog = this.dialogs.get(id);
    if (!dialog?.messages || !dialog.hasBefore) return false;
    const { messages, firstSeq } = dialog;
    const page = await this.#page(id, `before_seq=${firstSeq}&limit=50`);
    const now = this.dialogs.get(id);
    if (now?.messages !== messages || now.firstSeq !== firstSeq) return false; // it goes before another page
    for (const [seq, each] of page.messages) messages.set(seq, each);
    now.hasBefore = page.has_before;
    if (page.items.length > 0) now.firstSeq = firstOf(page);
    this.#changed(id);
    return page.items.length > 0;
  }

  // Messages as the server has them, and as what was told on their way left them.
  async #page(id, query) {
    const told = { id, frames: [] };
    this.#pages.add(told);
    try {
      const page = await this.#session.call("GET", `/v1/dialogs/${id}/messages?${query}`);
      const messages = new Map(page.items.map((each) => [each.seq, each]));
      for (const frame of told.frames) {
        const seq = frame.message_seq;
        if (frame.type === "message.hidden") messages.delete(seq);
        else if (messages.has(seq) && frame.seq > page.last_seq) messages.set(seq, after(messages.get(seq), frame, this.#me));
        if (this.#isVote(frame)) this.#see(id, seq);
      }
      return { ...page, messages };
    } finally {
      this.#pages.delete(told);
    }
  }

  apply(frame) {
    if (frame.account_seq !== undefined && frame.dialog_id === undefined && frame.seq === undefined && frame.type === "too_old") {
      this.load();
      return;
    }
    if (frame.account_seq !== undefined && frame.seq === undefined) this.#account(frame);
    else if (frame.seq !== undefined && frame.dialog_id) this.#stored(frame);
    else if (frame.type === "typing") this.people.types(frame);
    else if (frame.type === "presence") this.people.presence(frame);
    else if (frame.type === "receipt") this.#receipt(frame);
    else if (frame.type === "too_old" || frame.type === "gone") this.#again(frame);
  }

  #account(frame) {
    if (frame.account_seq <= this.accountSeq) return;
    this.accountSeq = frame.account_seq;
    const dialog = this.dialogs.get(frame.dialog_id);
    if (frame.type === "dialog.added") this.refresh(frame.dialog_id);
    else if (frame.type === "dialog.removed") this.#drop(frame.dialog_id);
    else if (dialog && frame.type === "read.changed" && frame.read_seq > dialog.me.read_seq) this.#look(frame.dialog_id);
    else if (dialog && frame.type === "message.hidden") this.#hide(dialog, frame);
    else if (dialog && frame.type === "dialog.settings") Object.assign(dialog.me, frame);
    else if (frame.type === "attachment.changed") this.#judged(frame);
    else if (frame.type === "event.unreadable") this.load(); // it may have been of any dialog
    this.#changed(frame.dialog_id);
  }

  #stored(frame) {
    const dialog = this.dialogs.get(frame.dialog_id);
    if (!dialog) return void this.refresh(frame.dialog_id);
    if (frame.seq <= dialog.position) return;
    if (frame.seq > dialog.position + 1) return void this.#fill(dialog.dialog_id);
    const fresh = frame.seq > dialog.last_seq;
    dialog.position = frame.seq;
    dialog.last_seq = Math.max(dialog.last_seq, frame.seq);
    dialog.last_at = frame.at;
    this.#change(dialog, frame, fresh);
    this.#changed(dialog.dialog_id);
  }

  // `fresh`: what the row shows was not looked at after this.
  #change(dialog, frame, fresh) {
    const messages = dialog.messages;
    switch (frame.type) {
      case "message.new":
        messages?.set(frame.seq, frame.message);
        this.people.wrote(dialog.dialog_id, frame.message.sender_id);
        this.#opening.get(dialog.dialog_id)?.();
        if (!fresh) break;
        dialog.last_message = frame.message;
        if (frame.message.sender_id !== this.#me && frame.seq > dialog.me.read_seq) dialog.me.unread++;
        break;
      case "event.unreadable": // it may have been a message, or what happened to one
        if (messages) this.refresh(dialog.dialog_id);
        else if (fresh) this.#look(dialog.dialog_id);
        break;
      case "dialog.changed":
        if (fresh) Object.assign(dialog, frame.dialog);
        this.#cut(dialog, frame.dialog);
        break;
      case "member.changed":
        this.#member(dialog, frame.member, fresh);
        break;
    }
    if (frame.message_seq !== undefined) this.#follow(dialog, frame, fresh);
  }

  // How many are in it does not follow from the event: it tells not what they were before.
  #member(dialog, member, fresh) {
    if (!this.people.knows(member.user_id) && PRESENT.has(member.status)) this.people.nameAll(dialog.dialog_id);
    if (!fresh) return;
    const { role, status, muted_until } = member;
    if (member.user_id === this.#me) Object.assign(dialog.me, { role, status, muted_until });
    this.#look(dialog.dialog_id);
  }

  // What is not kept any more, or not for everybody, leaves the page too.
  #cut(dialog, fields) {
    if (fields.history_from !== undefined) this.refresh(dialog.dialog_id);
    if (fields.oldest_seq === undefined) return;
    for (const held of [dialog.messages, dialog.quoted]) {
      for (const seq of held?.keys() ?? []) if (seq < fields.oldest_seq) held.delete(seq);
    }
    this.#look(dialog.dialog_id);
  }

  // What happens to a message changes it where it is held: in the page, in a quote and in the row. A page holds all
  // from its first message on: one that is not in it is not put there.
  #follow(dialog, frame, fresh) {
    const { dialog_id, messages, quoted } = dialog;
    const seq = frame.message_seq;
    for (const each of this.#pages) if (each.id === dialog_id) each.frames.push(frame);
    for (const held of [messages, quoted]) if (held?.get(seq)) held.set(seq, after(held.get(seq), frame, this.#me));
    this.#sights.again(`${dialog_id}/${seq}`);
    if (messages?.has(seq) && this.#isVote(frame)) this.#see(dialog_id, seq);
    if (fresh && dialog.last_message?.seq === seq) dialog.last_message = after(dialog.last_message, frame, this.#me);
    if (fresh && frame.type === "message.deleted" && seq > dialog.me.read_seq) this.#look(dialog_id);
  }

  // One's own, perhaps: an anonymous poll does not tell whose.
  #isVote(frame) {
    return frame.type === "poll.changed" && (frame.by ?? this.#me) === this.#me;
  }

  // Deleted for oneself: which message is the last then, and how many are unread, the server knows.
  #hide(dialog, frame) {
    const seq = frame.message_seq;
    for (const each of this.#pages) if (each.id === dialog.dialog_id) each.frames.push(frame);
    dialog.messages?.delete(seq);
    dialog.quoted?.set(seq, null);
    if (dialog.last_message?.seq === seq) dialog.last_message = null;
    this.#look(dialog.dialog_id);
  }

  #judged({ attachment_id, status }) {
    for (const { messages } of this.dialogs.values()) {
      for (const message of messages?.values() ?? []) {
        if (!message.attachments.some((each) => each.attachment_id === attachment_id)) continue;
        message.attachments = message.attachments.map((each) => (each.attachment_id === attachment_id ? { ...each, status } : each));
      }
    }
  }

  // The message that another one answers, also one from before the page: undefined until it is had, null when there is
  // none that they may see.
  quoted(id, seq) {
    const dialog = this.dialogs.get(id);
    if (!dialog?.messages || dialog.messages.has(seq)) return dialog?.messages?.get(seq);
    dialog.quoted ??= new Map();
    if (!dialog.quoted.has(seq)) {
      dialog.quoted.set(seq, undefined);
      this.#see(id, seq);
    }
    return dialog.quoted.get(seq);
  }

  // The message as it was edited here, if nothing later is known of it.
  edited(id, message) {
    const held = this.message(id, message.seq);
    if (held) this.dialogs.get(id).messages.set(message.seq, edited(held, message));
    this.#changed(id);
  }

  // One's own vote: what was chosen, until it is answered; then what stands, whichever device it came from.
  vote(id, seq, mine) {
    this.#voting.add(`${id}/${seq}`);
    const message = this.message(id, seq);
    message.poll = { ...message.poll, mine };
    this.#changed(id);
  }

  voted(id, seq) {
    this.#voting.delete(`${id}/${seq}`);
    this.#see(id, seq);
  }

  // Look at one message: for a quote, or for what events do not tell of it.
  async #see(id, seq) {
    const key = `${id}/${seq}`;
    await this.#sights.run(key, async () => {
      const seen = await this.#seen(id, seq);
      const held = this.message(id, seq);
      const dialog = this.dialogs.get(id);
      if (held?.poll && seen?.poll && !this.#voting.has(key)) held.poll = { ...held.poll, mine: seen.poll.mine };
      if (dialog?.quoted?.has(seq)) dialog.quoted.set(seq, seen);
    });
    this.#changed(id);
  }

  // One after the other: a page may quote many. Null when it is not there for them.
  async #seen(id, seq) {
    const ask = () => this.#session.until(() => this.#session.call("GET", `/v1/dialogs/${id}/messages/${seq}`));
    try {
      return await (this.#seeing = this.#seeing.then(ask, ask));
    } catch {
      this.#session.check();
      return null;
    }
  }

  #receipt(frame) {
    const dialog = this.dialogs.get(frame.dialog_id);
    if (!dialog || frame.user_id === this.#me) return;
    dialog.delivered = Math.max(dialog.delivered ?? 0, frame.delivered_seq ?? 0, frame.read_seq ?? 0);
    dialog.read = Math.max(dialog.read ?? 0, frame.read_seq ?? 0);
    this.#changed(dialog.dialog_id);
  }

  #again(frame) {
    if (!frame.dialog_id) return void this.load();
    if (frame.type === "gone") this.#drop(frame.dialog_id);
    else this.refresh(frame.dialog_id);
  }

  // Look at a dialog anew, and at its messages when they were open.
  async refresh(id) {
    await this.#refreshes.run(id, async () => {
      const drops = this.#drops;
      const seen = await this.#row(id);
      if (!seen) return;
      if (drops !== this.#drops) return this.#refreshes.again(id); // it may be the one, and is not brought back
      this.#keep(seen);
      if (this.dialogs.get(id).messages) await this.#until(id, () => this.#fetch(id));
    });
    this.#changed(id);
  }

  // Look at the row of a dialog anew: once for all that happens within a moment, and again for what happens meanwhile.
  async #look(id) {
    await this.#looks.run(id, async () => {
      const seen = await this.#row(id);
      if (seen && this.dialogs.has(id) && !this.#show(seen)) this.#looks.again(id);
    });
    this.#changed(id);
  }

  #row(id) {
    return this.#until(id, () => this.#session.call("GET", `/v1/dialogs/${id}`));
  }

  // Events that were missed: asked for from where we stand, and again when more came meanwhile.
  #fill(id) {
    return this.#fills.run(id, async () => {
      const news = await this.#until(id, () => this.#session.call("POST", "/v1/sync", { dialogs: this.positions().dialogs, account_seq: this.accountSeq }));
      for (const each of news?.dialogs ?? []) {
        if (each.too_old) await this.refresh(each.dialog_id);
        for (const event of each.events) this.apply(event);
        if (each.has_more) this.#fills.again(id);
      }
    });
  }

  // Undefined when it is refused for good; a dialog that is not there any more goes.
  async #until(id, ask) {
    try {
      return await this.#session.until(ask);
    } catch (error) {
      this.#session.check();
      if (error.status === 404) this.#drop(id);
      return undefined;
    }
  }

  // What changed while the page was on its way is not in it: it is asked for from where the page stands.
  async #fetch(id) {
    const page = await this.#page(id, "limit=50");
    const dialog = this.dialogs.get(id);
    if (!dialog) return;
    const behind = page.last_seq < dialog.position;
    if (page.last_seq > dialog.last_seq) this.#look(id); // what is in the page is not told again
    dialog.messages = page.messages;
    dialog.quoted = undefined;
    dialog.problem = undefined;
    dialog.hasBefore = page.has_before;
    dialog.firstSeq = firstOf(page);
    dialog.position = page.last_seq;
    this.#changed(id);
    if (behind) await this.#fill(id);
  }

  // A page that is held stands where it stood until it is fetched anew.
  #keep(dialog) {
    const before = this.dialogs.get(dialog.dialog_id);
    if (dialog.peer) this.people.know(dialog.peer);
    this.dialogs.set(dialog.dialog_id, { ...before, ...dialog, position: before?.messages ? before.position : dialog.last_seq });
  }

  // A known dialog as it is seen now, at the position where it stands: events up to there are still to come. False of
  // one that is not known, and of a look from before what was told since. What was read here stays read.
  #show(seen) {
    const dialog = this.dialogs.get(seen.dialog_id);
    if (!dialog || seen.last_seq < dialog.last_seq) return false;
    if (seen.peer) this.people.know(seen.peer);
    const { read_seq, unread } = dialog.me;
    Object.assign(dialog, seen, { me: seen.me.read_seq < read_seq ? { ...seen.me, read_seq, unread } : seen.me });
    return true;
  }

  #drop(id) {
    this.dialogs.delete(id);
    this.#drops++;
    this.#changed(id);
  }

  #changed(id) {
    this.dispatchEvent(new CustomEvent("change", { detail: id }));
  }
}

const firstOf = (page) => Math.min(...page.items.map((each) => each.seq));
