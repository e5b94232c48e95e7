/** The list of comments: it follows the newest unless the reader scrolled up, and asks for older ones at its top. */

import { compareIds } from "./picture.js";
import { Rows } from "./rows.js";

/** This near the end, the reader counts as reading the newest, in pixels. */
const NEAR_END_PX = 60;

/** This near the top, older comments are asked for, in pixels. */
const NEAR_TOP_PX = 240;

/** The scrolling list, its "12 new" button and its keys. */
export class CommentList {
  /**
   * @param {HTMLElement} element
   * @param {HTMLElement} newer the button that leads to the newest
   * @param {{onTop: () => void, onEnd: () => void}} reached told whenever the reader is there
   */
  constructor(element, newer, { onTop, onEnd }) {
    this.element = element;
    this.newer = newer;
    this.onTop = onTop;
    this.onEnd = onEnd;
    this.rows = new Rows(element, "li");
    this.newest = "";
    this.seen = "";
    this.isFollowing = true;
    element.addEventListener("scroll", () => this.#scrolled());
    element.addEventListener("keydown", (event) => this.#keyed(event));
    element.addEventListener("focusin", (event) => this.#reveal(event));
    newer.addEventListener("click", () => this.follow());
    new ResizeObserver(() => this.isFollowing && this.#toEnd()).observe(element);
  }

  /** @param {import("./rows.js").Item[]} items kept comments by id, then those on their way */
  show(items) {
    const held = this.isFollowing ? null : this.#held(new Set(items.map(({ comment }) => comment.id)));
    this.rows.show(items);
    const kept = items.filter(({ comment }) => !comment.ref);
    this.newest = kept.at(-1)?.comment.id ?? "";
    if (this.isFollowing) return this.#toEnd();
    if (held) this.element.scrollTop += this.#topOf(held.id) - held.top;
    this.#count(kept);
  }

  /** To the newest, and on with it. */
  follow() {
    this.isFollowing = true;
    this.#toEnd();
    this.onEnd();
  }

  /** @param {string} id @returns {boolean} false: it is not in the list */
  jump(id) {
    const element = this.rows.drawn.get(id)?.element;
    if (!element) return false;
    element.scrollIntoView({ block: "center" });
    element.focus({ preventScroll: true });
    element.classList.add("sought");
    element.addEventListener("animationend", () => element.classList.remove("sought"), { once: true });
    return true;
  }

  /** The first row in sight that stays: whatever comes or goes above it, it keeps its place on the screen. */
  #held(staying) {
    const edge = this.element.getBoundingClientRect().top;
    for (const { dataset } of /** @type {any} */ (this.element.children)) {
      const drawn = this.rows.drawn.get(dataset.id);
      if (!staying.has(dataset.id) || !drawn) continue;
      const { top, bottom } = drawn.element.getBoundingClientRect();
      if (bottom > edge) return { id: dataset.id, top };
    }
    return null;
  }

  #topOf(id) {
    return this.rows.drawn.get(id).element.getBoundingClientRect().top;
  }

  #toEnd() {
    this.seen = this.newest;
    this.newer.hidden = true;
    this.element.scrollTop = this.element.scrollHeight;
  }

  #count(kept) {
    const unread = kept.filter(({ comment }) => compareIds(comment.id, this.seen) > 0).length;
    this.newer.hidden = unread === 0;
    this.newer.textContent = `${unread} new`;
  }

  #scrolled() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    const wasFollowing = this.isFollowing;
    this.isFollowing = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (!this.isFollowing) return scrollTop < NEAR_TOP_PX && this.onTop();
    this.seen = this.newest;
    this.newer.hidden = true;
    if (!wasFollowing) this.onEnd();
  }

  /** A row that grew its buttons shows them. */
  #reveal(event) {
    event.target.closest(".comment")?.scrollIntoView({ block: "nearest" });
  }

  /** Up and down walk over the comments; each shows its buttons while it has the focus. */
  #keyed(event) {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    const current = event.target.closest(".comment");
    const beside = event.key === "ArrowUp" ? current?.previousElementSibling : current?.nextElementSibling;
    (current ? beside : this.element.lastElementChild)?.focus();
  }
}
