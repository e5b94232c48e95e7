/** Sends what is in the outbox: one post at a time, and no sooner than the server asked for. */

import { asOp } from "./outbox.js";

export class Sender {
  /**
   * @param {import("./outbox.js").Outbox} outbox
   * @param {(op: object) => boolean} send false: there is no way right now
   */
  constructor(outbox, send) {
    this.outbox = outbox;
    this.send = send;
    this.isOpen = false;
  }

  /** From now on posts go out as this user's. */
  open(userId) {
    this.isOpen = true;
    this.outbox.welcomed(userId, Date.now());
    this.go();
  }

  /** The way is lost, or nobody is signed in. */
  shut() {
    this.isOpen = false;
    clearTimeout(this.timer);
    this.outbox.cut();
  }

  /** Sends the next, if it may; to be called whenever the outbox changed. */
  go() {
    clearTimeout(this.timer);
    if (!this.isOpen) return;
    const now = Date.now();
    const post = this.outbox.next(now);
    if (post && this.send(asOp(post))) this.outbox.sent(post, now);
    const waitMs = this.outbox.heldUntil - now;
    if (waitMs > 0) this.timer = setTimeout(() => this.go(), waitMs);
  }
}
