/** The line that says how long it is until the page tries to come back, and a button for those who won't wait. */

const byId = (id) => /** @type {any} */ (document.getElementById(id));

/** A shorter wait is over before it is read. */
const WORTH_A_WORD_MS = 1000;

export class Away {
  /** @param {() => void} onNow */
  constructor(onNow) {
    this.line = byId("away");
    this.words = byId("away-words");
    this.button = byId("away-now");
    this.button.addEventListener("click", onNow);
    addEventListener("online", onNow);
  }

  /** @param {import("./connection.js").State} state @param {number} waitMs until the next try */
  show(state, waitMs) {
    clearTimeout(this.timer);
    this.button.hidden = state !== "away";
    if (state === "live") this.line.hidden = true;
    if (state === "joining") this.words.textContent = "Connecting again…";
    if (state === "closed") this.#say("The server has closed this stream.");
    if (state === "away" && waitMs >= WORTH_A_WORD_MS) this.#countDown(Date.now() + waitMs);
  }

  #say(words) {
    this.words.textContent = words;
    this.line.hidden = false;
  }

  #countDown(untilMs) {
    this.#say(`Not connected. Trying again in ${Math.max(0, Math.ceil((untilMs - Date.now()) / 1000))} s.`);
    this.timer = setTimeout(() => this.#countDown(untilMs), 250);
  }
}
