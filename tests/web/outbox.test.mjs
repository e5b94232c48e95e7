/** Posts in flight: one ref, one comment. */

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { asOp, KEEP, Outbox } from "../../src/uproar/web/outbox.js";

const PARENT = { id: "7", user: { id: "bob", name: "Bob" }, text: "hi", at: 0 };
let outbox;

beforeEach(() => {
  let made = 0;
  outbox = new Outbox(() => `r${(made += 1)}`);
});

test("a post becomes the protocol's message, with the parent only when there is one", () => {
  assert.deepEqual(asOp(outbox.add("hello", null)), { op: "post", ref: "r1", text: "hello" });
  assert.deepEqual(asOp(outbox.add("hello", PARENT)), { op: "post", ref: "r2", text: "hello", reply_to: "7" });
});

test("what is unanswered is due again, in order and with the same refs", () => {
  outbox.add("a", null).sentAt = 1000;
  outbox.add("b", null);
  outbox.answered(outbox.add("c", null).ref, true);
  assert.deepEqual(outbox.due(2000).send.map(({ ref, text }) => [ref, text]), [["r1", "a"], ["r2", "b"]]);
});

test("what the server may have forgotten is given back, not sent again", () => {
  outbox.add("old", null).sentAt = 0;
  outbox.add("never on its way", null);
  const { send, givenBack } = outbox.due(9 * 60_000 + 1);
  assert.deepEqual([send.map(({ text }) => text), givenBack.map(({ text }) => text)], [["never on its way"], ["old"]]);
  assert.equal(outbox.waiting.length, 1);
});

test("a refusal gives the text and its parent back", () => {
  const { ref } = outbox.add("too fast", PARENT);
  const post = outbox.answered(ref, false);
  assert.deepEqual([post.text, post.replyTo, outbox.waiting], ["too fast", PARENT, []]);
});

for (const [name, text, replyTo, ref] of [
  ["unchanged keeps its ref", "same", PARENT, "r1"],
  ["altered gets a new one", "other", PARENT, "r2"],
  ["answering nobody any more gets a new one", "same", null, "r2"],
]) {
  test(`a refused text sent again ${name}`, () => {
    outbox.answered(outbox.add("same", PARENT).ref, false);
    assert.equal(outbox.add(text, replyTo).ref, ref);
  });
}

test("a kept text said again is a new comment", () => {
  outbox.answered(outbox.add("lol", null).ref, true);
  assert.equal(outbox.add("lol", null).ref, "r2");
});

test("an answer to somebody else's ref is nobody's", () => {
  outbox.add("mine", null);
  assert.equal(outbox.answered("not ours", false), null);
  assert.equal(outbox.waiting.length, 1);
});

test("it is full at its bound, and has room again after an answer", () => {
  const posts = Array.from({ length: KEEP }, (_, i) => outbox.add(String(i), null));
  assert.equal(outbox.isFull, true);
  outbox.answered(posts[0].ref, true);
  assert.equal(outbox.isFull, false);
});
