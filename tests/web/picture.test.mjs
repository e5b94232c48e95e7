/** What a viewer holds, message by message. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { applied, atEnd, canGoBack, compareIds, EMPTY, KEEP, KEEP_READING, withOlder } from "../../src/uproar/web/picture.js";

const ann = { id: "ann", name: "Ann" };
const bob = { id: "bob", name: "Bob" };
const RULES = { max_chars: 500, slow_ms: 0, reactions: ["❤"], state: "live" };

const said = (id, user = ann, more = {}) => ({ id: String(id), user, text: `text ${id}`, at: 0, ...more });
const reply = (id, parent, user = bob) => said(id, user, { reply_to: { id: parent.id, user: parent.user.id, text: parent.text } });
const joined = (comments = [], more = {}) => ({
  type: "joined", stream: "s", position: "e.1", recovered: false, comments, pinned: [], viewers: 1, reactions: {}, rules: RULES, ...more,
});
const batch = (number, fields) => ({ type: "batch", position: `e.${number}`, ...fields });
const after = (...messages) => messages.reduce(applied, EMPTY);
const ids = (picture) => picture.comments.map(({ id }) => id);

test("ids are compared as the numbers that they are, of any length", () => {
  const sorted = ["9223372036854775807", "10", "9", "9007199254740993", "9007199254740992"].sort(compareIds);
  assert.deepEqual(sorted, ["9", "10", "9007199254740992", "9007199254740993", "9223372036854775807"]);
  assert.equal(compareIds("7", "7"), 0);
});

test("a join drops what was held and takes what stands at its position", () => {
  const picture = after(joined([said(1)]), batch(2, { left_out: 3 }), joined([said(5), said(4)], { position: "f.0", reactions: { "❤": 2 } }));
  assert.deepEqual(ids(picture), ["4", "5"]);
  assert.deepEqual([picture.position, picture.leftOut, picture.reactions], ["f.0", 0, { "❤": 2 }]);
});

test("a recovered join keeps all, and the missed batches follow", () => {
  const held = after(joined([said(1)]), batch(2, { comments: [said(2)], reactions: { "❤": 1 } }));
  const back = applied(held, joined([], { position: "e.2", recovered: true, viewers: 9 }));
  assert.deepEqual([ids(back), back.reactions, back.viewers], [["1", "2"], { "❤": 1 }, 9]);
  assert.deepEqual(ids(applied(back, batch(3, { comments: [said(3)] }))), ["1", "2", "3"]);
});

test("comments stand by id and once each, however they come", () => {
  const picture = after(joined([said(3)]), { type: "ack", ref: "r", comment: said(5) }, batch(2, { comments: [said(4), said(5)] }), {
    type: "for_you", comment: said(4),
  });
  assert.deepEqual(ids(picture), ["3", "4", "5"]);
});

test("a batch that is held already changes nothing", () => {
  const once = after(joined(), batch(2, { reactions: { "❤": 3 }, left_out: 1 }));
  assert.equal(applied(once, batch(2, { reactions: { "❤": 3 }, left_out: 1 })), once);
  assert.equal(applied(applied(once, batch(9, {})), batch(10, {})).position, "e.10");
});

for (const [name, fields, expected] of [
  ["removed users lose what they wrote earlier, not what stands in the same batch", { removed_users: ["ann"], comments: [said(9)] }, ["2", "9"]],
  ["removed", { removed: ["1"] }, ["2", "3"]],
  ["a comment posted and removed in one window", { removed: ["9"] }, ["1", "2", "3"]],
  ["restored", { restored: [said(0)] }, ["0", "1", "2", "3"]],
  ["removed before restored", { removed: ["1"], restored: [said(1)] }, ["1", "2", "3"]],
  ["comments", { comments: [said(4)] }, ["1", "2", "3", "4"]],
]) {
  test(`a batch: ${name}`, () => {
    assert.deepEqual(ids(after(joined([said(1), said(2, bob), said(3)]), batch(2, fields))), expected);
  });
}

for (const [name, fields] of [["the parent", { removed: ["1"] }], ["the parent's author", { removed_users: ["ann"] }]]) {
  test(`a preview loses its text with ${name}, in the pins too`, () => {
    const answer = reply(2, said(1));
    const picture = after(joined([said(1), answer], { pinned: [answer] }), batch(2, fields));
    for (const shelf of [picture.comments, picture.pinned]) assert.deepEqual(shelf.map((c) => c.reply_to), [{ id: "1", user: "ann" }]);
  });
}

test("a late ack does not bring back what is removed; a restored one may come", () => {
  const gone = after(joined([]), batch(2, { removed: ["1"] }), { type: "ack", ref: "r", comment: said(1) });
  assert.deepEqual(ids(gone), []);
  const back = applied(gone, batch(3, { restored: [said(1)] }));
  assert.deepEqual(ids(back), ["1"]);
});

test("an ack never overwrites the likes that came meanwhile", () => {
  const picture = after(joined([said(1)]), batch(2, { liked: { 1: 4 } }), { type: "ack", ref: "r", comment: said(1) });
  assert.equal(picture.comments[0].likes, 4);
});

test("pins come, are liked, and go, unpinned or removed", () => {
  const pinned = after(joined([said(1), said(2)]), batch(2, { pinned: [said(2), said(1)], liked: { 1: 7 } }));
  assert.deepEqual(pinned.pinned.map(({ id, likes }) => [id, likes]), [["1", 7], ["2", undefined]]);
  assert.deepEqual(applied(pinned, batch(3, { unpinned: ["1"] })).pinned.map(({ id }) => id), ["2"]);
  assert.deepEqual(applied(pinned, batch(3, { removed: ["2"] })).pinned.map(({ id }) => id), ["1"]);
  assert.deepEqual(applied(pinned, batch(3, { pinned: [said(1)], unpinned: ["1"] })).pinned.map(({ id }) => id), ["2"]);
});

test("reactions and what was left out add up; rules are replaced", () => {
  const picture = after(
    joined([], { reactions: { "❤": 1 } }), batch(2, { reactions: { "❤": 2, "🔥": 1 }, left_out: 4 }),
    batch(3, { left_out: 5, rules: { ...RULES, slow_ms: 9 } }),
  );
  assert.deepEqual([picture.reactions, picture.leftOut, picture.rules.slow_ms], [{ "❤": 3, "🔥": 1 }, 9, 9]);
});

test("skipped: the net result is applied, and what was missed is told", () => {
  const picture = after(joined([said(1), said(2)]), {
    type: "skipped", position: "e.40", frames: 39, comments: 12, removed: ["1"], liked: { 2: 3 }, reactions: { "❤": 5 }, left_out: 2,
  });
  assert.deepEqual([ids(picture), picture.comments[0].likes, picture.leftOut, picture.position], [["2"], 3, 14, "e.40"]);
});

test("at most the newest 500 are held", () => {
  const many = Array.from({ length: KEEP }, (_, i) => said(1000 + i));
  const picture = after(joined(many), batch(2, { comments: [said(5000)], restored: [said(1)] }));
  assert.equal(picture.comments.length, KEEP);
  assert.deepEqual([ids(picture)[0], ids(picture).at(-1)], ["1001", "5000"]);
});

test("what is not changed stays the same object, and nothing held is altered", () => {
  const before = after(joined([said(1), said(2)]));
  const frozen = structuredClone(before);
  const next = applied(before, batch(2, { liked: { 2: 1 }, comments: [said(3)] }));
  assert.equal(next.comments[0], before.comments[0]);
  assert.notEqual(next.comments[1], before.comments[1]);
  assert.deepEqual(before, frozen);
});

test("messages of tomorrow change nothing", () => {
  const picture = after(joined([said(1)]));
  assert.equal(applied(picture, { type: "weather", sun: true }), picture);
  assert.equal(applied(picture, { type: "ack", ref: "a report" }), picture);
});

test("older comments stand below the held ones, and later removals reach them", () => {
  const picture = withOlder(after(joined([said(5)])), { comments: [said(4), said(3)], next: "3" });
  assert.deepEqual([ids(picture), picture.since], [["3", "4", "5"], "3"]);
  assert.deepEqual(ids(applied(picture, batch(2, { removed: ["3"] }))), ["4", "5"]);
});

test("what was removed while older comments were on their way stays away, and an old form replaces nothing", () => {
  const picture = after(joined([said(5)]), batch(2, { removed: ["3"], liked: { 5: 2 } }));
  const back = withOlder(picture, { comments: [said(5), said(4), said(3)], next: null });
  assert.deepEqual([ids(back), back.comments.at(-1).likes, canGoBack(back)], [["4", "5"], 2, false]);
});

test("a restored comment from further back leaves no hole when older ones are asked for", () => {
  assert.equal(after(joined([said(5)]), batch(2, { restored: [said(1)] })).since, "5");
});

test("who reads older comments holds more, up to a bound; at the end only the newest stay", () => {
  const newest = Array.from({ length: KEEP }, (_, i) => said(100_000 + i));
  const older = Array.from({ length: KEEP_READING - KEEP }, (_, i) => said(50_000 + i));
  const full = withOlder(after(joined(newest)), { comments: older, next: "50000" });
  assert.deepEqual([full.comments.length, canGoBack(full)], [KEEP_READING, false]);
  const more = applied(full, batch(2, { comments: [said(200_000)] }));
  assert.deepEqual([more.comments.length, more.since], [KEEP_READING, "50001"]);
  const end = atEnd(more);
  assert.deepEqual([end.comments.length, end.since, canGoBack(end)], [KEEP, "100001", true]);
});
