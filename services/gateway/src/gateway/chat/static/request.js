// One request to the API: an answer as its document, a refusal as an error with its code.

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || problem.title || `HTTP ${status}`);
    this.status = status;
    this.code = problem.code ?? "";
    this.errors = problem.errors ?? [];
  }
}

// Whether the same may be answered later: the connection failed, or the server is not able to.
export const passes = (error) => !(error instanceof Refused) || error.status >= 500 || error.status === 429;

// `key`: the same for every try of one act, so that it is done once.
export async function request(method, path, body, { bearer, signal, key = crypto.randomUUID() } = {}) {
  const headers = {};
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (bearer) headers.Authorization = `Bearer ${bearer}`;
  if (method === "POST") headers["Idempotency-Key"] = key;
  // Nothing of it is left in the browser's cache, where the next person's requests would find it.
  const answer = await fetch(path, { method, headers, signal, cache: "no-store", keepalive: method === "DELETE", body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await answer.text();
  let document = null;
  try {
    document = text ? JSON.parse(text) : null;
  } catch {
    document = { title: "The answer could not be read" };
  }
  if (!answer.ok) throw new Refused(answer.status, document ?? {});
  return document;
}

export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
