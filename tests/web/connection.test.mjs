/** When and where a viewer comes back, and how it says who it is. */

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { comesBack, Connection, liveAddress, waitMs } from "../../src/uproar/web/connection.js";

for (const [tries, asked, luck, expected] of [
  [0, null, 0.5, 250],
  [3, null, 0.5, 2000],
  [5, null, 0.999, 15984],
  [60, null, 0.5, 15000],
  [4, null, 0, 0],
  [0, 4321, 0.9, 4321],
  [9, 0, 0.9, 0],
]) {
  test(`waits ${expected} ms after ${tries} tries, asked ${asked}, luck ${luck}`, () => {
    assert.equal(waitMs(tries, asked, luck), expected);
  });
}

for (const [code, back] of [[1000, true], [1006, true], [1009, true], [4000, true], [4499, true], [4500, false], [4503, false], [4999, false]]) {
  test(`close ${code}: ${back ? "comes back" : "stays away"}`, () => assert.equal(comesBack(code), back));
}

test("the address resumes where there is a position, and never holds a token", () => {
  const place = { protocol: "https:", host: "a.example:1" };
  assert.equal(liveAddress(place, "s1", "e.7"), "wss://a.example:1/v1/streams/s1/live?position=e.7");
  assert.equal(liveAddress({ ...place, protocol: "http:" }, "a~b", ""), "ws://a.example:1/v1/streams/a~b/live?history=100");
});

class FakeSocket {
  static OPEN = 1;
  static made = [];
  readyState = 1;
  sent = [];
  constructor(address) {
    this.address = address;
    FakeSocket.made.push(this);
  }
  send(text) { this.sent.push(JSON.parse(text)); }
  close() { this.readyState = 3; }
  tell(message) { this.onmessage({ data: JSON.stringify(message) }); }
}

const latest = () => FakeSocket.made.at(-1);
let states;
let connection;

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  globalThis.WebSocket = FakeSocket;
  FakeSocket.made = [];
  states = [];
  connection = new Connection({
    address: () => "ws://here", token: () => "secret", onMessage: () => {}, onState: (...state) => states.push(state),
  });
  connection.open();
});

test("the token goes in the first message, and nowhere else", () => {
  latest().onopen();
  assert.deepEqual(latest().sent, [{ op: "auth", token: "secret" }]);
});

test("after a bye it comes back exactly when it was asked to", () => {
  latest().tell({ type: "joined" });
  latest().tell({ type: "bye", code: 4000, retry_after_ms: 700 });
  latest().onclose({ code: 4000 });
  assert.deepEqual(states.at(-1), ["away", 700, true]);
  mock.timers.tick(699);
  assert.equal(FakeSocket.made.length, 1);
  mock.timers.tick(1);
  assert.equal(FakeSocket.made.length, 2);
});

test("a bye counts for one return only, and a join forgets earlier failures", () => {
  for (let i = 0; i < 6; i += 1) {
    latest().onclose({ code: 1006 });
    mock.timers.tick(30_000);
  }
  latest().tell({ type: "joined" });
  latest().onclose({ code: 1006 });
  const [state, wait, wasJoined] = states.at(-1);
  assert.equal(state, "away");
  assert.ok(wait <= 500);
  assert.equal(wasJoined, true);
});

test("a close that wants nobody back is the end", () => {
  latest().onclose({ code: 4500 });
  mock.timers.tick(60_000);
  assert.deepEqual([states.at(-1)[0], FakeSocket.made.length], ["closed", 1]);
});

test("an old socket says nothing more after a restart", () => {
  const old = latest();
  connection.restart();
  assert.equal(old.onmessage, null);
  assert.equal(FakeSocket.made.length, 2);
});

test("nothing is sent while there is no open way", () => {
  latest().readyState = 3;
  assert.equal(connection.send({ op: "react" }), false);
  assert.deepEqual(latest().sent, []);
});

test("who will not wait comes back at once, and once", () => {
  connection.now();
  assert.equal(FakeSocket.made.length, 1);
  latest().tell({ type: "bye", code: 4000, retry_after_ms: 20_000 });
  latest().onclose({ code: 4000 });
  connection.now();
  connection.now();
  mock.timers.tick(30_000);
  assert.equal(FakeSocket.made.length, 2);
});
