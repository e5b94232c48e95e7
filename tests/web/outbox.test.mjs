/** Posts in flight: one ref, one comment; one at a time, and each with its own fate. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { asOp, KEEP, Outbox } from "../../src/uproar/web/outbox.js";
import { Sender } from "../../src/uproar/web/sender.js";

const PARENT = { id: "7", user: { id: "bob", name: "Bob" }, text: "hi" };
const TOO_FAST = { code: 120, message: "Too fast.", retry_after_ms: 700 };
const RUDE = { code: 210, message: "Kinder words." };
let outbox;

beforeEach(() => {
  let made = 0;
  outbox = new Outbox(() => `r${(made += 1)}`);
});

const add = (text, replyTo = null) => outbox.add(text, replyTo, "ann");
const texts = () => outbox.all.map(({ text, why }) => (why ? `${text}: ${why}` : text));

test("a post becomes the protocol's message, with the parent only when there is one", () => {
  assert.deepEqual(asOp(add("hello")), { op: "post", ref: "r1", text: "hello" });
  assert.deepEqual(asOp(add("hello", PARENT)), { op: "post", ref: "r2", text: "hello", reply_to: "7" });
});

test("one is on its way at a time, in the order of writing", () => {
  const [a, b] = [add("a"), add("b")];
  assert.equal(outbox.next(0), a);
  outbox.sent(a, 0);
  assert.equal(outbox.next(0), null);
  outbox.kept(a.ref);
  assert.equal(outbox.next(0), b);
});

test("after a lost connection the same one goes again with the same ref", () => {
  const a = add("a");
  outbox.sent(a, 1000);
  outbox.cut();
  assert.equal(outbox.next(2000), a);
  assert.equal(a.sentAt, 1000);
});

for (const code of [120, 121, 122, 501, 502, 503]) {
  test(`refused with ${code} it waits as long as it was asked to, and the others behind it`, () => {
    const [a] = [add("a"), add("b")];
    outbox.sent(a, 0);
    outbox.refused(a.ref, { ...TOO_FAST, code }, 1000);
    assert.equal(outbox.next(1699), null);
    assert.equal(outbox.next(1700), a);
    assert.equal(a.sentAt, code === 503 ? 0 : null);
  });
}

for (const code of [101, 102]) {
  test(`refused with ${code} it waits for its writer, and for nobody else`, () => {
    const a = add("a");
    outbox.sent(a, 0);
    outbox.refused(a.ref, { code, message: "Sign in." }, 0);
    outbox.welcomed("ann", 1);
    assert.equal(outbox.next(1), a);
    outbox.welcomed("bob", 1);
    assert.deepEqual(texts(), ["a: This was written under another name."]);
  });
}

test("refused for good each stays by itself with its reason, and the next goes", () => {
  const [a, b] = [add("a"), add("b")];
  outbox.sent(a, 0);
  outbox.refused(a.ref, RUDE, 0);
  assert.deepEqual(texts(), ["a: Kinder words.", "b"]);
  assert.equal(outbox.next(0), b);
});

test("only what the server has not got can be taken back", () => {
  const [a, b] = [add("a"), add("b")];
  outbox.sent(a, 0);
  assert.deepEqual([outbox.canTakeBack(a), outbox.canTakeBack(b)], [false, true]);
  outbox.refused(a.ref, { code: 503, message: "Perhaps." }, 0);
  assert.equal(outbox.canTakeBack(a), false);
  outbox.refused(a.ref, TOO_FAST, 0);
  assert.equal(outbox.canTakeBack(a), true);
});

test("what the server may have forgotten is not sent again by itself", () => {
  outbox.sent(add("old"), 0);
  outbox.cut();
  const fresh = add("never on its way");
  outbox.welcomed("ann", 9 * 60_000 + 1);
  assert.equal(outbox.next(9 * 60_000 + 1), fresh);
});

for (const [name, text, replyTo, by, ref] of [
  ["unchanged keeps its ref", "same", PARENT, "ann", "r1"],
  ["altered gets a new one", "other", PARENT, "ann", "r2"],
  ["answering nobody any more gets a new one", "same", null, "ann", "r2"],
  ["by another gets a new one", "same", PARENT, "bob", "r2"],
]) {
  test(`a text taken back and sent again ${name}`, () => {
    const { ref: first } = add("same", PARENT);
    outbox.refused(first, RUDE, 0);
    outbox.takeBack(first);
    assert.deepEqual(outbox.all, []);
    const again = outbox.add(text, replyTo, by);
    assert.deepEqual([again.ref, again.why], [ref, null]);
  });
}

test("a kept text said again is a new comment", () => {
  outbox.kept(add("lol").ref);
  assert.equal(add("lol").ref, "r2");
});

test("an answer to somebody else's ref is nobody's", () => {
  add("mine");
  assert.equal(outbox.refused("not ours", RUDE, 0), null);
  assert.equal(outbox.refused(undefined, TOO_FAST, 0), null);
  assert.deepEqual([texts(), outbox.heldUntil], [["mine"], 0]);
});

test("it is full at its bound, and has room again after an answer", () => {
  const posts = Array.from({ length: KEEP }, (_, i) => add(String(i)));
  assert.equal(outbox.isFull, true);
  outbox.drop(posts[0].ref);
  assert.equal(outbox.isFull, false);
});

test("posts of an earlier page keep their refs, at most as many as it holds", () => {
  const posts = Array.from({ length: KEEP + 2 }, (_, i) => ({ ref: `o${i}`, by: "ann", text: "x", replyTo: null, sentAt: 1, why: null }));
  const back = new Outbox(() => "new", posts);
  assert.deepEqual([back.all.length, back.next(2).ref], [KEEP, "o2"]);
});

test("a server that takes five at once gets twenty, in order and once each", () => {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1_000_000 });
  const kept = [];
  let room = 5;
  const sender = new Sender(outbox, (op) => {
    queueMicrotask(() => {
      if (room > 0) kept.push(outbox.kept(op.ref).text);
      else outbox.refused(op.ref, { ...TOO_FAST, retry_after_ms: 30_000 }, Date.now());
      room -= 1;
      sender.go();
    });
    return true;
  });
  const wanted = Array.from({ length: KEEP }, (_, i) => add(`post ${i}`).text);
  sender.open("ann");
  return (async () => {
    for (let i = 0; i < 8; i += 1) {
      for (let step = 0; step < 50; step += 1) await null;
      room = 5;
      mock.timers.tick(30_000);
    }
    mock.timers.reset();
    assert.deepEqual(kept, wanted);
  })();
});

test("nothing is sent while the way is shut", () => {
  const sent = [];
  const sender = new Sender(outbox, (op) => sent.push(op));
  add("a");
  sender.go();
  assert.deepEqual(sent, []);
  sender.open("ann");
  sender.shut();
  sender.go();
  assert.equal(sent.length, 1);
});
