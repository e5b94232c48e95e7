/** Elements kept equal to a list of comments: only what changed is drawn. */

import { row } from "./row.js";

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
