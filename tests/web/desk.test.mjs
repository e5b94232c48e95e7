/** What a reload finds again, and where the page is. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { found, left } from "../../src/uproar/web/desk.js";
import { KEEP } from "../../src/uproar/web/outbox.js";
import { canBe, streamOf } from "../../src/uproar/web/place.js";

const NOTHING = { text: "", replyTo: null, posts: [] };
const PARENT = { id: "7", user: { id: "bob", name: "Bob" }, text: "hi" };
const post = (ref) => ({ ref, by: "ann", text: "x", replyTo: null, sentAt: 5, why: null });
let storage;

beforeEach(() => {
  const held = new Map();
  storage = {
    held, getItem: (key) => held.get(key) ?? null, setItem: (key, text) => held.set(key, text), removeItem: (key) => held.delete(key),
  };
});

test("draft, reply target and posts are found again, of this stream alone", () => {
  const desk = { text: "half a thou", replyTo: PARENT, posts: [post("r1")] };
  left(storage, "s1", desk);
  assert.deepEqual(found(storage, "s1"), desk);
  assert.deepEqual(found(storage, "s2"), NOTHING);
});

test("an empty desk leaves nothing behind", () => {
  left(storage, "s1", { ...NOTHING, text: "x" });
  left(storage, "s1", NOTHING);
  assert.equal(storage.held.size, 0);
});

test("no more is kept than its bounds", () => {
  left(storage, "s1", { text: "x".repeat(100_000), replyTo: null, posts: Array.from({ length: 99 }, (_, i) => post(`r${i}`)) });
  const { text, posts } = found(storage, "s1");
  assert.deepEqual([text.length, posts.length, posts.at(-1).ref], [4000, KEEP, "r98"]);
});

test("what is no desk is an empty one", () => {
  storage.setItem("uproar.desk.s1", "{oops");
  assert.deepEqual(found(storage, "s1"), NOTHING);
});

for (const [pathname, search, expected, isPossible] of [
  ["/s/coast", "", "coast", true],
  ["/s/a~b.c_d-1", "", "a~b.c_d-1", true],
  ["/", "?stream=tunnel", "tunnel", true],
  ["/", "", "demo", true],
  ["/s/%E0%A4%A", "", "%E0%A4%A", false],
  ["/s/bad%2Fstream!", "", "bad/stream!", false],
  ["/s/" + "x".repeat(65), "", "x".repeat(65), false],
]) {
  test(`${pathname}${search} is about ${expected}, which ${isPossible ? "can" : "cannot"} be`, () => {
    assert.equal(streamOf({ pathname, search }), expected);
    assert.equal(canBe(expected), isPossible);
  });
}
