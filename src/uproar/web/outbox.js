/**
 * What was posted and not yet answered; pure but for the refs, which whoever builds it hands over.
 *
 * A post keeps its ref until it is answered: sent again after a reconnect it is the same comment. A refused text that
 * is sent again unchanged keeps its ref too, since the server may have kept it after all.
 *
 * @typedef {{ref: string, text: string, replyTo: import("./picture.js").Comment | null, sentAt: number | null}} Post
 *   `sentAt` in milliseconds: when it was first on its way; null while it never was
 */

/** More than this is not taken before some of it is answered. */
export const KEEP = 20;

/** The server knows a ref for ten minutes; a minute before that a post is no longer sent by itself. */
const REF_KNOWN_MS = 9 * 60_000;

export class Outbox {
  /** @param {() => string} newRef 1-64 characters, never the same twice */
  constructor(newRef) {
    this.newRef = newRef;
    /** @type {Map<string, Post>} */
    this.posts = new Map();
    /** @type {Post | null} */
    this.returned = null;
  }

  /** In the order of writing. */
  get waiting() {
    return [...this.posts.values()];
  }

  get isFull() {
    return this.posts.size >= KEEP;
  }

  /**
   * @param {string} text
   * @param {import("./picture.js").Comment | null} replyTo
   * @returns {Post}
   */
  add(text, replyTo) {
    const isSame = this.returned?.text === text && this.returned.replyTo?.id === replyTo?.id;
    const post = isSame ? this.returned : { ref: this.newRef(), text, replyTo, sentAt: null };
    this.returned = null;
    this.posts.set(post.ref, post);
    return post;
  }

  /**
   * What to send now that the way is open, each post with the ref it has; too old ones leave and are given back.
   *
   * @param {number} nowMs
   * @returns {{send: Post[], givenBack: Post[]}}
   */
  due(nowMs) {
    const isTooOld = (post) => post.sentAt !== null && nowMs - post.sentAt > REF_KNOWN_MS;
    const givenBack = this.waiting.filter(isTooOld);
    for (const { ref } of givenBack) this.posts.delete(ref);
    return { send: this.waiting, givenBack };
  }

  /**
   * The server answered: the post leaves; a refused one is remembered until the next is written.
   *
   * @param {string} ref
   * @param {boolean} isKept
   * @returns {Post | null} null: not one of ours
   */
  answered(ref, isKept) {
    const post = this.posts.get(ref) ?? null;
    this.posts.delete(ref);
    if (post && !isKept) this.returned = post;
    return post;
  }
}

/**
 * The frame that carries a post.
 *
 * @param {Post} post
 */
export function asOp({ ref, text, replyTo }) {
  return replyTo ? { op: "post", ref, text, reply_to: replyTo.id } : { op: "post", ref, text };
}
