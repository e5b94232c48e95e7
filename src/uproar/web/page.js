/** The page: carries messages between the server, the picture and the elements. */

import { Account } from "./account.js";
import { Away } from "./away.js";
import { Composer } from "./composer.js";
import { Connection, liveAddress } from "./connection.js";
import { found, left } from "./desk.js";
import { worded } from "./limits.js";
import { CommentList } from "./list.js";
import { Outbox } from "./outbox.js";
import { applied, atEnd, canGoBack, EMPTY, withOlder } from "./picture.js";
import { canBe, impossible, missing, streamOf } from "./place.js";
import { Clicks, ReactionBar, Sky } from "./reactions.js";
import { becomeGuest, StreamCalls } from "./rest.js";
import { Rows } from "./rows.js";
import { Sender } from "./sender.js";

const byId = (id) => /** @type {any} */ (document.getElementById(id));

/** Before the ref of a post in the id of its row. */
const ON_ITS_WAY = "on its way ";

const stream = streamOf(location);
const account = new Account(localStorage);
const calls = new StreamCalls(stream, () => account.token);
const desk = found(sessionStorage, stream);
const outbox = new Outbox(newRef, desk.posts);
const composer = new Composer(post, remember);
const list = new CommentList(byId("comments"), byId("newer"), { onTop: goBack, onEnd: letGo });
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
const sender = new Sender(outbox, (op) => connection.send(op));
const away = new Away(() => connection.now());

let picture = EMPTY;
let state = "joining";
let absence = "";
let isDrawing = false;
let isJoining = false;
let isGoingBack = false;
let sweeps = 0;
const liked = new Set();
const sending = new WeakMap();

/** 128 random bits; `randomUUID` is missing where the page came without TLS. */
function newRef() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** In this tab, for after a reload. */
function remember() {
  left(sessionStorage, stream, { text: composer.text, replyTo: composer.replyTo, posts: outbox.all });
}

// ---- from the server ----

function read(message) {
  picture = applied(picture, message);
  HANDLERS[message.type]?.(message);
  draw();
}

const HANDLERS = {
  joined: () => about(),
  batch,
  welcome: ({ user }) => welcomed(user),
  ack: ({ ref }) => acknowledged(ref),
  refused,
  notice: noticed,
};

async function about() {
  absence = "";
  const { status, body } = await calls.about();
  byId("title").textContent = (status === 200 && body.title) || stream;
  document.title = `${byId("title").textContent} · uproar`;
}

function batch({ reactions, removed_users: swept }) {
  if (reactions) sky.burst(reactions);
  if (swept) sweeps += 1;
}

function welcomed(user) {
  account.welcomed(user);
  sender.open(user.id);
  remember();
}

function acknowledged(ref) {
  outbox.kept(ref);
  sender.go();
  remember();
}

function refused(refusal) {
  const post = outbox.refused(refusal.ref, refusal, Date.now());
  if (refusal.code === 101 || refusal.code === 102) forget();
  if (!post || post.why || !tellPause()) composer.refuse(worded(refusal, composer.maxChars), refusal.retry_after_ms);
  sender.go();
  remember();
}

/** @returns {boolean} whether posts have to wait */
function tellPause() {
  const waitMs = outbox.heldUntil - Date.now();
  if (waitMs > 0) composer.refuse(outbox.heldWhy, waitMs, "It is sent by itself");
  return waitMs > 0;
}

function noticed({ code, message }) {
  if (code === 102) forget();
  composer.refuse(message);
}

function stateChanged(next, waitMs, wasJoined) {
  state = next;
  away.show(next, waitMs);
  if (next !== "live") sender.shut();
  if (next === "away" && !wasJoined) explainAbsence();
  draw();
}

/** A refused upgrade says nothing to a page, so it asks. */
async function explainAbsence() {
  const { status } = await calls.about();
  if (status === 404 && state !== "live") absence = missing(stream);
  draw();
}

// ---- from the reader ----

function post(text, replyTo) {
  if (outbox.isFull) {
    composer.refuse("Wait for the others to be sent, or drop some of them.");
    return false;
  }
  outbox.add(text, replyTo, account.user.id);
  sender.go();
  tellPause();
  list.follow();
  draw();
  return true;
}

/** Shown at once, and taken back when the server does not take it. */
async function like(id) {
  const on = !liked.has(id);
  mark(id, on);
  if (!await told(calls.like(id, on))) mark(id, !on);
}

function mark(id, on) {
  liked[on ? "add" : "delete"](id);
  draw();
}

async function report({ id }) {
  const form = await ask(byId("reporting"));
  if (form && await told(calls.report(id, String(form.get("why"))))) composer.praise("Thank you. It is reported.");
}

async function remove({ id, user }) {
  const isMine = user.id === account.user?.id;
  if (!await told(calls.remove(id, isMine ? "by its author" : "by a moderator"))) return;
  if (account.canModerate) composer.offer("Removed.", "Undo", () => told(calls.restore(id)));
}

async function ban({ user }) {
  byId("banning-title").textContent = `Ban ${user.name}`;
  const form = await ask(byId("banning"));
  if (!form) return;
  const seconds = form.get("seconds") ? { seconds: Number(form.get("seconds")) } : {};
  await told(calls.ban(user.id, { ...seconds, why: "by a moderator", remove: form.has("remove") }));
}

/** Words for whoever asked when it could not be done; what was done shows by itself. @returns whether it was */
async function told(answer) {
  const { status, body } = await answer;
  const isDone = status >= 200 && status < 300;
  if (!isDone) composer.refuse(body?.message ?? "This could not be done.", body?.retry_after_ms);
  return isDone;
}

const ACTS = {
  reply: (comment) => composer.answer(comment),
  like: ({ id }) => like(id),
  report,
  pin: ({ id }) => told(calls.pin(id, !picture.pinned.some((pinned) => pinned.id === id))),
  remove,
  ban,
  parent: ({ reply_to: parent }) => list.jump(parent.id) || composer.refuse("That comment is further back: scroll up for it."),
  edit: ({ ref }) => edit(ref),
  drop: ({ ref }) => outbox.drop(ref),
};

/** Back into the box, if that is empty. */
function edit(ref) {
  if (composer.text.trim()) return composer.refuse("Send or clear what is in the box first.");
  const { text, replyTo } = outbox.takeBack(ref);
  composer.hush();
  composer.write(text, replyTo);
  composer.box.focus();
}

function acted(event) {
  const name = event.target.closest("[data-act]")?.dataset.act;
  const id = event.target.closest(".comment")?.dataset.id;
  const comments = [...picture.comments, ...picture.pinned, ...outbox.all.map(asComment)];
  const comment = comments.find((each) => each.id === id);
  if (!name || !comment) return;
  ACTS[name](comment);
  sender.go();
  remember();
  draw();
}

// ---- further back ----

/** A page of older comments; asked again where a ban came in between, which would have swept it. */
async function goBack() {
  if (isGoingBack || picture.since === null) return;
  if (!canGoBack(picture)) return sayOlder("This page goes no further back.");
  isGoingBack = true;
  sayOlder("Older comments…");
  const { since, position } = picture;
  const sweep = sweeps;
  const { status, body } = await calls.older(since);
  isGoingBack = false;
  sayOlder(status === 200 ? "" : body?.message ?? "Older comments could not be had.");
  const isSame = picture.since === since && sweeps === sweep && picture.position.split(".")[0] === position.split(".")[0];
  if (status === 200 && isSame) picture = withOlder(picture, body);
  draw();
}

function letGo() {
  picture = atEnd(picture);
  sayOlder("");
  draw();
}

function sayOlder(words) {
  byId("older").hidden = !words;
  byId("older").textContent = words;
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
  isJoining = true;
  composer.hush();
  account.present(token);
  connection.authenticate();
}

function forget() {
  sender.shut();
  account.forget();
  liked.clear();
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
  const names = new Map([...pinned, ...comments].map(({ user }) => [user.id, user.name]));
  pins.show(pinned.map((comment) => ({ comment, standing: standing(comment, true, names) })));
  const kept = comments.map((comment) => ({ comment, standing: standing(comment, pinnedIds.has(comment.id), names) }));
  list.show([...kept, ...outbox.all.map((written) => onItsWay(written, names))]);
  byId("quiet").textContent = absence || "Nothing said yet. Be the first.";
  byId("quiet").hidden = comments.length > 0 || (state !== "live" && !absence);
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
  if (byId("composer").hidden === isKnown) {
    byId("composer").hidden = !isKnown;
    composer.limit(composer.maxChars);
  }
  byId("naming").hidden = isKnown || byId("naming").dataset.closed === "yes";
  byId("token-door").hidden = isKnown;
  byId("my-name").textContent = account.user?.name ?? "";
  if (isKnown && isJoining) composer.box.focus();
  isJoining &&= !isKnown;
}

function standing(comment, isPinned, names) {
  const parent = comment.reply_to?.user ?? "";
  return {
    isMine: comment.user.id === account.user?.id, canPost: account.user !== null, canModerate: account.canModerate,
    isPinned, isLiked: liked.has(comment.id), isOnItsWay: false, canTakeBack: false, why: null,
    parentName: names.get(parent) ?? parent,
  };
}

/** A post as the comment that it will be. */
function onItsWay(written, names) {
  if (!sending.has(written)) sending.set(written, asComment(written));
  const comment = sending.get(written);
  const more = { isOnItsWay: true, why: written.why, canTakeBack: outbox.canTakeBack(written) };
  return { comment, standing: { ...standing(comment, false, names), ...more } };
}

function asComment({ ref, by, text, replyTo }) {
  const parent = replyTo && { id: replyTo.id, user: replyTo.user.id, text: replyTo.text };
  const user = account.user?.id === by ? account.user : { id: by, name: by };
  return { id: ON_ITS_WAY + ref, ref, user, text, at: Date.now(), reply_to: parent ?? undefined };
}

byId("open-door").hidden = /** @type {any} */ (document.querySelector('meta[name="uproar-open"]')).content !== "true";
byId("naming").addEventListener("submit", nameChosen);
byId("tokening").addEventListener("submit", tokenPasted);
byId("leave").addEventListener("click", leave);
byId("comments").addEventListener("click", acted);
byId("pinned").addEventListener("click", acted);
byId("title").textContent = stream;
composer.write(desk.text, desk.replyTo);
if (canBe(stream)) connection.open();
else {
  absence = impossible(stream);
  state = "closed";
  document.querySelector("footer").hidden = true;
  draw();
}
