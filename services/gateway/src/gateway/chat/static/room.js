// What one session shows and sends: its store fed by its socket, and what the person does turned into requests.
//
// A room is made when a session begins and is over when that ends: what it awaited is not drawn any more.

import { signOut } from "./account.js";
import { Images } from "./images.js";
import { $, fill, problem } from "./page.js";
import { Refused } from "./request.js";
import { Socket } from "./socket.js";
import { Store } from "./store.js";
import { arrange, dialogRow, messageRow, summary, titleOf } from "./view.js";

export class Room {
  #session;
  #store;
  #socket;
  #images;
  #outbox = new Map();
  #rows = new WeakMap();
  #openId;
  #answering;
  #editing;
  #beforeEdit = "";
  #drafts = new Map();
  #typedAt = 0;
  #drawing = false;

  constructor(session) {
    this.#session = session;
    this.#images = new Images(session);
    this.#store = new Store(session);
    this.#socket = new Socket(session, () => this.#store.positions());
    this.#store.addEventListener("change", () => this.#draw());
    this.#socket.addEventListener("frame", (event) => this.#hear(event.detail));
    this.#socket.addEventListener("state", (event) => this.#link(event.detail));
  }

  async run() {
    $("my-id").textContent = this.#session.user_id;
    this.#session.name().then((found) => ($("me").textContent = found)).catch(() => {});
    if (!(await this.#load())) return;
    this.#socket.run();
    if (location.hash.length > 1) this.#openDialog(location.hash.slice(1));
  }

  async #load() {
    for (;;) {
      try {
        await this.#store.load();
        return true;
      } catch (error) {
        this.#session.check();
        if (error instanceof Refused && error.status < 500 && error.status !== 429) {
          signOut();
          return false;
        }
        await this.#session.pause(1500);
      }
    }
  }

  #link(live) {
    if (this.#session.ended) return;
    $("link").classList.toggle("live", live);
    $("link").title = live ? "Connected" : "Connecting again";
    if (live) this.#watchPresence();
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
    if (list.scrollTop < 80 && this.#openId) {
      const height = list.scrollHeight;
      if (await this.#store.earlier(this.#openId)) {
        await new Promise(requestAnimationFrame);
        this.#session.check();
        list.scrollTop += list.scrollHeight - height;
      }
    }
    if (atEnd()) {
      $("down").hidden = true;
      this.seen();
    }
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
      await this.#store.refresh(made.dialog_id);
      this.#openDialog(made.dialog_id);
    } catch (error) {
      this.#session.check();
      problem("open-problem", error);
      dialog.showModal();
    }
  }

  async #openDialog(id) {
    if (!this.#store.dialogs.has(id)) return;
    this.#putAside();
    this.#openId = id;
    this.#takeUp();
    history.replaceState(null, "", `#${id}`);
    $("room").classList.add("talking");
    $("talk").classList.add("on");
    const dialog = await this.#store.open(id);
    this.#session.check();
    if (!dialog || this.#openId !== id) return;
    if (dialog.kind !== "direct") this.#store.names(id).catch(() => {});
    this.#draw();
    this.toEnd();
    if (matchMedia("(min-width: 44rem)").matches) $("words").focus();
  }

  // Half-written words wait in their dialog, with what they answer or edit.
  #putAside() {
    const draft = { words: $("words").value, answering: this.#answering, editing: this.#editing, beforeEdit: this.#beforeEdit };
    if (this.#openId) this.#drafts.set(this.#openId, draft);
  }

  #takeUp() {
    const draft = this.#drafts.get(this.#openId);
    this.#answering = draft?.answering;
    this.#editing = draft?.editing;
    this.#beforeEdit = draft?.beforeEdit ?? "";
    this.#showAnswering();
    fill(draft?.words ?? "");
  }

  closeDialog() {
    this.#putAside();
    this.#openId = undefined;
    this.#takeUp();
    history.replaceState(null, "", "#");
    $("room").classList.remove("talking");
    $("talk").classList.remove("on");
    this.#draw();
  }

  async say() {
    const text = $("words").value.trim();
    if (!text) return;
    fill("");
    if (this.#editing) {
      const { seq, version } = this.#editing;
      const path = `/v1/dialogs/${this.#openId}/messages/${seq}`;
      this.answerTo(null);
      await this.#attempt(() => this.#session.call("PATCH", path, { content: { type: "text", text }, version }));
      return;
    }
    const reply = this.#answering?.seq;
    this.answerTo(null);
    await this.#post(this.#openId, { type: "text", text }, reply);
  }

  // Shown at once, sent until it is answered, with the same id every time.
  async #post(dialogId, content, reply_to_seq) {
    const body = { client_message_id: crypto.randomUUID(), content, ...(reply_to_seq ? { reply_to_seq } : {}) };
    const shownNow = { ...body, dialogId, sender_id: this.#session.user_id, sent_at: new Date().toISOString(), pending: true, reactions: [], attachments: [] };
    this.#outbox.set(body.client_message_id, shownNow);
    this.#draw();
    this.toEnd();
    try {
      await this.#session.call("POST", `/v1/dialogs/${dialogId}/messages`, body, { tries: 8 });
      shownNow.pending = false;
      this.#after(4000, () => this.#outbox.delete(body.client_message_id) && this.#store.refresh(dialogId));
    } catch (error) {
      this.#session.check();
      shownNow.pending = false;
      shownNow.failed = error.message;
    }
    this.#draw();
  }

  async sendImage(file) {
    $("image").value = "";
    if (!file) return;
    const dialogId = this.#openId;
    $("typing").textContent = "Sending the image …";
    await this.#attempt(async () => {
      const id = await this.#images.upload(file, (share) => ($("typing").textContent = `Sending the image … ${Math.round(share * 100)} %`));
      await this.#post(dialogId, { type: "image", attachment_ids: [id] });
    });
    this.#draw();
  }

  async #attempt(act) {
    try {
      await act();
    } catch (error) {
      this.#session.check();
      $("typing").textContent = error.message;
      $("typing").classList.add("problem");
      this.#after(5000, () => $("typing").classList.remove("problem"));
    }
  }

  async #after(ms, act) {
    await this.#session.pause(ms);
    act();
  }

  // With null, not any more. The words stay; those from before an edit come back after it.
  answerTo(message, { edit = false } = {}) {
    if (this.#editing) fill(this.#beforeEdit);
    if (edit) {
      this.#beforeEdit = $("words").value;
      fill(message.content.text);
    }
    this.#answering = edit ? null : message;
    this.#editing = edit ? message : null;
    this.#showAnswering();
    if (message) $("words").focus();
  }

  #showAnswering() {
    const message = this.#editing ?? this.#answering;
    $("answering").hidden = !message;
    $("answering").querySelector("span").textContent = message ? `${this.#editing ? "Edit" : "Reply to"}: ${summary(message)}` : "";
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
        online: each.peer && this.#store.online.has(each.peer.user_id),
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
    if (!dialog) {
      if (this.#openId) this.closeDialog();
      return;
    }
    $("talk-title").textContent = titleOf(dialog);
    $("talk-note").textContent = this.#note(dialog);
    if (!dialog.messages) return;
    const list = $("messages");
    const end = atEnd();
    const waiting = [...this.#outbox.values()].filter((each) => each.dialogId === this.#openId);
    const known = new Set([...dialog.messages.values()].map((each) => each.client_message_id));
    const stored = [...dialog.messages.values()].sort((a, b) => a.seq - b.seq);
    const context = this.#context(dialog);
    arrange(list, [...stored, ...waiting.filter((each) => !known.has(each.client_message_id))].map((each) => this.#row(each, context)));
    if (end) this.toEnd();
    else if (dialog.me.unread) $("down").hidden = false;
    this.#drawTyping();
  }

  // A row is drawn again only when its message is another.
  #row(message, context) {
    const own = message.sender_id === context.myId;
    const state = `${JSON.stringify(message)}${own ? context.stateOf(message) : context.nameOf(message.sender_id)}`;
    const held = this.#rows.get(message);
    if (held?.state === state) return held.made;
    const made = messageRow(message, context);
    if (held?.made.classList.contains("tapped")) made.classList.add("tapped");
    this.#rows.set(message, { state, made });
    return made;
  }

  #context(dialog) {
    const session = this.#session;
    const path = (message) => `/v1/dialogs/${dialog.dialog_id}/messages/${message.seq}`;
    return {
      myId: session.user_id,
      many: dialog.kind !== "direct",
      nameOf: (user) => this.#nameOf(user),
      messageAt: (seq) => dialog.messages.get(seq),
      attachment: (each) => this.#images.shown(each),
      stateOf: (message) => {
        if (message.failed) return `not sent: ${message.failed}`;
        if (message.pending || !message.seq) return "…";
        if ((dialog.read ?? 0) >= message.seq) return "✓✓ read";
        return (dialog.delivered ?? 0) >= message.seq ? "✓✓" : "✓";
      },
      onreact: (message, emoji, added) => this.#attempt(() => session.call(added ? "PUT" : "DELETE", `${path(message)}/reactions/${encodeURIComponent(emoji)}`)),
      onvote: (message, options) => this.#attempt(async () => {
        message.poll = await session.call("PUT", `${path(message)}/vote`, { options });
        this.#draw();
      }),
      onreply: (message) => this.answerTo(message),
      onedit: (message) => this.answerTo(message, { edit: true }),
      ondelete: (message) => this.#attempt(() => session.call("DELETE", path(message))),
    };
  }

  #nameOf(user) {
    return this.#store.people.get(user)?.display_name ?? "Somebody";
  }

  #note(dialog) {
    if (dialog.closed_at) return "Closed";
    if (dialog.peer) return this.#store.online.has(dialog.peer.user_id) ? "online" : "";
    return `${dialog.member_count} members`;
  }

  #drawTyping() {
    const who = [...(this.#store.typing.get(this.#openId)?.keys() ?? [])].map((each) => this.#nameOf(each));
    if (!$("typing").classList.contains("problem")) $("typing").textContent = who.length ? `${who.join(", ")} ${who.length > 1 ? "are" : "is"} typing …` : "";
  }
}

const atEnd = () => $("messages").scrollHeight - $("messages").scrollTop - $("messages").clientHeight < 60;
