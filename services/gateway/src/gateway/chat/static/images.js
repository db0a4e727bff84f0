// Images: sent in pieces that go on where a broken upload stopped; shown once they are found clean.

import { call, pause, token } from "./api.js";
import { element } from "./view.js";

const PIECE_BYTES = 512 * 1024;
const links = new Map();

// The id of a clean attachment. Raises what the server refuses.
export async function upload(file, progress) {
  const ticket = await call("POST", "/v1/attachments", {
    file_name: file.name || "image",
    media_type: file.type || "application/octet-stream",
    size_bytes: file.size,
    purpose: "image",
  });
  const url = ticket.upload_url;
  let offset = 0;
  for (let failures = 0; offset < file.size; ) {
    try {
      offset = await piece(url, file, offset);
      failures = 0;
      progress(offset / file.size);
    } catch (error) {
      if (++failures > 5 || error.final) throw error;
      await pause(500 * 2 ** failures);
      offset = await where(url);
    }
  }
  for (;;) {
    const found = await call("GET", `/v1/attachments/${ticket.attachment_id}`);
    if (found.status === "clean") return ticket.attachment_id;
    if (found.status === "infected" || found.status === "failed" || found.status === "rejected") throw new Error("The file was refused");
    await pause(400);
  }
}

async function piece(url, file, offset) {
  const answer = await fetch(url, {
    method: "PATCH",
    headers: await headers({ "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) }),
    body: file.slice(offset, offset + PIECE_BYTES),
  });
  if (!answer.ok) throw Object.assign(new Error(`HTTP ${answer.status}`), { final: answer.status < 500 && answer.status !== 409 });
  return Number(answer.headers.get("Upload-Offset"));
}

async function where(url) {
  const answer = await fetch(url, { method: "HEAD", headers: await headers({}) });
  return Number(answer.headers.get("Upload-Offset") ?? 0);
}

async function headers(more) {
  return { Authorization: `Bearer ${await token()}`, "Tus-Resumable": "1.0.0", ...more };
}

// An element for an attachment of a message; its link is asked for when it is drawn, and kept while it is good.
export function shown(attachment) {
  if (attachment.status !== "clean") return element("span", { class: "hint" }, "This file is not available");
  if (attachment.purpose !== "image") return element("span", {}, `📎 ${attachment.file_name}`);
  const image = element("img", { alt: attachment.file_name, loading: "lazy" });
  link(attachment.attachment_id).then((url) => (image.src = url), () => (image.alt = "The image could not be loaded"));
  return image;
}

async function link(id) {
  const held = links.get(id);
  if (held && held.until > Date.now()) return held.url;
  const answer = await call("POST", `/v1/attachments/${id}/link`, {});
  const url = answer.thumbnails?.at(-1)?.url ?? answer.url;
  links.set(id, { url, until: Date.now() + 60_000 });
  return url;
}
