/** The page counts as the server does, and says what is too much. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { fault, room, worded } from "../../src/uproar/web/limits.js";

for (const [name, text, expected] of [
  ["as long as may be", "x".repeat(500), null],
  ["emoji are one each", "🔥".repeat(500), null],
  ["white space at the ends counts nothing", `\n\n  ${"x".repeat(500)}\n\n\n\n`, null],
  ["composed letters count once", "e\u0301".repeat(500), null],
  ["one more", "x".repeat(501), "This is too long: at most 500 characters."],
  ["five line breaks", "a\n".repeat(5) + "b", null],
  ["six line breaks", "a\n".repeat(6) + "b", "Too many lines: at most 5 line breaks."],
]) {
  test(`a text: ${name}`, () => assert.equal(fault(text, 500), expected));
}

for (const [length, words, isOver] of [[400, "", false], [441, "59 left", false], [500, "0 left", false], [501, "1 too many", true]]) {
  test(`at ${length} characters the counter says “${words}”`, () => {
    assert.deepEqual(room("x".repeat(length), 500), { words, isOver });
  });
}

test("the counter counts lines too", () => {
  assert.deepEqual(room("a\n".repeat(6) + "b", 500), { words: "1 line too many", isOver: true });
  assert.deepEqual(room("a\n".repeat(7) + "b", 500), { words: "2 lines too many", isOver: true });
});

test("a refused length names the stream's limit; other refusals keep their words", () => {
  assert.equal(worded({ code: 202, message: "This is too long." }, 80), "This is too long: at most 80 characters.");
  assert.equal(worded({ code: 210, message: "Kinder words." }, 80), "Kinder words.");
});
