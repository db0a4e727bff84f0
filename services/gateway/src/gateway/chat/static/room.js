// What one session shows and sends: its store fed by its socket, and what the person does turned into requests.
//
// A room is made when a session begins and is over when that ends: what it awaited is not drawn any more.

import { signOut } from "./account.js";
import { Drafts } from "./drafts.js";
import { Images } from "./images.js";
import { $, problem } from "./page.js";
import { passes } from "./request.js";
import { stop } from "./rows.js";
import { Socket } from "./socket.js";
import { Store } from "./store.js";
import { arrange, dialogRow, messageRow, quote, titleOf } from "./view.js";
import { Votes } from "./votes.js";

const NOTICE_MS = 10_000;
const CHANGED = "messaging.message.changed_meanwhile";
const NOTHING_TO_ANSWER = "messaging.message.reply_target_missing";

export class Room {
  #session;
  #store;
  #socket;
  #images;
  #votes;
  #outbox = new Map();
  #edits = new Map();
  #notices = new Map();
  #rows = new WeakMap();
  #drafts = new Drafts();
  #openId;
  #drawnId;
  #typedAt = 0;
  #drawing = false;

  constructor(session) {
    this.#session = session;
    this.#images = new Images(session);
    this.#store = new Store(session);
    this.#votes = new Votes(session, this.#store);
    this.#socket = new Socket(session, () => this.#store.positions());
    this.#store.addEventListener("change", () => this.#draw());
    this.#socket.addEventListener("frame", (event) => this.#hear(event.detail));
    this.#socket.addEventListener("state", (event) => this.#link(event.detail));
  }

  async run() {
    $("my-id").textContent = this.#session.user_id;
    this.#session.until(() => this.#session.name()).then((found) => ($("me").textContent = found)).catch(() => {});
    if (!(await this.#load())) return;
    this.#socket.run();
    if (location.hash.length > 1) this.#openDialog(location.hash.slice(1));
  }

  async #load() {
    try {
      await this.#store.load();
      return true;
    } catch {
      this.#session.check();
      signOut();
      return false;
    }
  }

  #link(live) {
    if (this.#session.ended) return;
    $("link").classList.toggle("live", live);
    $("link").title = live ? "Connected" : "Connecting again";
    if (live) this.#watchPresence();
    else this.#store.people.alone();
  }

  #hear(frame) {
    this.#store.apply(frame);
    if (frame.type === "message.new" && frame.dialog_id === this.#openId) {
      this.#outbox.delete(frame.message.client_message_id);
      this.seen();
    }
    if (frame.type === "dialog.added") this.#after(500, () => this.#watchPresence());
  }

  #watchPresence() {
    const peers = [...this.#store.dialogs.values()].map((each) => each.peer?.user_id).filter(Boolean);
    this.#socket.send({ type: "presence.watch", user_ids: [...new Set(peers)].slice(0, 200) });
  }

  typing() {
    if (!$("words").value || Date.now() - this.#typedAt <= 3000) return;
    this.#typedAt = Date.now();
    this.#socket.send({ type: "typing", dialog_id: this.#openId });
  }

  async scrolled() {
    const list = $("messages");
    if (list.scrollTop < 80 && this.#openId) await this.#attempt(this.#openId, () => this.#earlier(this.#openId));
    if (atEnd()) {
      $("down").hidden = true;
      this.seen();
    }
  }

  async #earlier(id) {
    const list = $("messages");
    const height = list.scrollHeight;
    if (!(await this.#store.earlier(id)) || this.#openId !== id) return;
    await new Promise(requestAnimationFrame);
    this.#session.check();
    if (this.#openId === id) list.scrollTop += list.scrollHeight - height;
  }

  async openNew() {
    const dialog = $("opener");
    if (dialog.returnValue !== "go") return;
    const form = new FormData(dialog.querySelector("form"));
    const user_ids = form.get("people").split(/\s+/).filter(Boolean);
    const kind = user_ids.length === 1 && !form.get("title") ? "direct" : "group";
    try {
      const made = await this.#session.call("POST", "/v1/dialogs", { kind, user_ids, ...(kind === "group" ? { title: form.get("title") } : {}) });
      problem("open-problem", null);
      dialog.querySelector("form").reset();
      this.#store.add(made);
      this.#openDialog(made.dialog_id);
    } catch (error) {
      this.#session.check();
      problem("open-problem", error);
      dialog.showModal();
    }
  }

  // What stands on the page is this dialog's from now on, whatever there is of it.
  #openDialog(id) {
    if (!this.#store.dialogs.has(id)) return;
    this.#openId = id;
    this.#drafts.open(id);
    history.replaceState(null, "", `#${id}`);
    $("room").classList.add("talking");
    $("talk").classList.add("on");
    this.#draw();
    if (matchMedia("(min-width: 44rem)").matches) $("words").focus();
    if (this.#store.dialogs.get(id).kind !== "direct") this.#store.people.nameAll(id);
    this.ask(id);
  }

  // For the messages of the dialog that is open, at once.
  ask(id = this.#openId) {
    this.#store.open(id, () => this.#openId === id);
  }

  closeDialog() {
    this.#openId = undefined;
    this.#drafts.open(undefined);
    history.replaceState(null, "", "#");
    $("room").classList.remove("talking");
    $("talk").classList.remove("on");
    this.#draw();
  }

  async say() {
    if (!$("words").value.trim()) return;
    const dialogId = this.#openId;
    const { text, editing, answering } = this.#drafts.take();
    if (editing) await this.#edit(dialogId, text, editing);
    else await this.#post(dialogId, { type: "text", text }, answering);
  }

  // Shown at once. What is refused is written again, as an edit of what stands there now.
  async #edit(dialogId, text, { seq, version }) {
    const key = `${dialogId}/${seq}`;
    const content = { type: "text", text };
    const shownNow = { ...this.#store.message(dialogId, seq), content, pending: true };
    if (shownNow.seq) this.#edits.set(key, shownNow);
    this.#draw();
    try {
      this.#store.edited(dialogId, await this.#session.call("PATCH", `/v1/dialogs/${dialogId}/messages/${seq}`, { content, version }));
    } catch (error) {
      this.#session.check();
      if (error.code === CHANGED) version = await this.#versionOf(dialogId, seq, version);
      this.#drafts.giveBack(dialogId, text, { seq, version });
      this.#notify(dialogId, error.message, { problem: true });
    }
    if (this.#edits.get(key) === shownNow) this.#edits.delete(key);
    this.#draw();
  }

  async #versionOf(dialogId, seq, version) {
    try {
      return (await this.#session.call("GET", `/v1/dialogs/${dialogId}/messages/${seq}`)).version;
    } catch {
      this.#session.check();
      return this.#store.message(dialogId, seq)?.version ?? version;
    }
  }

  #post(dialogId, content, reply_to_seq) {
    const client_message_id = crypto.randomUUID();
    return this.#send({ client_message_id, content, reply_to_seq, dialogId, sender_id: this.#session.user_id, reactions: [], attachments: [] });
  }

  // Shown at once, sent until it is answered, with the same id every time.
  async #send(shownNow) {
    const { client_message_id, content, reply_to_seq, dialogId } = shownNow;
    const body = { client_message_id, content, ...(reply_to_seq ? { reply_to_seq } : {}) };
    Object.assign(shownNow, { sent_at: new Date().toISOString(), pending: true, failed: undefined });
    this.#outbox.set(client_message_id, shownNow);
    this.#draw();
    this.toEnd();
    try {
      await this.#session.call("POST", `/v1/dialogs/${dialogId}/messages`, body, { tries: 8 });
      shownNow.pending = false;
      this.#after(4000, () => this.#outbox.delete(client_message_id) && this.#store.refresh(dialogId));
    } catch (error) {
      this.#session.check();
      this.#notSent(shownNow, error);
    }
    this.#draw();
  }

  // Refused words are written again, if nothing else is. Everything else stays where it stands, to be sent again: it may
  // have come to the server, which knows it by its id.
  #notSent(shownNow, error) {
    const { client_message_id, content, dialogId } = shownNow;
    if (error.code === NOTHING_TO_ANSWER) shownNow.reply_to_seq = undefined;
    if (!passes(error) && content.text && this.#drafts.giveBackMessage(dialogId, content.text, shownNow.reply_to_seq ?? null)) {
      this.#outbox.delete(client_message_id);
      this.#notify(dialogId, error.message, { problem: true });
    } else Object.assign(shownNow, { pending: false, failed: error.message });
  }

  async sendImage(file) {
    $("image").value = "";
    if (!file) return;
    const dialogId = this.#openId;
    const tell = (share) => this.#notify(dialogId, `Sending the image … ${share}`);
    tell("");
    await this.#attempt(dialogId, async () => {
      const id = await this.#images.upload(file, (share) => tell(`${Math.round(share * 100)} %`));
      this.#notices.delete(dialogId);
      await this.#post(dialogId, { type: "image", attachment_ids: [id] });
    });
  }

  async #attempt(dialogId, act) {
    try {
      await act();
    } catch (error) {
      this.#session.check();
      this.#notify(dialogId, error.message, { problem: true });
    }
  }

  // Told in the dialog it is about, above its words; a problem for a while.
  #notify(dialogId, text, { problem = false } = {}) {
    const notice = { text, problem };
    this.#notices.set(dialogId, notice);
    this.#draw();
    if (!problem) return;
    this.#after(NOTICE_MS, () => {
      if (this.#notices.get(dialogId) === notice) this.#notices.delete(dialogId);
      this.#draw();
    });
  }

  async #after(ms, act) {
    await this.#session.pause(ms);
    act();
  }

  // The words go on as words of their own, or as they were before the edit.
  giveUp() {
    this.#drafts.giveUp();
    this.#draw();
  }

  // Everything that can be seen is read, when somebody looks.
  seen() {
    const dialog = this.#store.dialogs.get(this.#openId);
    if (!dialog?.messages || document.hidden || !atEnd() || dialog.position <= dialog.me.read_seq) return;
    dialog.me.read_seq = dialog.position;
    dialog.me.unread = 0;
    if (!this.#socket.send({ type: "ack", dialog_id: this.#openId, read_seq: dialog.position })) {
      this.#session.call("PUT", `/v1/dialogs/${this.#openId}/read-cursor`, { read_seq: dialog.position }).catch(() => {});
    }
    this.#draw();
  }

  toEnd() {
    requestAnimationFrame(() => {
      if (this.#session.ended) return;
      $("messages").scrollTop = $("messages").scrollHeight;
      this.seen();
    });
  }

  #draw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      if (this.#session.ended) return;
      this.#drawDialogs();
      this.#drawTalk();
    });
  }

  #drawDialogs() {
    const dialogs = this.#store.sorted();
    $("no-dialogs").hidden = dialogs.length > 0;
    const standing = new Map([...$("dialogs").children].map((each) => [each.dataset.dialog, each]));
    const rows = dialogs.map((each) => {
      const made = dialogRow(each, {
        open: each.dialog_id === this.#openId,
        online: each.peer && this.#store.people.isHere(each.peer.user_id),
        onopen: () => this.#openDialog(each.dialog_id),
      });
      const stands = standing.get(each.dialog_id);
      return stands?.isEqualNode(made) ? stands : made;
    });
    arrange($("dialogs"), rows);
    const unread = dialogs.reduce((sum, each) => sum + each.me.unread, 0);
    document.title = unread ? `(${unread}) Sampan chat` : "Sampan chat";
  }

  #drawTalk() {
    const dialog = this.#store.dialogs.get(this.#openId);
    if (!dialog && this.#openId) this.closeDialog();
    $("talk-title").textContent = dialog ? titleOf(dialog) : "";
    $("talk-note").textContent = dialog ? this.#note(dialog) : "";
    const missing = !dialog?.messages && dialog?.problem;
    $("missing").hidden = !missing;
    $("missing").querySelector("span").textContent = missing ? `The messages could not be read: ${missing.message}` : "";
    const end = this.#drawnId !== this.#openId || atEnd();
    this.#drawnId = this.#openId;
    const shown = dialog ? this.#shown(dialog) : [];
    const context = dialog && this.#context(dialog);
    arrange($("messages"), shown.map((each) => this.#row(each, context)));
    stop($("messages"));
    this.#images.keep(new Set(shown.flatMap((each) => each.attachments.map((one) => one.attachment_id))));
    if (end) this.toEnd();
    $("down").hidden = end || ($("down").hidden && !dialog?.me.unread);
    this.#drawAbout();
    this.#drawNotice();
  }

  // The page as far as there is one, then what is on its way to it.
  #shown(dialog) {
    const stored = [...(dialog.messages?.values() ?? [])].sort((a, b) => a.seq - b.seq);
    const known = new Set(stored.map((each) => each.client_message_id));
    const waiting = [...this.#outbox.values()].filter((each) => each.dialogId === dialog.dialog_id && !known.has(each.client_message_id));
    return [...stored.map((each) => (!each.deleted_at && this.#edits.get(`${dialog.dialog_id}/${each.seq}`)) || each), ...waiting];
  }

  // A row is drawn again only when its message is another.
  #row(message, context) {
    const own = message.sender_id === context.myId;
    const about = message.reply_to_seq ? context.quoteOf(message) : "";
    const state = `${JSON.stringify(message)}${about}${own ? context.stateOf(message) : context.nameOf(message.sender_id)}`;
    const held = this.#rows.get(message);
    if (held?.state === state) return held.made;
    const made = messageRow(message, context);
    if (held?.made.classList.contains("tapped")) made.classList.add("tapped");
    this.#rows.set(message, { state, made });
    return made;
  }

  #context(dialog) {
    const session = this.#session;
    const id = dialog.dialog_id;
    const path = (message) => `/v1/dialogs/${id}/messages/${message.seq}`;
    return {
      myId: session.user_id,
      many: dialog.kind !== "direct",
      nameOf: (user) => this.#store.people.nameOf(user, id),
      quoteOf: (message) => quote(this.#store.quoted(id, message.reply_to_seq)),
      attachment: (each) => this.#images.shown(each),
      stateOf: (message) => {
        if (message.failed) return `not sent: ${message.failed}`;
        if (message.pending || !message.seq) return "…";
        if ((dialog.read ?? 0) >= message.seq) return "✓✓ read";
        return (dialog.delivered ?? 0) >= message.seq ? "✓✓" : "✓";
      },
      onreact: (message, emoji, added) => this.#attempt(id, () => session.call(added ? "PUT" : "DELETE", `${path(message)}/reactions/${encodeURIComponent(emoji)}`)),
      onvote: (message, option) => this.#attempt(id, () => this.#votes.choose(id, message.seq, option)),
      onagain: (message) => {
        $("words").focus(); // the button goes
        this.#send(message);
      },
      onreply: (message) => this.#write(() => this.#drafts.answer(message.seq)),
      onedit: (message) => this.#write(() => this.#drafts.edit(message)),
      ondelete: (message) => this.#attempt(id, () => session.call("DELETE", path(message))),
    };
  }

  #write(act) {
    act();
    this.#draw();
  }

  #note(dialog) {
    if (dialog.closed_at) return "Closed";
    if (dialog.peer) return this.#store.people.isHere(dialog.peer.user_id) ? "online" : "";
    return `${dialog.member_count} members`;
  }

  // What the words answer or edit, as it is now.
  #drawAbout() {
    const seq = this.#drafts.about;
    $("answering").hidden = !seq;
    $("answering").querySelector("span").textContent = seq ? `${this.#drafts.editing ? "Edit" : "Reply to"}: ${quote(this.#store.quoted(this.#openId, seq))}` : "";
  }

  #drawNotice() {
    const notice = this.#notices.get(this.#openId);
    const who = this.#store.people.typingIn(this.#openId);
    const typing = who.length ? `${who.join(", ")} ${who.length > 1 ? "are" : "is"} typing …` : "";
    $("typing").classList.toggle("problem", notice?.problem ?? false);
    $("typing").textContent = notice?.text ?? typing;
  }
}

const atEnd = () => $("messages").scrollHeight - $("messages").scrollTop - $("messages").clientHeight < 60;
