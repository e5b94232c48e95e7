/**
 * What was posted and not yet answered, sent one after the other; pure but for the refs, which whoever builds it
 * hands over.
 *
 * A post keeps its ref until it is answered: sent again after a reconnect or a reload it is the same comment. A text
 * that is taken back and sent again unchanged keeps its ref too, since the server may have kept it after all.
 *
 * @typedef {{id: string, user: {id: string, name: string}, text: string}} Quoted what an answer needs of its parent
 * @typedef {{ref: string, by: string, text: string, replyTo: Quoted | null, sentAt: number | null,
 *   why: string | null}} Post
 *   `by` a user's id; `sentAt` in milliseconds: since when the server may have it; null: it has not;
 *   `why` it is not sent; null: it will be
 * @typedef {{code: number, message: string, retry_after_ms?: number}} Refusal
 */

/** More than this is not taken before some of it is answered. */
export const KEEP = 20;

/** The server knows a ref for ten minutes; a minute before that a post is no longer sent by itself. */
const REF_KNOWN_MS = 9 * 60_000;

/** Refusals that pass: limits, slow mode, and a server that is down or has too much to do. */
const TIME_HELPS = new Set([120, 121, 122, 501, 502, 503]);

/** Who it is must be said anew; the post waits for that. */
const SIGN_IN_HELPS = new Set([101, 102]);

/** Perhaps kept: only the same ref finds out. */
const UNCONFIRMED = 503;

/** The pause after a refusal that tells no time. */
const PAUSE_MS = 2000;

export class Outbox {
  /**
   * @param {() => string} newRef 1-64 characters, never the same twice
   * @param {Post[]} [posts] of an earlier page
   */
  constructor(newRef, posts = []) {
    this.newRef = newRef;
    /** @type {Map<string, Post>} */
    this.posts = new Map(posts.slice(-KEEP).map((post) => [post.ref, post]));
    /** @type {string | null} */
    this.inFlight = null;
    this.heldUntil = 0;
    this.heldWhy = "";
    /** @type {Post | null} */
    this.returned = null;
  }

  /** All that it holds, in the order of writing. */
  get all() {
    return [...this.posts.values()];
  }

  get isFull() {
    return this.posts.size >= KEEP;
  }

  /**
   * @param {string} text
   * @param {Quoted | null} replyTo
   * @param {string} by
   * @returns {Post}
   */
  add(text, replyTo, by) {
    const last = this.returned;
    const isSame = last?.text === text && last.replyTo?.id === replyTo?.id && last.by === by;
    const post = isSame ? { ...last, why: null } : { ref: this.newRef(), by, text, replyTo, sentAt: null, why: null };
    this.returned = null;
    this.posts.set(post.ref, post);
    return post;
  }

  /** The server knows who writes now; what can no longer be sent as it was meant says why. */
  welcomed(userId, nowMs) {
    for (const post of this.posts.values()) {
      if (post.why) continue;
      if (post.by !== userId) post.why = "This was written under another name.";
      else if (isTooOld(post, nowMs)) post.why = "The connection was away for long: look first whether this was shown already.";
    }
  }

  /** @returns {Post | null} what to send now; null while one is on its way, or all have to wait */
  next(nowMs) {
    if (this.inFlight || nowMs < this.heldUntil) return null;
    return this.all.find(({ why }) => !why) ?? null;
  }

  sent(post, nowMs) {
    this.inFlight = post.ref;
    post.sentAt ??= nowMs;
  }

  /** The connection was lost: what was on its way will be sent again. */
  cut() {
    this.inFlight = null;
  }

  /** @param {string} ref @returns {Post | null} the post, which leaves; null: not one of ours */
  kept(ref) {
    return this.#left(ref);
  }

  /**
   * It stays: to be sent again by itself where time or a sign-in helps, else with the reason why it is not.
   *
   * @param {string} ref
   * @param {Refusal} refusal
   * @param {number} nowMs
   * @returns {Post | null} null: not one of ours
   */
  refused(ref, { code, message, retry_after_ms: askedMs }, nowMs) {
    const post = this.posts.get(ref);
    if (!post) return null;
    this.cut();
    if (TIME_HELPS.has(code)) this.#hold(message, nowMs + (askedMs ?? PAUSE_MS));
    else if (!SIGN_IN_HELPS.has(code)) post.why = message;
    if (code !== UNCONFIRMED) post.sentAt = null;
    return post;
  }

  #hold(why, untilMs) {
    this.heldWhy = why;
    this.heldUntil = untilMs;
  }

  /** Whether the writer can still take it back: the server surely has not got it. */
  canTakeBack(post) {
    return post.ref !== this.inFlight && (post.sentAt === null || post.why !== null);
  }

  /** Out of it, to be written anew. */
  takeBack(ref) {
    this.returned = this.#left(ref);
    return this.returned;
  }

  /** Out of it for good. */
  drop(ref) {
    this.#left(ref);
  }

  #left(ref) {
    const post = this.posts.get(ref) ?? null;
    this.posts.delete(ref);
    if (this.inFlight === ref) this.cut();
    return post;
  }
}

function isTooOld({ sentAt }, nowMs) {
  return sentAt !== null && nowMs - sentAt > REF_KNOWN_MS;
}

/**
 * The frame that carries a post.
 *
 * @param {Post} post
 */
export function asOp({ ref, text, replyTo }) {
  return replyTo ? { op: "post", ref, text, reply_to: replyTo.id } : { op: "post", ref, text };
}
