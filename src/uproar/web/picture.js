/**
 * What a viewer holds, and the one rule by which each message of the server changes it; pure: a new picture each time.
 *
 * @typedef {{id: string, name: string, roles?: string[], verified?: boolean}} User
 * @typedef {{id: string, user: string, text?: string}} Parent `text` is absent once the parent is removed
 * @typedef {{id: string, user: User, text: string, at: number, reply_to?: Parent, likes?: number,
 *   highlight?: string}} Comment `at` in milliseconds since 1970
 * @typedef {{max_chars: number, slow_ms: number, reactions: string[], state: string}} Rules
 * @typedef {{position: string, comments: Comment[], pinned: Comment[], reactions: Record<string, number>,
 *   viewers: number, leftOut: number, rules: Rules | null, gone: string[], room: number, since: string | null}} Picture
 *   `comments` by id, oldest first, at most `room`; `gone` are removed ids, so that a late ack brings nothing back;
 *   what stands below `since` has to be asked for; null: nothing does
 */

/** How many of the newest comments are held; older ones are let go. */
export const KEEP = 500;

/** How many are held while older ones are read. */
export const KEEP_READING = 1500;

/** How many of the newest removals are remembered. */
const KEEP_GONE = 500;

/** @type {Picture} */
export const EMPTY = {
  position: "", comments: [], pinned: [], reactions: {}, viewers: 0, leftOut: 0, rules: null, gone: [], room: KEEP, since: null,
};

/**
 * Ids are decimal strings of up to 19 digits, beyond what a number can tell apart.
 *
 * @param {string} a
 * @param {string} b
 * @returns {number} below, at or above 0, as for `sort`
 */
export function compareIds(a, b) {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : Number(a > b);
}

/**
 * The picture after one message; messages that do not concern it leave it as it is.
 *
 * @param {Picture} picture
 * @param {any} message as the server sent it
 * @returns {Picture}
 */
export function applied(picture, message) {
  switch (message.type) {
    case "joined": return joined(picture, message);
    case "batch": return isNew(picture, message) ? batched(picture, message) : picture;
    case "skipped": return isNew(picture, message) ? skipped(picture, message) : picture;
    case "viewers": return { ...picture, viewers: message.viewers };
    case "ack":
    case "for_you": return message.comment ? told(picture, message.comment) : picture;
    default: return picture;
  }
}

/** A recovered one keeps what is held: the missed batches follow. */
function joined(picture, message) {
  const { position, viewers, rules } = message;
  if (message.recovered) return { ...picture, position, viewers, rules };
  const start = { ...EMPTY, position, viewers, rules, reactions: message.reactions };
  const comments = merged([], message.comments);
  return { ...start, comments, pinned: merged([], message.pinned), since: comments[0]?.id ?? null };
}

/**
 * With a page of older comments; what was removed meanwhile stays away.
 *
 * @param {Picture} picture
 * @param {{comments: Comment[], next: string | null}} page as REST gives it
 * @returns {Picture}
 */
export function withOlder(picture, { comments: older, next }) {
  const standing = older.filter(({ id }) => !picture.gone.includes(id));
  return held({ ...picture, room: KEEP_READING, since: next }, merged(standing, picture.comments));
}

/** @param {Picture} picture @returns {Picture} with the newest alone, for whoever reads those */
export function atEnd(picture) {
  return picture.room === KEEP ? picture : held({ ...picture, room: KEEP }, picture.comments);
}

/** @param {Picture} picture @returns {boolean} whether there are older comments, and room for them */
export function canGoBack({ since, comments }) {
  return since !== null && comments.length < KEEP_READING;
}

/** Within its room; whatever is let go has to be asked for. */
function held(picture, comments) {
  if (comments.length <= picture.room) return { ...picture, comments };
  const newest = comments.slice(-picture.room);
  return { ...picture, comments: newest, since: newest[0].id };
}

/** Whether the message stands above what is held; within an epoch positions only grow. */
function isNew(picture, message) {
  const [epoch, last] = picture.position.split(".");
  const [sameEpoch, number] = message.position.split(".");
  return epoch !== sameEpoch || compareIds(number, last) > 0;
}

/** The fields in the protocol's order. */
function batched(picture, batch) {
  let { comments, pinned, gone } = picture;
  if (batch.removed_users) {
    const isTheirs = among(batch.removed_users);
    [comments, pinned] = [comments, pinned].map((shelf) => without(shelf, (c) => isTheirs(c.user.id), (p) => isTheirs(p.user)));
  }
  if (batch.removed) {
    const isRemoved = among(batch.removed);
    [comments, pinned] = [comments, pinned].map((shelf) => without(shelf, (c) => isRemoved(c.id), (p) => isRemoved(p.id)));
    gone = [...gone, ...batch.removed].slice(-KEEP_GONE);
  }
  if (batch.restored) {
    const isBack = among(batch.restored.map((comment) => comment.id));
    gone = gone.filter((id) => !isBack(id));
    comments = merged(comments, batch.restored);
  }
  if (batch.comments) comments = merged(comments, batch.comments);
  if (batch.pinned) pinned = merged(pinned, batch.pinned);
  if (batch.unpinned) {
    const isUnpinned = among(batch.unpinned);
    pinned = pinned.filter((comment) => !isUnpinned(comment.id));
  }
  if (batch.liked) [comments, pinned] = [comments, pinned].map((shelf) => liked(shelf, batch.liked));
  const next = {
    ...picture, position: batch.position, pinned, gone,
    reactions: batch.reactions ? summed(picture.reactions, batch.reactions) : picture.reactions,
    leftOut: picture.leftOut + (batch.left_out ?? 0),
    rules: batch.rules ?? picture.rules,
  };
  return held(next, comments);
}

/** Here `comments` is how many were missed; whoever reads is told of them like of any left out. */
function skipped(picture, { comments: missed, ...rest }) {
  const next = batched(picture, rest);
  return { ...next, leftOut: next.leftOut + missed };
}

/** A comment that came beside the batches: the batch's form, when it is held already, is the newer one. */
function told(picture, comment) {
  const isKnown = picture.gone.includes(comment.id) || picture.comments.some(({ id }) => id === comment.id);
  return isKnown ? picture : held(picture, merged(picture.comments, [comment]));
}

function among(values) {
  const set = new Set(values);
  return (value) => set.has(value);
}

function merged(before, added) {
  const byId = new Map([...before, ...added].map((comment) => [comment.id, comment]));
  return [...byId.values()].sort((a, b) => compareIds(a.id, b.id));
}

/** The shelf without what is gone; replies to it stay, their preview blank. */
function without(shelf, isGone, isGoneParent) {
  return shelf.filter((comment) => !isGone(comment)).map((comment) => {
    const parent = comment.reply_to;
    if (!parent?.text || !isGoneParent(parent)) return comment;
    return { ...comment, reply_to: { id: parent.id, user: parent.user } };
  });
}

function liked(shelf, likes) {
  return shelf.map((comment) => (comment.id in likes ? { ...comment, likes: likes[comment.id] } : comment));
}

function summed(totals, counts) {
  const sum = { ...totals };
  for (const [kind, count] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + count;
  return sum;
}
