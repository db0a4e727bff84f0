// What the client knows: dialogs and their messages. Events are applied in order of seq, each once; a hole is fetched.

const LOOK_MS = 150;

export class Store extends EventTarget {
  dialogs = new Map();
  people = new Map();
  typing = new Map();
  online = new Set();
  accountSeq = 0;
  #fetching = new Map();
  #looking = new Map();
  #session;
  #me;

  constructor(session) {
    super();
    this.#session = session;
    this.#me = session.user_id;
  }

  positions() {
    const dialogs = {};
    for (const [id, dialog] of this.dialogs) dialogs[id] = dialog.position;
    return { dialogs, account_seq: this.accountSeq };
  }

  // The first look: every dialog, latest first, without messages.
  async load() {
    const news = await this.#session.call("POST", "/v1/sync", { dialogs: {} });
    this.accountSeq = news.account_seq;
    for (const { dialog } of news.dialogs) {
      if (dialog && !this.dialogs.has(dialog.dialog_id)) this.#keep(dialog);
      else if (dialog && !this.#show(dialog)) this.#look(dialog.dialog_id);
    }
    this.#changed();
  }

  sorted() {
    const rank = (each) => (each.me.pinned_at ? 1 : 0);
    return [...this.dialogs.values()].sort((a, b) => rank(b) - rank(a) || b.last_at.localeCompare(a.last_at));
  }

  async open(id) {
    const dialog = this.dialogs.get(id);
    if (dialog && !dialog.messages) await this.#fetch(id);
    return this.dialogs.get(id);
  }

  async earlier(id) {
    const dialog = this.dialogs.get(id);
    if (!dialog?.messages || !dialog.hasBefore) return false;
    const { messages, firstSeq } = dialog;
    const page = await this.#session.call("GET", `/v1/dialogs/${id}/messages?before_seq=${firstSeq}&limit=50`);
    const now = this.dialogs.get(id);
    if (now?.messages !== messages || now.firstSeq !== firstSeq) return false; // it goes before another page
    for (const each of page.items) messages.set(each.seq, each);
    now.hasBefore = page.has_before;
    if (page.items.length > 0) now.firstSeq = firstOf(page);
    this.#changed(id);
    return page.items.length > 0;
  }

  async names(id) {
    const page = await this.#session.call("GET", `/v1/dialogs/${id}/members?limit=200`);
    for (const each of page.items) this.people.set(each.user_id, each);
    this.#changed(id);
  }

  apply(frame) {
    if (frame.account_seq !== undefined && frame.dialog_id === undefined && frame.seq === undefined && frame.type === "too_old") {
      this.load();
      return;
    }
    if (frame.account_seq !== undefined && frame.seq === undefined) this.#account(frame);
    else if (frame.seq !== undefined && frame.dialog_id) this.#stored(frame);
    else if (frame.type === "typing") this.#types(frame);
    else if (frame.type === "presence") this.#presence(frame);
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
    else if (dialog && frame.type === "message.hidden") this.#hide(dialog, frame.message_seq);
    else if (dialog && frame.type === "dialog.settings") Object.assign(dialog.me, frame);
    this.#changed(frame.dialog_id);
  }

  #stored(frame) {
    const dialog = this.dialogs.get(frame.dialog_id);
    if (!dialog) return void this.refresh(frame.dialog_id);
    if (frame.seq <= dialog.position) return;
    if (frame.seq > dialog.position + 1) return void this.#fill(dialog);
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
        this.typing.get(dialog.dialog_id)?.delete(frame.message.sender_id);
        if (!fresh) break;
        dialog.last_message = frame.message;
        if (frame.message.sender_id !== this.#me && frame.seq > dialog.me.read_seq) dialog.me.unread++;
        break;
      case "event.unreadable": // it may have been a message
        if (fresh) this.#look(dialog.dialog_id);
        break;
      case "dialog.changed":
        Object.assign(dialog, frame.dialog);
        break;
      case "member.changed":
        this.people.delete(frame.member.user_id);
        if (frame.member.status === "active") this.names(dialog.dialog_id).catch(() => {});
        break;
    }
    if (frame.message_seq !== undefined) this.#follow(dialog, frame, fresh);
  }

  // What happens to a message changes it where it is held, in the page and in the row. A page holds all from its first
  // message on: one that is not in it is not put there.
  #follow(dialog, frame, fresh) {
    const seq = frame.message_seq;
    const held = dialog.messages?.get(seq);
    if (held) dialog.messages.set(seq, this.#after(held, frame));
    if (fresh && dialog.last_message?.seq === seq) dialog.last_message = this.#after(dialog.last_message, frame);
    if (fresh && frame.type === "message.deleted" && seq > dialog.me.read_seq) this.#look(dialog.dialog_id);
  }

  // The message as the event leaves it. An edit makes another one: who edits it meanwhile goes on with their version.
  #after(message, frame) {
    switch (frame.type) {
      case "message.edited":
        return { ...frame.message, reactions: this.#mine(message, frame.message.reactions) };
      case "message.deleted":
        return Object.assign(message, { content: null, deleted_at: frame.at, reactions: [], poll: null, card: null });
      case "reaction.changed":
        this.#react(message, frame);
        break;
      case "pin.changed":
        message.pinned = frame.pinned;
        break;
      case "poll.changed":
        message.poll = { ...frame.poll, mine: message.poll?.mine };
        break;
      case "card.changed":
        message.card = frame.card;
        break;
    }
    return message;
  }

  // Deleted for oneself: which message is the last then, and how many are unread, the server knows.
  #hide(dialog, seq) {
    dialog.messages?.delete(seq);
    if (dialog.last_message?.seq === seq) dialog.last_message = null;
    this.#look(dialog.dialog_id);
  }

  #react(message, frame) {
    const own = frame.user_id === this.#me;
    const before = message.reactions.find((each) => each.emoji === frame.emoji);
    const shown = { emoji: frame.emoji, count: frame.count, mine: own ? frame.added : before?.mine ?? false };
    if (before) message.reactions = message.reactions.map((each) => (each === before ? shown : each));
    else message.reactions = [...message.reactions, shown];
    message.reactions = message.reactions.filter((each) => each.count > 0);
  }

  #mine(before, reactions) {
    const mine = new Set((before?.reactions ?? []).filter((each) => each.mine).map((each) => each.emoji));
    return reactions.map((each) => ({ ...each, mine: mine.has(each.emoji) }));
  }

  #types(frame) {
    if (frame.user_id === this.#me) return;
    const who = this.typing.get(frame.dialog_id) ?? new Map();
    this.typing.set(frame.dialog_id, who);
    clearTimeout(who.get(frame.user_id));
    const end = () => {
      who.delete(frame.user_id);
      this.#changed(frame.dialog_id);
    };
    who.set(frame.user_id, setTimeout(end, (frame.expires_in_s ?? 6) * 1000));
    this.#changed(frame.dialog_id);
  }

  #presence(frame) {
    if (frame.online) this.online.add(frame.user_id);
    else this.online.delete(frame.user_id);
    this.#changed();
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
    try {
      const had = this.dialogs.get(id)?.messages !== undefined;
      this.#keep(await this.#session.call("GET", `/v1/dialogs/${id}`));
      if (had) await this.#fetch(id);
    } catch (error) {
      this.#session.check();
      if (error.status === 404) this.#drop(id);
    }
    this.#changed(id);
  }

  // Look at the row of a dialog anew: once for all that happens within a moment, and again for what happens meanwhile.
  async #look(id) {
    if (this.#looking.has(id)) return void this.#looking.set(id, true);
    this.#looking.set(id, true);
    try {
      while (this.#looking.get(id) && this.dialogs.has(id)) {
        await this.#session.pause(LOOK_MS);
        this.#looking.set(id, false);
        if (!(await this.#looked(id))) this.#looking.set(id, true);
      }
    } finally {
      this.#looking.delete(id);
    }
    this.#changed(id);
  }

  // Whether there is nothing to wait for.
  async #looked(id) {
    try {
      return this.#show(await this.#session.call("GET", `/v1/dialogs/${id}`)) || !this.dialogs.has(id);
    } catch (error) {
      this.#session.check();
      if (error.status === 404) this.#drop(id);
      return error.status < 500 && error.status !== 429;
    }
  }

  // Events that were missed: asked for from where we stand, once at a time, and again when more came meanwhile.
  async #fill(dialog) {
    const id = dialog.dialog_id;
    if (this.#fetching.has(id)) return void this.#fetching.set(id, true);
    try {
      do {
        this.#fetching.set(id, false);
        const news = await this.#session.call("POST", "/v1/sync", { dialogs: this.positions().dialogs, account_seq: this.accountSeq });
        for (const each of news.dialogs) {
          if (each.too_old) await this.refresh(each.dialog_id);
          for (const event of each.events) this.apply(event);
        }
      } while (this.#fetching.get(id));
    } finally {
      this.#fetching.delete(id);
    }
  }

  // What changed while the page was on its way is not in it: it is asked for from where the page stands.
  async #fetch(id) {
    const page = await this.#session.call("GET", `/v1/dialogs/${id}/messages?limit=50`);
    const dialog = this.dialogs.get(id);
    if (!dialog) return;
    const behind = page.last_seq < dialog.position;
    if (page.last_seq > dialog.last_seq) this.#look(id); // what is in the page is not told again
    dialog.messages = new Map(page.items.map((each) => [each.seq, each]));
    dialog.hasBefore = page.has_before;
    dialog.firstSeq = firstOf(page);
    dialog.position = page.last_seq;
    this.#changed(id);
    if (behind) await this.#fill(dialog);
  }

  #keep(dialog) {
    const before = this.dialogs.get(dialog.dialog_id);
    if (dialog.peer) this.people.set(dialog.peer.user_id, dialog.peer);
    this.dialogs.set(dialog.dialog_id, { ...before, ...dialog, position: dialog.last_seq });
  }

  // A known dialog as it is seen now, at the position where it stands: events up to there are still to come. False of
  // one that is not known, and of a look from before what was told since. What was read here stays read.
  #show(seen) {
    const dialog = this.dialogs.get(seen.dialog_id);
    if (!dialog || seen.last_seq < dialog.last_seq) return false;
    const { read_seq, unread } = dialog.me;
    Object.assign(dialog, seen, { me: seen.me.read_seq < read_seq ? { ...seen.me, read_seq, unread } : seen.me });
    return true;
  }

  #drop(id) {
    this.dialogs.delete(id);
    this.#changed(id);
  }

  #changed(id) {
    this.dispatchEvent(new CustomEvent("change", { detail: id }));
  }
}

const firstOf = (page) => Math.min(...page.items.map((each) => each.seq));
