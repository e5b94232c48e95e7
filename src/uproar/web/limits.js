/** What the server takes as a text, counted while it is written. */

/** A comment has at most this many line breaks. */
export const LINE_BREAKS = 5;

/** From here on the page tells how many characters are left. */
const TELL_LEFT_BELOW = 60;

/** As the server counts: in normal form, without white space at the ends, by code points. */
function counted(text) {
  const normal = text.normalize("NFC").trim();
  return { chars: [...normal].length, breaks: normal.split("\n").length - 1 };
}

/** @param {number} count @param {string} thing */
const many = (count, thing) => `${count.toLocaleString()} ${thing}${count === 1 ? "" : "s"}`;

const tooLong = (maxChars) => `This is too long: at most ${many(maxChars, "character")}.`;
export const TOO_MANY_LINES = `Too many lines: at most ${LINE_BREAKS} line breaks.`;

/** @returns {string | null} in words why the server would refuse the text; null: it is neither too long nor too high */
export function fault(text, maxChars) {
  const { chars, breaks } = counted(text);
  if (chars > maxChars) return tooLong(maxChars);
  return breaks > LINE_BREAKS ? TOO_MANY_LINES : null;
}

/** @returns {{words: string, isOver: boolean}} how much room is left, where that is worth a word */
export function room(text, maxChars) {
  const { chars, breaks } = counted(text);
  const left = maxChars - chars;
  if (left < 0) return { words: `${(-left).toLocaleString()} too many`, isOver: true };
  if (breaks > LINE_BREAKS) return { words: `${many(breaks - LINE_BREAKS, "line")} too many`, isOver: true };
  return { words: left < TELL_LEFT_BELOW ? `${left} left` : "", isOver: false };
}

/** @returns {string} the server's words, with the limit where there is one */
export function worded({ code, message }, maxChars) {
  return code === 202 ? tooLong(maxChars) : message;
}
