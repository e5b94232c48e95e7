/** The list of comments: only what changed is drawn, and it follows the newest unless the reader scrolled up. */

import { compareIds } from "./picture.js";
import { row } from "./row.js";

/** This near the end, the reader counts as reading the newest, in pixels. */
const NEAR_END_PX = 60;

/**
 * @typedef {{comment: import("./picture.js").Comment, standing: import("./row.js").Standing}} Item
 * @typedef {{element: HTMLElement, item: Item}} Drawn
 */

function isSame(a, b) {
  return a.comment === b.comment && Object.keys(a.standing).every((key) => a.standing[key] === b.standing[key]);
}

/** Keeps the children of an element equal to a list of items. */
export class Rows {
  /** @param {HTMLElement} element @param {string} tag of a row */
  constructor(element, tag) {
    this.element = element;
    this.tag = tag;
    /** @type {Map<string, Drawn>} */
    this.drawn = new Map();
  }

  /** @param {Item[]} items */
  show(items) {
    const wanted = new Set(items.map(({ comment }) => comment.id));
    for (const [id, { element }] of this.drawn) {
      if (wanted.has(id)) continue;
      element.remove();
      this.drawn.delete(id);
    }
    const elements = items.map((item) => this.#element(item));
    let next = this.element.firstElementChild;
    for (const element of elements) {
      if (element === next) next = next.nextElementSibling;
      else this.element.insertBefore(element, next);
    }
  }

  #element(item) {
    const id = item.comment.id;
    const before = this.drawn.get(id);
    if (before && isSame(before.item, item)) return before.element;
    const element = row(this.tag, item.comment, item.standing);
    if (before) this.#swap(before.element, element);
    this.drawn.set(id, { element, item });
    return element;
  }

  /** In place, so that whoever is there with the keyboard stays there. */
  #swap(old, element) {
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    old.replaceWith(element);
    const act = /** @type {HTMLElement | null} */ (focused)?.dataset.act;
    if (focused) (element.querySelector(act ? `[data-act="${act}"]` : ":scope") ?? element).focus();
  }
}

/** The scrolling list, its "12 new" button and its keys. */
export class CommentList {
  /**
   * @param {HTMLElement} element
   * @param {HTMLElement} newer the button that leads to the newest
   */
  constructor(element, newer) {
    this.element = element;
    this.newer = newer;
    this.rows = new Rows(element, "li");
    this.newest = "";
    this.seen = "";
    this.isFollowing = true;
    element.addEventListener("scroll", () => this.#scrolled());
    element.addEventListener("keydown", (event) => this.#keyed(event));
    newer.addEventListener("click", () => this.follow());
    new ResizeObserver(() => this.isFollowing && this.#toEnd()).observe(element);
  }

  /** @param {Item[]} items kept comments by id, then those on their way */
  show(items) {
    this.rows.show(items);
    const kept = items.filter(({ standing }) => !standing.isPending);
    this.newest = kept.at(-1)?.comment.id ?? "";
    if (this.isFollowing) this.#toEnd();
    else this.#count(kept);
  }

  /** To the newest, and on with it. */
  follow() {
    this.isFollowing = true;
    this.#toEnd();
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
    this.isFollowing = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (!this.isFollowing) return;
    this.seen = this.newest;
    this.newer.hidden = true;
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
