// Drawing: from what the store knows to elements. Nothing here is asked of the server; text never becomes markup.

const QUICK = ["👍", "❤️", "😂", "😮", "😢"];
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const EXPONENT = { VND: 0 };

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

// The children of a list, touching only what differs: what stays keeps its scroll and a click half made. The focus stays
// where it was in its row, also when that is moved or drawn anew.
export function arrange(list, wanted) {
  const focused = document.activeElement;
  const left = [...list.children].find((each) => each.contains(focused));
  const staying = new Set(wanted);
  for (const each of [...list.children]) if (!staying.has(each)) each.remove();
  wanted.forEach((each, place) => {
    if (list.children[place] !== each) list.insertBefore(each, list.children[place] ?? null);
  });
  if (left && document.activeElement !== focused) refocus(left, focused, wanted);
}

function refocus(left, focused, rows) {
  const key = (row) => row.dataset.dialog || row.dataset.seq;
  const row = rows.includes(left) ? left : rows.find((each) => key(left) && key(each) === key(left));
  if (!row) return;
  const same = row === left ? focused : [...row.querySelectorAll("button")].find((each) => each.title && each.title === focused.title);
  for (const each of [row, same]) each?.focus({ preventScroll: true });
}

export const titleOf = (dialog) => dialog.title || dialog.peer?.display_name || { group: "Group", channel: "Channel" }[dialog.kind] || "Somebody";

export function money({ amount_minor, currency }) {
  const digits = EXPONENT[currency] ?? 2;
  return new Intl.NumberFormat(undefined, { style: "currency", currency }).format(amount_minor / 10 ** digits);
}

export function summary(message) {
  if (!message) return "";
  if (message.deleted_at) return "Message deleted";
  const content = message.content;
  if (!content) return "…";
  const named = { image: "📷 Image", video: "🎬 Video", voice: "🎤 Voice", file: "📎 File", sticker: "Sticker", gif: "GIF", location: "📍 Location", contact: "👤 Contact", order: "🧾 Order", product: "🛍 Product", payment: "💸 Money", event: "🎟 Event" }[content.type];
  const words = content.text || content.question || content.name || "";
  return [named, words].filter(Boolean).join(" · ");
}

// What an answer shows of the message it answers; undefined is not had yet, null is not there for them.
export const quote = (message) => (message === undefined ? "…" : summary(message) || "An earlier message");

export function dialogRow(dialog, { open, online, onopen }) {
  const title = titleOf(dialog);
  const at = new Date(dialog.last_at);
  const today = at.toDateString() === new Date().toDateString();
  // The key is used up here: the field that gets the focus is not to have it.
  const onkeydown = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    onopen();
  };
  return element(
    "li",
    { class: open ? "open" : "", tabindex: 0, "data-dialog": dialog.dialog_id, onclick: onopen, onkeydown },
    element("span", { class: online ? "face online" : "face", "aria-hidden": true }, [...title][0] ?? "?"),
    element("span", { class: "name" }, title),
    element("time", {}, (today ? clock : day).format(at)),
    element("span", { class: "last" }, summary(dialog.last_message)),
    dialog.me.unread > 0 && element("span", { class: "unread", "aria-label": `${dialog.me.unread} unread` }, String(dialog.me.unread)),
  );
}

export function messageRow(message, context) {
  const own = message.sender_id === context.myId;
  const row = element("li", { class: rowClass(message, own), tabindex: -1, "data-seq": message.seq ?? "" });
  if (message.sender_id === null && !message.card) {
    row.append(summary(message));
    return row;
  }
  if (!own && message.sender_id && context.many) row.append(element("div", { class: "who" }, context.nameOf(message.sender_id)));
  row.append(bubble(message, own, context));
  if (message.failed) row.append(element("button", { type: "button", class: "link", onclick: () => context.onagain(message) }, "Send again"));
  if (message.seq && !message.deleted_at) row.append(tools(message, own, context), reactions(message, context));
  return row;
}

function rowClass(message, own) {
  const system = message.sender_id === null && !message.card;
  return [own ? "own" : "", system ? "note" : "", message.pending ? "pending" : "", message.failed ? "failed" : ""].join(" ").trim();
}

function bubble(message, own, context) {
  const made = element("div", { class: message.deleted_at ? "bubble gone" : "bubble" });
  if (message.reply_to_seq) made.append(element("div", { class: "quote" }, context.quoteOf(message)));
  if (message.forward) made.append(element("div", { class: "quote" }, "Forwarded"));
  if (message.deleted_at || !message.content) made.append(message.deleted_at ? "This message was deleted" : "This message cannot be read any more");
  else made.append(...contents(message, context));
  const marks = [message.edited_at && "edited", clock.format(new Date(message.sent_at)), own && context.stateOf(message)];
  made.append(element("div", { class: "meta" }, marks.filter(Boolean).join(" ")));
  return made;
}

function contents(message, context) {
  const content = message.content;
  const parts = [];
  if (message.card) parts.push(card(message.card));
  for (const each of message.attachments) parts.push(context.attachment(each, message));
  if (content.type === "poll") parts.push(...poll(message, context));
  if (content.type === "location") parts.push(`📍 ${content.name || `${content.latitude}, ${content.longitude}`}`);
  if (content.type === "contact") parts.push(`👤 ${content.name} ${content.phone_e164 ?? ""}`);
  if (content.type === "code") parts.push(element("code", {}, content.text));
  else if (content.text) parts.push(content.text);
  if (message.preview) parts.push(card(message.preview));
  return parts.length ? parts : [summary(message)];
}

function card(shown) {
  const amount = shown.total ?? shown.amount ?? shown.price_from;
  const lines = (shown.lines ?? []).map((each) => element("span", {}, `${each.quantity} × ${each.title}`));
  const title = { order: shown.order_number, product: shown.title, transfer: "Money sent", shop: shown.name }[shown.entity_type];
  return element(
    "div",
    { class: "card", "data-card": shown.entity_type },
    element("strong", {}, title ?? shown.entity_type),
    shown.shop_name && element("span", { class: "hint" }, shown.shop_name),
    ...lines,
    amount && element("span", { class: "total" }, money(amount)),
    shown.status && element("span", { class: `status ${shown.status}` }, shown.status.replaceAll("_", " ")),
  );
}

function poll(message, context) {
  const { content, poll: results } = message;
  const mine = new Set(results?.mine ?? []);
  const options = content.options.map((text, option) =>
    element(
      "button",
      { type: "button", class: mine.has(option) ? "mine" : "", disabled: Boolean(results?.closed_at), onclick: () => context.onvote(message, option) },
      element("span", {}, text),
      element("span", {}, String(results?.votes[option] ?? 0)),
    ),
  );
  return [element("strong", {}, content.question), element("div", { class: "options" }, ...options)];
}

function reactions(message, context) {
  const shown = message.reactions.map((each) =>
    element("button", { type: "button", class: each.mine ? "mine" : "", "aria-pressed": String(Boolean(each.mine)), onclick: () => context.onreact(message, each.emoji, !each.mine) }, `${each.emoji} ${each.count}`),
  );
  return element("div", { class: "reactions" }, ...shown);
}

function tools(message, own, context) {
  const quick = QUICK.map((emoji) => element("button", { type: "button", title: `React ${emoji}`, onclick: () => context.onreact(message, emoji, true) }, emoji));
  return element(
    "div",
    { class: "tools" },
    ...quick,
    element("button", { type: "button", title: "Reply", onclick: () => context.onreply(message) }, "↩"),
    own && message.content?.type === "text" && element("button", { type: "button", title: "Edit", onclick: () => context.onedit(message) }, "✎"),
    own && element("button", { type: "button", title: "Delete", onclick: () => context.ondelete(message) }, "🗑"),
  );
}
