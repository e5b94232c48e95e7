/** Who the reader is: a token, kept in this browser until it is given up or refused. */

const KEY = "uproar.account";

export class Account {
  /** @param {Storage} storage */
  constructor(storage) {
    this.storage = storage;
    /** @type {string | null} */
    this.token = null;
    /** @type {import("./picture.js").User | null} */
    this.user = null;
    Object.assign(this, JSON.parse(storage.getItem(KEY) ?? "{}"));
  }

  /** A token to be tried; it is kept once the server welcomed it. */
  present(token) {
    this.token = token;
    this.user = null;
  }

  /** @param {import("./picture.js").User} user as the server knows it */
  welcomed(user) {
    this.user = user;
    this.storage.setItem(KEY, JSON.stringify({ token: this.token, user }));
  }

  forget() {
    this.token = this.user = null;
    this.storage.removeItem(KEY);
  }

  get canModerate() {
    return (this.user?.roles ?? []).some((role) => ["admin", "moderator", "creator"].includes(role));
  }
}
