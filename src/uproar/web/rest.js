/**
 * The few REST calls of the page; an answer is a value, and no answer is one too.
 *
 * @typedef {{status: number, body: any}} Answer `status` 0: the server was not reached
 */

/**
 * @param {string} method
 * @param {string} path
 * @param {{token?: string | null, json?: object}} [more]
 * @returns {Promise<Answer>}
 */
async function call(method, path, { token, json } = {}) {
  const headers = new Headers();
  if (token) headers.set("Authorization", `Bearer ${token}`);
  if (json) headers.set("Content-Type", "application/json");
  try {
    const response = await fetch(path, { method, headers, body: json && JSON.stringify(json) });
    const text = await response.text();
    return { status: response.status, body: text ? JSON.parse(text) : null };
  } catch {
    return { status: 0, body: { message: "The server could not be reached." } };
  }
}

/** @param {string} name a guest's @returns {Promise<Answer>} `{token, user, exp}` */
export const becomeGuest = (name) => call("POST", "/v1/guests", { json: { name } });

/** What moderators and readers ask about one stream. */
export class StreamCalls {
  /**
   * @param {string} stream
   * @param {() => string | null} token
   */
  constructor(stream, token) {
    this.path = `/v1/streams/${encodeURIComponent(stream)}`;
    this.token = token;
  }

  about() {
    return call("GET", this.path);
  }

  /** @param {string} before a comment's id */
  older(before) {
    return call("GET", `${this.path}/comments?before=${before}&limit=100`);
  }

  like(id, on) {
    return call("POST", `${this.path}/likes`, { token: this.token(), json: { comment: id, on } });
  }

  report(id, why) {
    return call("POST", `${this.path}/comments/${id}/report`, { token: this.token(), json: { why } });
  }

  restore(id) {
    return call("POST", `${this.path}/comments/${id}/restore`, { token: this.token() });
  }

  remove(id, why) {
    return call("DELETE", `${this.path}/comments/${id}`, { token: this.token(), json: { why } });
  }

  pin(id, on) {
    return call(on ? "PUT" : "DELETE", `${this.path}/pins/${id}`, { token: this.token(), json: on ? {} : undefined });
  }

  /** @param {{seconds?: number, why: string, remove: boolean}} ban without `seconds`: for good */
  ban(user, ban) {
    return call("PUT", `${this.path}/bans/${encodeURIComponent(user)}`, { token: this.token(), json: ban });
  }
}
