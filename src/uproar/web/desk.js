/** What a reader is writing, kept in this tab: a reload loses neither the draft nor what is on its way. */

import { KEEP } from "./outbox.js";

/** Of a longer draft only the beginning is kept. */
const DRAFT_CHARS = 4000;

/**
 * @typedef {{text: string, replyTo: import("./outbox.js").Quoted | null, posts: import("./outbox.js").Post[]}} Desk
 */

/** @type {Desk} */
const EMPTY = { text: "", replyTo: null, posts: [] };

const keyOf = (stream) => `uproar.desk.${stream}`;

/** @param {Storage} storage @param {string} stream @returns {Desk} */
export function found(storage, stream) {
  try {
    return { ...EMPTY, ...JSON.parse(storage.getItem(keyOf(stream)) ?? "{}") };
  } catch {
    return EMPTY;
  }
}

/** @param {Storage} storage @param {string} stream @param {Desk} desk */
export function left(storage, stream, { text, replyTo, posts }) {
  if (!text && !replyTo && !posts.length) return storage.removeItem(keyOf(stream));
  storage.setItem(keyOf(stream), JSON.stringify({ text: text.slice(0, DRAFT_CHARS), replyTo, posts: posts.slice(-KEEP) }));
}
