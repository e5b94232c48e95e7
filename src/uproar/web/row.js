/** One comment as an element; text gets in by `textContent` alone. */

/**
 * @typedef {{isMine: boolean, canPost: boolean, canModerate: boolean, isPinned: boolean, isLiked: boolean,
 *   isOnItsWay: boolean, canTakeBack: boolean, why: string | null, parentName: string}} Standing
 *   what the reader may do with it, and did; `why` it is not sent; `parentName` whose comment it answers
 */

/** @returns {HTMLElement} */
function make(tag, className, text) {
  const element = document.createElement(tag);
  element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

/** A button whose click the list handles, by `data-act`. */
function act(name, text, className = "") {
  const button = /** @type {HTMLButtonElement} */ (make("button", className, text));
  button.type = "button";
  button.dataset.act = name;
  return button;
}

/** A colour of one's own: the same user has the same on every screen. */
export function hue(userId) {
  let sum = 7;
  for (const letter of userId) sum = (sum * 31 + letter.codePointAt(0)) % 360;
  return sum;
}

const timeOfDay = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

function head({ user, at }, standing) {
  const line = make("p", "head");
  line.append(make("bdi", "name", user.name));
  const role = user.roles?.find((each) => each === "creator" || each === "moderator");
  if (role) line.append(make("span", `badge ${role}`, role));
  if (user.verified) line.append(make("span", "badge", "verified"));
  if (standing.isPinned) line.append(make("span", "badge", "pinned"));
  const time = /** @type {HTMLTimeElement} */ (make("time", "", when(at, standing)));
  time.dateTime = new Date(at).toISOString();
  line.append(time);
  return line;
}

function when(at, { isOnItsWay, canTakeBack, why }) {
  if (why) return "not sent";
  if (isOnItsWay) return canTakeBack ? "waiting…" : "sending…";
  return timeOfDay.format(at);
}

function parentLine(parent, name) {
  const line = act("parent", "↩ ", "parent");
  line.append(make("bdi", "whose", name), parent.text ? `: ${parent.text}` : ": a comment that is gone");
  return line;
}

/** Why it was not sent, and what can be done with it. */
function unsent({ why, canTakeBack }) {
  const line = make("p", "unsent");
  if (why) line.append(make("span", "why", why));
  if (canTakeBack) line.append(act("edit", "Edit"), act("drop", "Drop"));
  return line;
}

function likesButton(likes, isLiked) {
  const button = act("like", `♥ ${likes.toLocaleString()}`, isLiked ? "likes mine" : "likes");
  button.setAttribute("aria-label", `${likes} like this; like it too`);
  button.setAttribute("aria-pressed", String(isLiked));
  return button;
}

function actions(standing) {
  const bar = make("div", "actions");
  if (standing.canPost) bar.append(act("reply", "Reply"), act("like", standing.isLiked ? "Unlike" : "Like"));
  if (standing.canPost && !standing.isMine && !standing.canModerate) bar.append(act("report", "Report"));
  if (standing.canModerate) bar.append(act("pin", standing.isPinned ? "Unpin" : "Pin"));
  if (standing.canModerate || standing.isMine) bar.append(act("remove", "Remove"));
  if (standing.canModerate && !standing.isMine) bar.append(act("ban", "Ban"));
  return bar;
}

/**
 * @param {string} tag
 * @param {import("./picture.js").Comment} comment
 * @param {Standing} standing
 * @returns {HTMLElement}
 */
export function row(tag, comment, standing) {
  const highlight = ["creator", "moderator"].includes(comment.highlight ?? "") ? comment.highlight : "";
  const element = make(tag, `comment ${highlight}${classOf(standing)}`.trim());
  element.dataset.id = comment.id;
  element.tabIndex = -1;
  element.style.setProperty("--hue", String(hue(comment.user.id)));
  const face = make("span", "face", [...comment.user.name][0]?.toUpperCase());
  face.setAttribute("aria-hidden", "true");
  const body = make("div", "body");
  if (comment.reply_to) body.append(parentLine(comment.reply_to, standing.parentName));
  const text = make("p", "text", comment.text);
  text.dir = "auto";
  body.append(text);
  if (comment.likes) body.append(likesButton(comment.likes, standing.isLiked));
  if (standing.why || standing.canTakeBack) body.append(unsent(standing));
  element.append(face, head(comment, standing), body);
  if (!standing.isOnItsWay) element.append(actions(standing));
  return element;
}

function classOf({ isOnItsWay, why }) {
  if (why) return " failed";
  return isOnItsWay ? " pending" : "";
}
