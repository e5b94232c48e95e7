// What every peer written for Node.js does: wait until it may begin, publish at a steady pace, say when it is done.
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";

const TAIL = '"}]}';

// The command line of every peer: PORT BYTES RATE SECONDS.
export function wish() {
  const [port, size, rate, seconds] = process.argv.slice(2).map(Number);
  return { port, size, rate, seconds };
}

// A line on the standard input begins it, `done` on the standard output ends it; the input's end ends the peer.
export async function publish(send, { size, rate, seconds }) {
  process.stdin.once("end", () => process.exit());
  await once(process.stdin, "data");
  process.stdin.resume();
  const began = performance.now();
  for (let number = 1; number <= Math.floor(rate * seconds); number++) {
    send(stamped(number, size));
    await setTimeout(Math.max(0, began + (number * 1000) / rate - performance.now()));
  }
  console.log("done");
}

function stamped(number, size) {
  const position = String(number).padStart(10, "0");
  const stamp = process.hrtime.bigint();
  const head = `{"type":"batch","position":"peer.${position}","comments":[{"text":"t=${stamp};`;
  return head.padEnd(size - TAIL.length, "x") + TAIL;
}
