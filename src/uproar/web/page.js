/** The page: carries messages between the server, the picture and the elements. */

import { Account } from "./account.js";
import { Composer } from "./composer.js";
import { Connection, liveAddress } from "./connection.js";
import { CommentList, Rows } from "./list.js";
import { asOp, Outbox } from "./outbox.js";
import { applied, EMPTY } from "./picture.js";
import { Clicks, ReactionBar, Sky } from "./reactions.js";
import { becomeGuest, StreamCalls } from "./rest.js";

const byId = (id) => /** @type {any} */ (document.getElementById(id));

const stream = streamOf(location);
const account = new Account(localStorage);
const calls = new StreamCalls(stream, () => account.token);
const outbox = new Outbox(newRef);
const composer = new Composer(post);
const list = new CommentList(byId("comments"), byId("newer"));
const pins = new Rows(byId("pinned"), "div");
const sky = new Sky(byId("bursts"));
const clicks = new Clicks((counts) => connection.send({ op: "react", counts }));
const bar = new ReactionBar(byId("reactions"), (kind) => clicks.add(kind));
const connection = new Connection({
  address: () => liveAddress(location, stream, picture.position),
  token: () => account.token,
  onMessage: read,
  onState: stateChanged,
});

let picture = EMPTY;
let state = "joining";
let isWelcome = false;
let isDrawing = false;
const liked = new Set();
const reports = new Set();
const sending = new WeakMap();

/** `/s/NAME`, `?stream=NAME`, or the demo. */
function streamOf({ pathname, search }) {
  const inPath = /^\/s\/([^/]+)/.exec(pathname)?.[1];
  return inPath ? decodeURIComponent(inPath) : new URLSearchParams(search).get("stream") || "demo";
}

/** 128 random bits; `randomUUID` is missing where the page came without TLS. */
function newRef() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// ---- from the server ----

function read(message) {
  picture = applied(picture, message);
  HANDLERS[message.type]?.(message);
  draw();
}

const HANDLERS = {
  joined: () => about(),
  batch: ({ reactions }) => reactions && sky.burst(reactions),
  welcome: ({ user }) => welcomed(user),
  ack: ({ ref }) => acknowledged(ref),
  refused,
  notice: noticed,
};

async function about() {
  const { status, body } = await calls.about();
  byId("title").textContent = (status === 200 && body.title) || stream;
  document.title = `${byId("title").textContent} · uproar`;
}

function welcomed(user) {
  isWelcome = true;
  account.welcomed(user);
  const { send, givenBack } = outbox.due(Date.now());
  send.forEach(sendPost);
  for (const { text, replyTo } of givenBack) composer.giveBack(text, replyTo);
  if (givenBack.length) composer.refuse("Look first whether this was shown already: the connection was away for long.");
}

function acknowledged(ref) {
  outbox.answered(ref, true);
  if (reports.delete(ref)) composer.praise("Thank you. Moderators will look at it.");
}

function refused({ ref, code, message, retry_after_ms: waitMs }) {
  const lost = outbox.answered(ref, false);
  reports.delete(ref);
  if (lost) composer.giveBack(lost.text, lost.replyTo);
  if (code === 102) forget();
  composer.refuse(message, waitMs);
}

function noticed({ code, message }) {
  if (code === 102) forget();
  composer.refuse(message);
}

function stateChanged(next, waitMs, wasJoined) {
  state = next;
  if (next !== "live") isWelcome = false;
  if (next === "away" && !wasJoined) explainAbsence();
  draw();
}

/** A refused upgrade says nothing to a page, so it asks. */
async function explainAbsence() {
  const { status } = await calls.about();
  if (status !== 404) return;
  byId("title").textContent = stream;
  byId("quiet").textContent =
    `There is no stream “${stream}” yet. A creator makes it with PUT /v1/streams/${stream}; this page then joins by itself.`;
}

// ---- from the reader ----

function post(text, replyTo) {
  if (outbox.isFull) {
    composer.refuse("Wait for the others to be sent first.");
    return false;
  }
  const written = outbox.add(text, replyTo);
  if (isWelcome) sendPost(written);
  list.follow();
  draw();
  return true;
}

function sendPost(written) {
  if (connection.send(asOp(written))) written.sentAt ??= Date.now();
}

function like(id) {
  const on = !liked.has(id);
  if (!connection.send({ op: "like", comment: id, on })) return;
  liked[on ? "add" : "delete"](id);
  draw();
}

async function report(comment) {
  const form = await ask(byId("reporting"));
  if (!form) return;
  const ref = newRef();
  reports.add(ref);
  connection.send({ op: "report", ref, comment: comment.id, why: String(form.get("why")) });
}

async function ban({ user }) {
  byId("banning-title").textContent = `Ban ${user.name}`;
  const form = await ask(byId("banning"));
  if (!form) return;
  const seconds = form.get("seconds") ? { seconds: Number(form.get("seconds")) } : {};
  await told(calls.ban(user.id, { ...seconds, why: "by a moderator", remove: form.has("remove") }));
}

/** Words for whoever asked when it could not be done; what was done shows by itself. */
async function told(answer) {
  const { status, body } = await answer;
  if (status < 200 || status > 299) composer.refuse(body?.message ?? "This could not be done.", body?.retry_after_ms);
}

const ACTS = {
  reply: (comment) => composer.answer(comment),
  like: ({ id }) => like(id),
  report,
  pin: ({ id }) => told(calls.pin(id, !picture.pinned.some((pinned) => pinned.id === id))),
  remove: ({ id, user }) => told(calls.remove(id, user.id === account.user?.id ? "by its author" : "by a moderator")),
  ban,
  parent: ({ reply_to: parent }) => list.jump(parent.id) || composer.refuse("That comment is further back than this page goes."),
};

function acted(event) {
  const name = event.target.closest("[data-act]")?.dataset.act;
  const id = event.target.closest(".comment")?.dataset.id;
  const comment = [...picture.comments, ...picture.pinned].find((each) => each.id === id);
  if (name && comment) ACTS[name](comment);
}

/** @returns {Promise<FormData | null>} null: thought better of it */
function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.onclose = () => resolve(dialog.returnValue ? new FormData(dialog.querySelector("form")) : null);
  });
}

// ---- who the reader is ----

async function nameChosen(event) {
  event.preventDefault();
  const { status, body } = await becomeGuest(byId("name").value);
  if (status >= 200 && status < 300) return signIn(body.token);
  if (status === 403 || status === 404) {
    byId("naming").dataset.closed = "yes";
    byId("token-door").open = true;
    composer.refuse("Guests are not let in here: paste a token to join in.");
  } else composer.refuse(body?.message ?? "This did not work.", body?.retry_after_ms);
  draw();
}

function tokenPasted(event) {
  event.preventDefault();
  signIn(byId("token").value.trim());
  byId("token").value = "";
}

function signIn(token) {
  composer.hush();
  account.present(token);
  connection.authenticate();
}

function forget() {
  isWelcome = false;
  account.forget();
}

function leave() {
  forget();
  connection.restart();
  draw();
}

// ---- to the elements ----

function draw() {
  if (isDrawing) return;
  isDrawing = true;
  requestAnimationFrame(() => {
    isDrawing = false;
    drawNow();
  });
}

function drawNow() {
  const { comments, pinned, leftOut, viewers, rules } = picture;
  drawState();
  byId("viewers").textContent = viewers.toLocaleString();
  bar.show(picture, state === "live");
  byId("left-out").hidden = leftOut === 0;
  byId("left-out").textContent = `${leftOut.toLocaleString()} more comments were left out`;
  byId("pinned").hidden = pinned.length === 0;
  const pinnedIds = new Set(pinned.map(({ id }) => id));
  pins.show(pinned.map((comment) => ({ comment, standing: standing(comment, true) })));
  const kept = comments.map((comment) => ({ comment, standing: standing(comment, pinnedIds.has(comment.id)) }));
  list.show([...kept, ...outbox.waiting.map(onItsWay)]);
  byId("quiet").hidden = comments.length > 0 || state === "joining";
  drawFooter();
  if (rules && rules.max_chars !== composer.maxChars) composer.limit(rules.max_chars);
}

const STATES = { joining: "Connecting…", live: "Live", away: "Reconnecting…", closed: "Closed", ended: "Ended" };

function drawState() {
  const shown = state === "live" && picture.rules?.state === "ended" ? "ended" : state;
  if (byId("state").dataset.state === shown && byId("state").textContent === STATES[shown]) return;
  byId("state").dataset.state = shown;
  byId("state").textContent = STATES[shown];
}

function drawFooter() {
  const isKnown = account.user !== null;
  byId("composer").hidden = !isKnown;
  byId("naming").hidden = isKnown || byId("naming").dataset.closed === "yes";
  byId("token-door").hidden = isKnown;
  byId("my-name").textContent = account.user?.name ?? "";
}

function standing(comment, isPinned) {
  return {
    isMine: comment.user.id === account.user?.id, canPost: account.user !== null, canModerate: account.canModerate,
    isPinned, isLiked: liked.has(comment.id), isPending: false,
  };
}

/** A post as the comment that it will be. */
function onItsWay(written) {
  if (!sending.has(written)) sending.set(written, asComment(written));
  const comment = sending.get(written);
  return { comment, standing: { ...standing(comment, false), isPending: true } };
}

function asComment({ ref, text, replyTo }) {
  const parent = replyTo && { id: replyTo.id, user: replyTo.user.id, text: replyTo.text };
  return { id: `on its way ${ref}`, user: account.user, text, at: Date.now(), reply_to: parent ?? undefined };
}

byId("open-door").hidden = /** @type {any} */ (document.querySelector('meta[name="uproar-open"]')).content !== "true";
byId("naming").addEventListener("submit", nameChosen);
byId("tokening").addEventListener("submit", tokenPasted);
byId("leave").addEventListener("click", leave);
byId("comments").addEventListener("click", acted);
byId("pinned").addEventListener("click", acted);
byId("title").textContent = stream;
connection.open();
