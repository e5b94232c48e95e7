/** Which stream the page is about, and the words for one that is not there. */

/** 1-64 of the letters that the server takes. */
const ID = /^[A-Za-z0-9._~-]{1,64}$/;

/** @returns {string} `/s/NAME`, `?stream=NAME`, or the demo */
export function streamOf({ pathname, search }) {
  const inPath = /^\/s\/([^/]+)/.exec(pathname)?.[1];
  return inPath ? decoded(inPath) : new URLSearchParams(search).get("stream") || "demo";
}

/** @param {string} stream @returns {boolean} whether a stream can be called that */
export function canBe(stream) {
  return ID.test(stream);
}

export const impossible = (stream) =>
  `“${stream}” cannot be a stream: its id is 1 to 64 of the letters A-Z and a-z, digits, and . _ ~ -`;

export const missing = (stream) =>
  `There is no stream “${stream}” yet. A creator makes it with PUT /v1/streams/${stream}; this page then joins by itself.`;

function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
