/** The box to write in: text, whom it answers, what the server said about it, and when to try again. */

import { fault, LINE_BREAKS, room, TOO_MANY_LINES } from "./limits.js";

/** A removal can be undone this long. */
const OFFER_MS = 10_000;
const PRAISE_MS = 4000;

/** @typedef {import("./outbox.js").Quoted} Quoted */

const byId = (id) => /** @type {any} */ (document.getElementById(id));

export class Composer {
  /**
   * @param {(text: string, replyTo: Quoted | null) => boolean} onPost false: not taken
   * @param {() => void} onChange the draft is another one
   */
  constructor(onPost, onChange) {
    this.onPost = onPost;
    this.onChange = onChange;
    this.form = byId("composer");
    this.box = byId("text");
    this.advice = byId("advice");
    this.button = byId("advice-act");
    this.maxChars = 500;
    /** @type {Quoted | null} */
    this.replyTo = null;
    this.form.addEventListener("submit", (event) => this.#submitted(event));
    this.box.addEventListener("keydown", (event) => this.#keyed(event));
    this.box.addEventListener("input", () => this.#changed());
    byId("no-reply").addEventListener("click", () => this.answer(null));
  }

  get text() {
    return this.box.value;
  }

  /** Write an answer to a comment; null: to nobody. */
  answer(comment) {
    this.write(this.text, comment && { id: comment.id, user: { id: comment.user.id, name: comment.user.name }, text: comment.text });
    this.box.focus();
  }

  /** @param {string} text @param {Quoted | null} replyTo what stands in the box from now on */
  write(text, replyTo) {
    this.replyTo = replyTo;
    byId("replying").hidden = !replyTo;
    byId("replying-to").textContent = replyTo ? `To ${replyTo.user.name}: ${replyTo.text}` : "";
    this.box.value = text;
    this.#changed();
  }

  /** Shows what room there is for so many characters; to be called too when the box comes into sight. */
  limit(maxChars) {
    this.maxChars = maxChars;
    this.#fit();
  }

  /**
   * @param {string} words
   * @param {number} [waitMs] counted down, when there is something to wait for
   * @param {string} [what] happens then
   */
  refuse(words, waitMs = 0, what = "Try again") {
    this.#say(words, "bad");
    if (waitMs > 0) this.#countDown(words, Date.now() + waitMs, what);
  }

  praise(words) {
    this.#say(words, "good");
    this.timer = setTimeout(() => this.hush(), PRAISE_MS);
  }

  /** Something that can be done about what just happened, for some seconds. */
  offer(words, what, act) {
    this.#say(words, "good");
    this.button.textContent = what;
    this.button.hidden = false;
    this.button.onclick = () => {
      this.hush();
      act();
    };
    this.timer = setTimeout(() => this.hush(), OFFER_MS);
  }

  hush() {
    clearTimeout(this.timer);
    this.advice.hidden = true;
  }

  #say(words, kind) {
    this.hush();
    this.button.hidden = true;
    this.advice.dataset.kind = kind;
    byId("advice-words").textContent = words;
    this.advice.hidden = false;
  }

  #countDown(words, untilMs, what) {
    const left = Math.ceil((untilMs - Date.now()) / 1000);
    if (left <= 0) return this.hush();
    byId("advice-words").textContent = `${words} ${what} in ${duration(left)}.`;
    this.timer = setTimeout(() => this.#countDown(words, untilMs, what), 250);
  }

  #submitted(event) {
    event.preventDefault();
    const why = fault(this.text, this.maxChars);
    if (why) return this.refuse(why);
    this.hush();
    if (this.text.trim() && !this.onPost(this.text, this.replyTo)) return;
    this.write("", this.text.trim() ? null : this.replyTo);
    this.box.focus();
  }

  /** Enter sends; with Shift it begins a line; while an input method is composing it does what that wants. */
  #keyed(event) {
    if (event.key === "Escape") this.answer(null);
    if (event.key !== "Enter" || event.isComposing) return;
    const hasRoom = this.text.split("\n").length <= LINE_BREAKS;
    if (event.shiftKey && hasRoom) return;
    event.preventDefault();
    if (event.shiftKey) this.refuse(TOO_MANY_LINES);
    else this.form.requestSubmit();
  }

  #changed() {
    this.#fit();
    this.onChange();
  }

  #fit() {
    this.box.style.height = "auto";
    if (this.box.scrollHeight) this.box.style.height = `${this.box.scrollHeight + 2}px`;
    const { words, isOver } = room(this.text, this.maxChars);
    byId("room-left").textContent = words;
    byId("room-left").classList.toggle("over", isOver);
  }
}

/** @param {number} seconds @returns {string} in words, to the unit that matters */
export function duration(seconds) {
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.ceil(seconds / 60)} minutes`;
  if (seconds < 172_800) return `${Math.ceil(seconds / 3600)} hours`;
  return `${Math.ceil(seconds / 86_400)} days`;
}
