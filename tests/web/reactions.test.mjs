/** Clicks are gathered; bursts are bounded. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Clicks, drawn } from "../../src/uproar/web/reactions.js";

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
});

test("clicks of a quarter of a second go out as one message", () => {
  const sent = [];
  const clicks = new Clicks((counts) => sent.push(counts));
  for (const kind of ["❤", "❤", "🔥"]) clicks.add(kind);
  mock.timers.tick(249);
  assert.deepEqual(sent, []);
  mock.timers.tick(1);
  clicks.add("❤");
  mock.timers.tick(250);
  assert.deepEqual(sent, [{ "❤": 2, "🔥": 1 }, { "❤": 1 }]);
});

test("no message holds more than the server takes", () => {
  const sent = [];
  const clicks = new Clicks((counts) => sent.push(counts));
  for (let i = 0; i < 80; i += 1) clicks.add("❤");
  mock.timers.tick(250);
  assert.deepEqual(sent, [{ "❤": 50 }]);
});

test("a burst draws at most 20 of a kind", () => {
  assert.deepEqual([drawn(3), drawn(20), drawn(100_000)], [3, 20, 20]);
});
