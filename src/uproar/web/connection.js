/**
 * One viewer's connection: joins, resumes by position, says who it is, and comes back by itself.
 *
 * @typedef {"joining" | "live" | "away" | "closed"} State
 *   `away`: lost, and coming back after a wait; `closed`: the server wants nobody back, or `close` was called
 */

/**
 * How long to wait before coming back: what the server asked for, else a random time that may grow with every try.
 *
 * @param {number} tries how often in a row it failed
 * @param {number | null} askedMs `retry_after_ms` of the server's `bye`
 * @param {number} luck in [0, 1)
 * @returns {number} milliseconds
 */
export function waitMs(tries, askedMs, luck) {
  return askedMs ?? luck * Math.min(30_000, 500 * 2 ** tries);
}

/** @param {number} code of the close @returns {boolean} 4500 and above: do not come back */
export function comesBack(code) {
  return code < 4500;
}

/**
 * @param {{protocol: string, host: string}} place of the page
 * @param {string} stream
 * @param {string} position "" for a first join, which gets the newest comments
 */
export function liveAddress({ protocol, host }, stream, position) {
  const query = position ? `position=${encodeURIComponent(position)}` : "history=100";
  return `${protocol === "https:" ? "wss:" : "ws:"}//${host}/v1/streams/${encodeURIComponent(stream)}/live?${query}`;
}

export class Connection {
  /**
   * @param {object} parts
   * @param {() => string} parts.address where to, asked at every try
   * @param {() => string | null} parts.token null: anonymous
   * @param {(message: any) => void} parts.onMessage
   * @param {(state: State, waitMs: number, wasJoined: boolean) => void} parts.onState
   */
  constructor({ address, token, onMessage, onState }) {
    this.address = address;
    this.token = token;
    this.onMessage = onMessage;
    this.onState = onState;
    this.tries = 0;
    /** @type {number | null} */
    this.askedMs = null;
    this.isJoined = false;
    this.isAway = false;
  }

  open() {
    this.isJoined = this.isAway = false;
    this.onState("joining", 0, false);
    this.askedMs = null;
    const socket = this.socket = new WebSocket(this.address());
    socket.onopen = () => this.authenticate();
    socket.onmessage = (event) => this.#read(JSON.parse(event.data));
    socket.onclose = (event) => this.#lost(event.code);
  }

  /** Says who it is; the token goes nowhere but here. */
  authenticate() {
    const token = this.token();
    if (token) this.send({ op: "auth", token });
  }

  /** @returns {boolean} false: there is no open way right now */
  send(op) {
    if (this.socket?.readyState !== WebSocket.OPEN) return false;
    this.socket.send(JSON.stringify(op));
    return true;
  }

  /** Leaves and comes back at once, as somebody else. */
  restart() {
    this.close();
    this.open();
  }

  /** Comes back without waiting any longer; where it is not away there is nothing to do. */
  now() {
    if (this.isAway) this.restart();
  }

  close() {
    clearTimeout(this.timer);
    if (!this.socket) return;
    this.socket.onopen = this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  #read(message) {
    if (message.type === "joined") {
      this.tries = 0;
      this.isJoined = true;
      this.onState("live", 0, true);
    }
    if (message.type === "bye") this.askedMs = message.retry_after_ms ?? null;
    this.onMessage(message);
  }

  #lost(code) {
    if (!comesBack(code)) return this.onState("closed", 0, this.isJoined);
    this.isAway = true;
    const wait = waitMs(this.tries, this.askedMs, Math.random());
    this.tries += 1;
    this.onState("away", wait, this.isJoined);
    this.timer = setTimeout(() => this.open(), wait);
  }
}
