// The client: signs in, keeps the store fed by the socket, turns what people do into requests.

import { call, me, name, pause, Refused, signIn, signOut, signUp } from "./api.js";
import { forgetLinks, open, shown, upload } from "./images.js";
import { Socket } from "./socket.js";
import { Store } from "./store.js";
import { arrange, dialogRow, messageRow, summary, titleOf } from "./view.js";

const $ = (id) => document.getElementById(id);
let store, socket, openId, answering, editing;
let outbox = new Map();
let typedAt = 0;
let drawing = false;

start();

async function start() {
  wireDoor();
  wireRoom();
  addEventListener("signed-out", leave);
  addEventListener("signed-in", enter);
  if (me()) await enter();
  else $("door").hidden = false;
}

function wireDoor() {
  const form = $("sign");
  $("sign-swap").onclick = () => {
    form.classList.toggle("up");
    const up = form.classList.contains("up");
    $("sign-go").textContent = up ? "Sign up" : "Sign in";
    $("sign-swap").textContent = up ? "You have an account? Sign in" : "New here? Sign up";
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    const { name, email, password, country } = Object.fromEntries(new FormData(form));
    $("sign-go").disabled = true;
    try {
      await (form.classList.contains("up") ? signUp(name, email, password, country) : signIn(email, password));
      problem("sign-problem", null);
      await enter();
    } catch (error) {
      problem("sign-problem", error);
    } finally {
      $("sign-go").disabled = false;
    }
  };
}

async function enter() {
  $("door").hidden = true;
  $("room").hidden = false;
  $("my-id").textContent = me().user_id;
  const mine = (store = new Store());
  const wire = (socket = new Socket(() => mine.positions()));
  const here = () => store === mine;
  mine.addEventListener("change", () => here() && draw());
  wire.addEventListener("frame", (event) => here() && hear(event.detail));
  wire.addEventListener("state", (event) => {
    if (!here()) return;
    $("link").classList.toggle("live", event.detail);
    $("link").title = event.detail ? "Connected" : "Connecting again";
    if (event.detail) watchPresence();
  });
  name().then((found) => here() && ($("me").textContent = found)).catch(() => {});
  while (here()) {
    try {
      await mine.load();
      break;
    } catch (error) {
      if (error instanceof Refused && error.status < 500 && error.status !== 429) return here() && leave();
      await pause(1500);
    }
  }
  if (!here()) return;
  wire.run();
  if (location.hash.length > 1) openDialog(location.hash.slice(1));
}

// Nothing of whoever was signed in stays: not on the page, not in memory, not in the address or the title.
function leave() {
  socket?.stop();
  store = socket = openId = answering = editing = undefined;
  outbox = new Map();
  forgetLinks();
  for (const id of ["dialogs", "messages", "me", "my-id", "talk-title", "talk-note", "typing", "sign-problem", "open-problem"]) $(id).replaceChildren();
  $("answering").querySelector("span").replaceChildren();
  for (const form of document.forms) form.reset();
  for (const viewer of document.querySelectorAll("dialog.viewer")) viewer.remove();
  if ($("opener").open) $("opener").close("left");
  for (const id of ["answering", "down", "no-dialogs", "sign-problem", "open-problem"]) $(id).hidden = true;
  $("link").classList.remove("live");
  document.title = "Sampan chat";
  history.replaceState(null, "", location.pathname);
  $("room").hidden = true;
  $("room").classList.remove("talking");
  $("talk").classList.remove("on");
  $("door").hidden = false;
}

function hear(frame) {
  store.apply(frame);
  if (frame.type === "message.new" && frame.dialog_id === openId) {
    outbox.delete(frame.message.client_message_id);
    seen();
  }
  if (frame.type === "dialog.added") setTimeout(watchPresence, 500);
}

function watchPresence() {
  if (!store) return;
  const peers = [...store.dialogs.values()].map((each) => each.peer?.user_id).filter(Boolean);
  socket.send({ type: "presence.watch", user_ids: [...new Set(peers)].slice(0, 200) });
}

function wireRoom() {
  $("out").onclick = () => signOut();
  $("back").onclick = () => closeDialog();
  $("new").onclick = () => $("opener").showModal();
  $("opener").onclose = () => openNew();
  $("say").onsubmit = (event) => {
    event.preventDefault();
    say();
  };
  const words = $("words");
  words.oninput = () => {
    words.style.height = "auto";
    words.style.height = `${words.scrollHeight}px`;
    if (words.value && Date.now() - typedAt > 3000) {
      typedAt = Date.now();
      socket.send({ type: "typing", dialog_id: openId });
    }
  };
  words.onkeydown = (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      say();
    }
    if (event.key === "Escape") answerTo(null);
  };
  $("answering").querySelector("button").onclick = () => answerTo(null);
  $("image").onchange = () => sendImage($("image").files[0]);
  const list = $("messages");
  list.onscroll = async () => {
    if (list.scrollTop < 80 && store && openId) {
      const height = list.scrollHeight;
      if (await store.earlier(openId)) {
        await new Promise(requestAnimationFrame);
        list.scrollTop += list.scrollHeight - height;
      }
    }
    if (atEnd()) {
      $("down").hidden = true;
      seen();
    }
  };
  list.onclick = (event) => {
    const row = event.target.closest("li");
    for (const each of list.querySelectorAll(".tapped")) if (each !== row) each.classList.remove("tapped");
    row?.classList.toggle("tapped", !event.target.closest("button") && !row.classList.contains("tapped"));
  };
  $("down").onclick = () => toEnd();
  document.addEventListener("visibilitychange", () => document.hidden || seen());
}

async function openNew() {
  const dialog = $("opener");
  if (dialog.returnValue !== "go") return;
  const form = new FormData(dialog.querySelector("form"));
  const user_ids = form.get("people").split(/\s+/).filter(Boolean);
  const kind = user_ids.length === 1 && !form.get("title") ? "direct" : "group";
  try {
    const made = await call("POST", "/v1/dialogs", { kind, user_ids, ...(kind === "group" ? { title: form.get("title") } : {}) });
    problem("open-problem", null);
    dialog.querySelector("form").reset();
    await store?.refresh(made.dialog_id);
    openDialog(made.dialog_id);
  } catch (error) {
    problem("open-problem", error);
    dialog.showModal();
  }
}

async function openDialog(id) {
  if (!store?.dialogs.has(id)) return;
  openId = id;
  answerTo(null);
  history.replaceState(null, "", `#${id}`);
  $("room").classList.add("talking");
  $("talk").classList.add("on");
  const dialog = await store.open(id);
  if (!store || !dialog || openId !== id) return;
  if (dialog.kind !== "direct") store.names(id).catch(() => {});
  draw();
  toEnd();
  if (matchMedia("(min-width: 44rem)").matches) $("words").focus();
}

function closeDialog() {
  openId = undefined;
  history.replaceState(null, "", "#");
  $("room").classList.remove("talking");
  $("talk").classList.remove("on");
  draw();
}

async function say() {
  const text = $("words").value.trim();
  if (!text) return;
  $("words").value = "";
  $("words").style.height = "auto";
  if (editing) {
    const message = editing;
    answerTo(null);
    await attempt(() => call("PATCH", `/v1/dialogs/${openId}/messages/${message.seq}`, { content: { type: "text", text }, version: message.version }));
    return;
  }
  const reply = answering?.seq;
  answerTo(null);
  post(openId, { type: "text", text }, reply);
}

// Shown at once, sent until it is answered, with the same id every time.
async function post(dialogId, content, reply_to_seq) {
  const body = { client_message_id: crypto.randomUUID(), content, ...(reply_to_seq ? { reply_to_seq } : {}) };
  const shownNow = { ...body, dialogId, sender_id: me().user_id, sent_at: new Date().toISOString(), pending: true, reactions: [], attachments: [] };
  outbox.set(body.client_message_id, shownNow);
  draw();
  toEnd();
  try {
    await call("POST", `/v1/dialogs/${dialogId}/messages`, body, { tries: 8 });
    shownNow.pending = false;
    setTimeout(() => {
      if (outbox.delete(body.client_message_id)) store?.refresh(dialogId);
    }, 4000);
  } catch (error) {
    shownNow.pending = false;
    shownNow.failed = error.message;
  }
  draw();
}

async function sendImage(file) {
  $("image").value = "";
  if (!file) return;
  const dialogId = openId;
  $("typing").textContent = "Sending the image …";
  await attempt(async () => {
    const id = await upload(file, (share) => ($("typing").textContent = `Sending the image … ${Math.round(share * 100)} %`));
    await post(dialogId, { type: "image", attachment_ids: [id] });
  });
  draw();
}

async function attempt(act) {
  try {
    await act();
  } catch (error) {
    $("typing").textContent = error.message;
    $("typing").classList.add("problem");
    setTimeout(() => $("typing").classList.remove("problem"), 5000);
  }
}

function answerTo(message, { edit = false } = {}) {
  answering = edit ? null : message;
  editing = edit ? message : null;
  $("answering").hidden = !message;
  $("answering").querySelector("span").textContent = message ? `${edit ? "Edit" : "Reply to"}: ${summary(message)}` : "";
  if (edit) $("words").value = message.content.text;
  else if (!message) $("words").value = "";
  if (message) $("words").focus();
}

// Everything that can be seen is read, when somebody looks.
function seen() {
  const dialog = store?.dialogs.get(openId);
  if (!dialog?.messages || document.hidden || !atEnd() || dialog.position <= dialog.me.read_seq) return;
  dialog.me.read_seq = dialog.position;
  dialog.me.unread = 0;
  if (!socket.send({ type: "ack", dialog_id: openId, read_seq: dialog.position })) {
    call("PUT", `/v1/dialogs/${openId}/read-cursor`, { read_seq: dialog.position }).catch(() => {});
  }
  draw();
}

const atEnd = () => $("messages").scrollHeight - $("messages").scrollTop - $("messages").clientHeight < 60;

function toEnd() {
  requestAnimationFrame(() => {
    $("messages").scrollTop = $("messages").scrollHeight;
    seen();
  });
}

function problem(id, error) {
  $(id).hidden = !error;
  $(id).textContent = error ? error.message : "";
}

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (!store) return;
    drawDialogs();
    drawTalk();
  });
}

function drawDialogs() {
  const dialogs = store.sorted();
  $("no-dialogs").hidden = dialogs.length > 0;
  const standing = new Map([...$("dialogs").children].map((each) => [each.dataset.dialog, each]));
  const rows = dialogs.map((each) => {
    const made = dialogRow(each, { open: each.dialog_id === openId, online: each.peer && store.online.has(each.peer.user_id), onopen: () => openDialog(each.dialog_id) });
    const stands = standing.get(each.dialog_id);
    return stands?.isEqualNode(made) ? stands : made;
  });
  arrange($("dialogs"), rows);
  const unread = dialogs.reduce((sum, each) => sum + each.me.unread, 0);
  document.title = unread ? `(${unread}) Sampan chat` : "Sampan chat";
}

function drawTalk() {
  const dialog = store.dialogs.get(openId);
  if (!dialog) {
    if (openId) closeDialog();
    return;
  }
  $("talk-title").textContent = titleOf(dialog);
  $("talk-note").textContent = note(dialog);
  if (!dialog.messages) return;
  const list = $("messages");
  const end = atEnd();
  const waiting = [...outbox.values()].filter((each) => each.dialogId === openId);
  const known = new Set([...dialog.messages.values()].map((each) => each.client_message_id));
  const stored = [...dialog.messages.values()].sort((a, b) => a.seq - b.seq);
  const context = contextOf(dialog);
  arrange(list, [...stored, ...waiting.filter((each) => !known.has(each.client_message_id))].map((each) => row(each, context)));
  if (end) toEnd();
  else if (dialog.me.unread) $("down").hidden = false;
  drawTyping();
}

// A row is drawn again only when its message is another.
const rows = new WeakMap();
function row(message, context) {
  const own = message.sender_id === context.myId;
  const state = `${JSON.stringify(message)}${own ? context.stateOf(message) : context.nameOf(message.sender_id)}`;
  const held = rows.get(message);
  if (held?.state === state) return held.made;
  const made = messageRow(message, context);
  if (held?.made.classList.contains("tapped")) made.classList.add("tapped");
  rows.set(message, { state, made });
  return made;
}

function contextOf(dialog) {
  const id = dialog.dialog_id;
  const path = (message) => `/v1/dialogs/${id}/messages/${message.seq}`;
  return {
    myId: me().user_id,
    many: dialog.kind !== "direct",
    nameOf: (user) => store.people.get(user)?.display_name ?? "Somebody",
    messageAt: (seq) => dialog.messages.get(seq),
    attachment: (each) => shown(each, open),
    stateOf: (message) => {
      if (message.failed) return `not sent: ${message.failed}`;
      if (message.pending || !message.seq) return "…";
      if ((dialog.read ?? 0) >= message.seq) return "✓✓ read";
      return (dialog.delivered ?? 0) >= message.seq ? "✓✓" : "✓";
    },
    onreact: (message, emoji, added) => attempt(() => call(added ? "PUT" : "DELETE", `${path(message)}/reactions/${encodeURIComponent(emoji)}`)),
    onvote: (message, options) => attempt(async () => {
      message.poll = await call("PUT", `${path(message)}/vote`, { options });
      draw();
    }),
    onreply: (message) => answerTo(message),
    onedit: (message) => answerTo(message, { edit: true }),
    ondelete: (message) => attempt(() => call("DELETE", path(message))),
  };
}

function note(dialog) {
  if (dialog.closed_at) return "Closed";
  if (dialog.peer) return store.online.has(dialog.peer.user_id) ? "online" : "";
  return `${dialog.member_count} members`;
}

function drawTyping() {
  const who = [...(store.typing.get(openId)?.keys() ?? [])].map((each) => store.people.get(each)?.display_name ?? "Somebody");
  if (!$("typing").classList.contains("problem")) $("typing").textContent = who.length ? `${who.join(", ")} ${who.length > 1 ? "are" : "is"} typing …` : "";
}
