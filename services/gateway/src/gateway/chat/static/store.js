// What the client knows: dialogs and their messages. Events are applied in order of seq, each once; a hole is fetched.

export class Store extends EventTarget {
  dialogs = new Map();
  people = new Map();
  typing = new Map();
  online = new Set();
  accountSeq = 0;
  #fetching = new Map();
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
    for (const each of news.dialogs) if (each.dialog) this.#keep(each.dialog);
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
    const first = Math.min(...dialog.messages.keys());
    if (!dialog.hasBefore || !Number.isFinite(first)) return false;
    const page = await this.#session.call("GET", `/v1/dialogs/${id}/messages?before_seq=${first}&limit=50`);
    for (const each of page.items) dialog.messages.set(each.seq, each);
    dialog.hasBefore = page.has_before;
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
    else if (dialog && frame.type === "read.changed" && frame.read_seq > dialog.me.read_seq) this.refresh(frame.dialog_id);
    else if (dialog && frame.type === "message.hidden") dialog.messages?.delete(frame.message_seq);
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

  #change(dialog, frame, fresh) {
    const messages = dialog.messages;
    const subject = messages?.get(frame.message_seq);
    switch (frame.type) {
      case "message.new":
        messages?.set(frame.seq, frame.message);
        dialog.last_message = frame.message;
        this.typing.get(dialog.dialog_id)?.delete(frame.message.sender_id);
        if (fresh && frame.message.sender_id !== this.#me) dialog.me.unread++;
        break;
      case "message.edited":
        messages?.set(frame.message_seq, { ...frame.message, reactions: this.#mine(subject, frame.message.reactions) });
        break;
      case "message.deleted":
        if (subject) Object.assign(subject, { content: null, deleted_at: frame.at, reactions: [], poll: null, card: null });
        break;
      case "reaction.changed":
        if (subject) this.#react(subject, frame);
        break;
      case "pin.changed":
        if (subject) subject.pinned = frame.pinned;
        break;
      case "poll.changed":
        if (subject) subject.poll = { ...frame.poll, mine: subject.poll?.mine };
        break;
      case "card.changed":
        if (subject) subject.card = frame.card;
        break;
      case "dialog.changed":
        Object.assign(dialog, frame.dialog);
        break;
      case "member.changed":
        this.people.delete(frame.member.user_id);
        if (frame.member.status === "active") this.names(dialog.dialog_id).catch(() => {});
        break;
    }
    if (dialog.last_message?.seq === frame.message_seq && subject) dialog.last_message = messages.get(frame.message_seq);
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
    dialog.messages = new Map(page.items.map((each) => [each.seq, each]));
    dialog.hasBefore = page.has_before;
    dialog.position = page.last_seq;
    this.#changed(id);
    if (behind) await this.#fill(dialog);
  }

  #keep(dialog) {
    const before = this.dialogs.get(dialog.dialog_id);
    if (dialog.peer) this.people.set(dialog.peer.user_id, dialog.peer);
    this.dialogs.set(dialog.dialog_id, { ...before, ...dialog, position: dialog.last_seq });
  }

  #drop(id) {
    this.dialogs.delete(id);
    this.#changed(id);
  }

  #changed(id) {
    this.dispatchEvent(new CustomEvent("change", { detail: id }));
  }
}
