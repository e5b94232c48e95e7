/** The box to write in: text, whom it answers, what the server said about it, and when to try again. */

/** A comment has at most this many lines: the server takes five line breaks. */
const MOST_LINES = 6;

/** From here on the box tells how many characters are left. */
const TELL_LEFT_BELOW = 60;

const byId = (id) => /** @type {any} */ (document.getElementById(id));

export class Composer {
  /** @param {(text: string, replyTo: import("./picture.js").Comment | null) => boolean} onPost false: not taken */
  constructor(onPost) {
    this.onPost = onPost;
    this.form = byId("composer");
    this.box = byId("text");
    this.advice = byId("advice");
    this.maxChars = 500;
    /** @type {import("./picture.js").Comment | null} */
    this.replyTo = null;
    this.form.addEventListener("submit", (event) => this.#submitted(event));
    this.box.addEventListener("keydown", (event) => this.#keyed(event));
    this.box.addEventListener("input", () => this.#fit());
    byId("no-reply").addEventListener("click", () => this.answer(null));
  }

  /** Write an answer to a comment; null: to nobody. */
  answer(comment) {
    this.replyTo = comment;
    byId("replying").hidden = !comment;
    byId("replying-to").textContent = comment ? `To ${comment.user.name}: ${comment.text}` : "";
    this.box.focus();
  }

  /** The text comes back into the box; what was written meanwhile stays below it. */
  giveBack(text, replyTo) {
    this.box.value = this.box.value ? `${text}\n${this.box.value}` : text;
    if (replyTo && !this.replyTo) this.answer(replyTo);
    this.#fit();
  }

  limit(maxChars) {
    this.maxChars = maxChars;
    this.#fit();
  }

  /**
   * @param {string} words
   * @param {number} [waitMs] counted down, when there is something to wait for
   */
  refuse(words, waitMs = 0) {
    this.#say(words, "bad");
    if (waitMs > 0) this.#countDown(words, Date.now() + waitMs);
  }

  praise(words) {
    this.#say(words, "good");
    this.timer = setTimeout(() => this.hush(), 4000);
  }

  hush() {
    clearTimeout(this.timer);
    this.advice.hidden = true;
  }

  #say(words, kind) {
    this.hush();
    this.advice.dataset.kind = kind;
    this.advice.textContent = words;
    this.advice.hidden = false;
  }

  #countDown(words, untilMs) {
    const left = Math.ceil((untilMs - Date.now()) / 1000);
    if (left <= 0) return this.#say("You can try again now.", "good");
    this.advice.textContent = `${words} Try again in ${duration(left)}.`;
    this.timer = setTimeout(() => this.#countDown(words, untilMs), 250);
  }

  #submitted(event) {
    event.preventDefault();
    const text = this.box.value;
    if (!text.trim() || !this.onPost(text, this.replyTo)) return;
    this.box.value = "";
    this.answer(null);
    this.hush();
    this.#fit();
  }

  /** Enter sends; with Shift it begins a line; while an input method is composing it does what that wants. */
  #keyed(event) {
    if (event.key === "Escape") this.answer(null);
    if (event.key !== "Enter" || event.isComposing) return;
    if (event.shiftKey && this.box.value.split("\n").length < MOST_LINES) return;
    event.preventDefault();
    if (!event.shiftKey) this.form.requestSubmit();
  }

  #fit() {
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight + 2}px`;
    const left = this.maxChars - [...this.box.value].length;
    byId("room-left").textContent = left < TELL_LEFT_BELOW ? `${left} left` : "";
    byId("room-left").classList.toggle("over", left < 0);
  }
}

/** @param {number} seconds @returns {string} in words, to the unit that matters */
export function duration(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} minutes`;
  if (seconds < 172_800) return `${Math.ceil(seconds / 3600)} hours`;
  return `${Math.ceil(seconds / 86_400)} days`;
}
