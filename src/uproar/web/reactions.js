/** Reactions: clicks gathered before they are sent, and bursts of glyphs that float over the stage. */

/** My clicks go out at most this often. */
const SEND_EVERY_MS = 250;

/** The most that one message may carry; clicks beyond it are dropped. */
const MOST_AT_ONCE = 50;

/** The most glyphs drawn for one kind of one burst. */
const DRAWN_PER_BURST = 20;

/** The most glyphs in the air; each is used again. */
const IN_THE_AIR = 120;

const FLIGHT_MS = 2600;

const compact = new Intl.NumberFormat(undefined, { notation: "compact", maximumFractionDigits: 1 });

/** @param {number} total @returns {string} exact while there is room for it */
const short = (total) => (total < 10_000 ? total.toLocaleString() : compact.format(total));

/** Adds clicks up and hands them over a few times a second. */
export class Clicks {
  /** @param {(counts: Record<string, number>) => void} send */
  constructor(send) {
    this.send = send;
    /** @type {Record<string, number>} */
    this.counts = {};
    this.total = 0;
  }

  add(kind) {
    if (this.total >= MOST_AT_ONCE) return;
    if (this.total === 0) setTimeout(() => this.#flush(), SEND_EVERY_MS);
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.total += 1;
  }

  #flush() {
    const counts = this.counts;
    this.counts = {};
    this.total = 0;
    this.send(counts);
  }
}

/** @param {number} count @returns {number} how many glyphs stand for so many reactions in one burst */
export function drawn(count) {
  return Math.min(count, DRAWN_PER_BURST);
}

/** Glyphs that rise, sway and fade. */
export class Sky {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    /** @type {HTMLElement[]} */
    this.idle = [];
    this.made = 0;
    this.isStill = matchMedia("(prefers-reduced-motion: reduce)");
  }

  /** @param {Record<string, number>} counts by kind */
  burst(counts) {
    if (this.isStill.matches || document.hidden) return;
    for (const [kind, count] of Object.entries(counts)) {
      for (let i = 0; i < drawn(count); i += 1) this.#fly(kind);
    }
  }

  #fly(kind) {
    const glyph = this.idle.pop() ?? this.#make();
    if (!glyph) return;
    glyph.textContent = kind;
    const sway = (Math.random() - 0.5) * 90;
    const rise = this.element.clientHeight * (0.5 + Math.random() * 0.4);
    glyph.style.left = `${8 + Math.random() * 80}%`;
    const flight = glyph.animate(
      [
        { opacity: 0, transform: "translate(0, 16px) scale(0.5)" },
        { opacity: 1, transform: `translate(${sway * 0.3}px, ${-rise * 0.2}px) scale(1.1)`, offset: 0.15 },
        { opacity: 0, transform: `translate(${sway}px, ${-rise}px) scale(0.95)` },
      ],
      { duration: FLIGHT_MS, delay: Math.random() * 450, easing: "ease-out" },
    );
    flight.onfinish = () => this.idle.push(glyph);
  }

  #make() {
    if (this.made >= IN_THE_AIR) return null;
    this.made += 1;
    return this.element.appendChild(document.createElement("span"));
  }
}

/** The buttons below the stage: one for each kind of the stream, with its total. */
export class ReactionBar {
  /**
   * @param {HTMLElement} element
   * @param {(kind: string) => void} onReact
   */
  constructor(element, onReact) {
    this.element = element;
    this.onReact = onReact;
    this.kinds = "";
  }

  /** @param {import("./picture.js").Picture} picture @param {boolean} isOpen whether clicks can be sent now */
  show(picture, isOpen) {
    const kinds = picture.rules?.reactions ?? [];
    if (this.kinds !== kinds.join(" ")) this.#build(kinds);
    for (const button of this.element.querySelectorAll("button")) {
      button.disabled = !isOpen;
      button.lastChild.textContent = short(picture.reactions[button.value] ?? 0);
    }
  }

  #build(kinds) {
    this.kinds = kinds.join(" ");
    this.element.replaceChildren(...kinds.map((kind) => this.#button(kind)));
  }

  #button(kind) {
    const button = document.createElement("button");
    const glyph = document.createElement("span");
    const total = document.createElement("span");
    button.type = "button";
    button.value = kind;
    button.setAttribute("aria-label", `React with ${kind}`);
    glyph.className = "glyph";
    glyph.textContent = kind;
    total.className = "total";
    button.append(glyph, total);
    button.onclick = () => this.onReact(kind);
    return button;
  }
}
