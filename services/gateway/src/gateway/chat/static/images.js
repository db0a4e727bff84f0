// Images: sent in pieces that go on where a broken upload stopped; shown small once they are found clean, whole when opened.

import { element } from "./view.js";

const PIECE_BYTES = 512 * 1024;
const SMALL_PX = 320;
const TUS = { "Tus-Resumable": "1.0.0" };

export class Images {
  #session;
  #links = new Map();

  constructor(session) {
    this.#session = session;
  }

  // The id of a clean attachment. Raises what the server refuses.
  async upload(file, progress) {
    const ticket = await this.#session.call("POST", "/v1/attachments", {
      file_name: file.name || "image",
      media_type: file.type || "application/octet-stream",
      size_bytes: file.size,
      purpose: "image",
    });
    const url = ticket.upload_url;
    let offset = 0;
    for (let failures = 0; offset < file.size; ) {
      try {
        offset = await this.#piece(url, file, offset);
        failures = 0;
        progress(offset / file.size);
      } catch (error) {
        this.#session.check();
        if (++failures > 5 || error.final) throw error;
        await this.#session.pause(500 * 2 ** failures);
        offset = await this.#where(url);
      }
    }
    for (;;) {
      const found = await this.#session.call("GET", `/v1/attachments/${ticket.attachment_id}`);
      if (found.status === "clean") return ticket.attachment_id;
      if (found.status !== "uploading" && found.status !== "scanning") throw new Error("The file was refused");
      await this.#session.pause(400);
    }
  }

  async #piece(url, file, offset) {
    const answer = await this.#session.fetch(url, {
      method: "PATCH",
      headers: { ...TUS, "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset) },
      body: file.slice(offset, offset + PIECE_BYTES),
    });
    if (!answer.ok) throw Object.assign(new Error(`HTTP ${answer.status}`), { final: answer.status < 500 && answer.status !== 409 });
    return Number(answer.headers.get("Upload-Offset"));
  }

  async #where(url) {
    const answer = await this.#session.fetch(url, { method: "HEAD", headers: TUS });
    return Number(answer.headers.get("Upload-Offset") ?? 0);
  }

  // An element for an attachment of a message.
  shown(attachment) {
    if (attachment.status !== "clean") return element("span", { class: "hint" }, "This file is not available");
    if (attachment.purpose !== "image") return element("span", {}, `📎 ${attachment.file_name}`);
    const { width: whole, height, file_name } = attachment;
    // Its size is known before its bytes, so nothing moves when they come.
    const width = whole && Math.min(whole, SMALL_PX);
    const image = element("img", { alt: file_name, loading: "lazy", sizes: `${SMALL_PX}px`, width, height: whole && Math.round((height * width) / whole) });
    this.#fill(image, attachment.attachment_id, (links) => {
      if (links.thumbnails.length) image.srcset = links.thumbnails.map((each) => `${each.url} ${each.width}w`).join(", ");
      else image.src = links.url;
    });
    return element("button", { type: "button", class: "picture", "aria-label": `Open ${file_name}`, onclick: () => this.#open(attachment) }, image);
  }

  // The whole image, over everything, until it is closed.
  #open(attachment) {
    const image = element("img", { alt: attachment.file_name });
    this.#fill(image, attachment.attachment_id, (links) => (image.src = links.url));
    const viewer = element("dialog", { class: "viewer", "data-attachment": attachment.attachment_id, onclick: () => viewer.close(), onclose: () => viewer.remove() }, image);
    viewer.append(element("button", { type: "button", "aria-label": "Close" }, "✕"));
    document.body.append(viewer);
    viewer.showModal();
  }

  // An image whose message is not shown any more is not either.
  keep(shown) {
    for (const viewer of document.querySelectorAll("dialog.viewer")) if (!shown.has(viewer.dataset.attachment)) viewer.remove();
  }

  // Links are good for minutes, and an image may be scrolled to much later: one that fails is asked for once more.
  #fill(image, id, put) {
    const failed = () => (image.alt = "The image could not be loaded");
    const load = () => this.#link(id).then(put).catch(failed);
    const again = () => {
      this.#links.delete(id);
      image.addEventListener("error", failed, { once: true });
      load();
    };
    image.addEventListener("error", again, { once: true });
    load();
  }

  async #link(id) {
    const held = this.#links.get(id);
    if (held && held.until > Date.now()) return held;
    const answer = await this.#session.call("POST", `/v1/attachments/${id}/link`, {});
    this.#links.set(id, { ...answer, until: Date.now() + 60_000 });
    return answer;
  }
}
