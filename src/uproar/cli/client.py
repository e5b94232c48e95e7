"""Our own client: a lean WebSocket viewer, and the rule by which it comes back."""

import asyncio
import random
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Final, NamedTuple
from urllib.parse import quote, urlencode, urlsplit

from uproar.core.errors import Misconfigured
from uproar.wire.closes import Close
from uproar.wire.codec import read_message
from uproar.wire.frames import Bye, FromServer, Joined
from uproar.wire.handshake import accept_key
from uproar.wire.websocket import Code, Fail, Limits, Message, Op, Reader, close_payload, masked_frame

FROM_SERVER: Final = Limits(message_bytes=4 << 20, fragments=1_024, inflated_bytes=16 << 20)
HEAD_BYTES: Final = 16 << 10
OPENING_S: Final = 10.0
LONGEST_WAIT_S: Final = 30.0
FIRST_WAIT_S: Final = 0.5
NOT_BACK: Final = range(Close.BAD_MESSAGE, 5000)
LOST: Final = 1006  # RFC 6455, 7.1.5: ended without a close


class Address(NamedTuple):
    """Where a server is; `secure` means TLS."""

    host: str
    port: int
    secure: bool = False

    @property
    def authority(self) -> str:
        """As a Host header names it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class NotLetIn(Exception):
    """The server answered something else than 101; `status` is HTTP's."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status} {detail}".strip())
        self.status = status


def parse_server(url: str) -> Address:
    """The address in `http(s)://HOST[:PORT]`; raises `Misconfigured`."""
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise Misconfigured(f"{url} is no server: write it as http://HOST:PORT.")
    secure = parts.scheme == "https"
    return Address(parts.hostname, port or (443 if secure else 80), secure)


def live_path(stream: str, position: str = "", history: int | None = None) -> str:
    """The path that watches a stream: from a position on, or with so many of its newest comments."""
    asked = {"position": position} if position else {} if history is None else {"history": history}
    query = f"?{urlencode(asked)}" if asked else ""
    return f"/v1/streams/{quote(stream, safe='')}/live{query}"


def wait_s(tries: int, asked_ms: int | None, luck: float) -> float:
    """Before coming back: what `bye` asked for, else a random time that may grow; `luck` is in [0, 1)."""
    if asked_ms is not None:
        return asked_ms / 1000
    return luck * min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(tries, 16))


def comes_back(code: int) -> bool:
    """Whether a connection that was closed with this code is to be opened again."""
    return code not in NOT_BACK


class Watching(asyncio.Protocol):
    """One open connection: gives every text message to `on_message`, answers pings, knows why it closed.

    `opened` is done after the handshake, or fails with `NotLetIn` or `OSError`; `closed` then gets the close code.
    """

    def __init__(
        self,
        address: Address,
        path: str,
        on_message: Callable[[bytes], None],
        token: str = "",
        *,
        deflate: bool = False,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.closed: asyncio.Future[int] = loop.create_future()
        self._on_message = on_message
        self._key = b64encode(secrets.token_bytes(16)).decode()
        self._request = _request(address, path, self._key, token, deflate)
        self._head: bytes | None = b""  # None: the handshake is over
        self._reader = Reader(FROM_SERVER, from_client=False)
        self._code = LOST

    def send(self, message: bytes) -> None:
        """Send one text message; nothing once the connection is closing."""
        self._write(Op.TEXT, message)

    def close(self, code: int = Code.NORMAL) -> None:
        """Say so, and end."""
        if not self._transport.is_closing():
            self._code = code
            self._write(Op.CLOSE, close_payload(code))
            self._transport.close()

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """The answer to the upgrade first, then frames."""
        if self._head is not None:
            data = self._answered(self._head + data)
        for one in self._reader.feed(data) if data else ():
            if isinstance(one, Message) and one.op is Op.TEXT:
                self._on_message(one.data)
            else:
                self._take(one)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over, one way or the other."""
        if not self.opened.done():
            self.opened.set_exception(ConnectionResetError("the server hung up"))
        if not self.closed.done():
            self.closed.set_result(self._code)

    # -- our side

    def _answered(self, head: bytes) -> bytes:
        """Judge the handshake once its head is whole; what stands behind it are frames."""
        head, found, frames = head.partition(b"\r\n\r\n")
        if not found and len(head) <= HEAD_BYTES:
            self._head = head
            return b""
        self._head = None
        status, detail, headers = _answer(head)
        if status != 101 or headers.get("sec-websocket-accept") != accept_key(self._key):
            self._fail(NotLetIn(status, detail))
            return b""
        if "sec-websocket-extensions" in headers:
            self._reader = Reader(FROM_SERVER, deflate=True, from_client=False)
        if not self.opened.done():
            self.opened.set_result(None)
        return frames

    def _fail(self, fault: NotLetIn) -> None:
        if not self.opened.done():
            self.opened.set_exception(fault)
        self._transport.close()

    def _take(self, one: Message | Fail) -> None:
        if isinstance(one, Fail):
            self.close(one.code)
        elif one.op is Op.PING:
            self._write(Op.PONG, one.data)
        elif one.op is Op.CLOSE:
            self.close(int.from_bytes(one.data[:2], "big") or Code.NORMAL)

    def _write(self, op: Op, payload: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(masked_frame(op, payload, random.randbytes(4)))


async def connect(
    address: Address, path: str, on_message: Callable[[bytes], None], token: str = "", *, deflate: bool = False
) -> Watching:
    """An open connection. Raises `NotLetIn`, or `OSError` where nobody answers."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(OPENING_S):
        _, watching = await loop.create_connection(
            lambda: Watching(address, path, on_message, token, deflate=deflate),
            address.host,
            address.port,
            ssl=address.secure or None,
        )
        await watching.opened
    return watching


class State(NamedTuple):
    """How the connection stands: the word to show, and how long until the next try."""

    word: str
    wait_s: float = 0.0


class Return:
    """What has to be known to come back: where the viewer stands, how often it failed, what the server asked."""

    def __init__(self) -> None:
        self.position = ""
        self._tries = 0
        self._asked_ms: int | None = None

    def heard(self, message: FromServer) -> None:
        """Keep the place, and the server's wish."""
        if isinstance(message, Bye):
            self._asked_ms = message.retry_after_ms
        elif isinstance(message, Joined):
            self._tries = 0
        self.position = getattr(message, "position", self.position)

    def wait_s(self, luck: float) -> float:
        """How long to stay away now."""
        wait = wait_s(self._tries, self._asked_ms, luck)
        self._tries, self._asked_ms = self._tries + 1, None
        return wait


async def keep_watching(
    address: Address,
    stream: str,
    on_message: Callable[[FromServer], None],
    on_state: Callable[[State], None],
    token: str = "",
    history: int = 50,
) -> int:
    """Watch, and come back by position, until the server wants nobody back: the close code. Raises `NotLetIn` (4xx)."""
    back = Return()

    def heard(data: bytes) -> None:
        message = read_message(data)
        back.heard(message)
        on_message(message)

    while True:
        code = await _watch_once(address, live_path(stream, back.position, history), heard, on_state, token)
        if not comes_back(code):
            return code
        wait = back.wait_s(random.random())
        on_state(State("away", wait))
        await asyncio.sleep(wait)


async def _watch_once(
    address: Address, path: str, heard: Callable[[bytes], None], on_state: Callable[[State], None], token: str
) -> int:
    on_state(State("joining"))
    try:
        watching = await connect(address, path, heard, token)
    except NotLetIn as refused:
        if 400 <= refused.status < 500 and refused.status != 429:
            raise
        return LOST
    except (OSError, TimeoutError):
        return LOST
    on_state(State("live"))
    try:
        return await watching.closed
    finally:
        watching.close()


def _request(address: Address, path: str, key: str, token: str, deflate: bool) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {address.authority}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    ]
    if deflate:
        lines.append("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover")
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _answer(head: bytes) -> tuple[int, str, dict[str, str]]:
    """Status, reason and headers (names in lower case) of an HTTP answer; status 0 where it is none."""
    first, *rest = head.decode("latin-1").split("\r\n")
    version, _, status = first.partition(" ")
    code, _, reason = status.partition(" ")
    if not version.startswith("HTTP/1.") or not code.isdigit():
        return 0, "this is no HTTP server", {}
    pairs = (line.partition(":") for line in rest)
    return int(code), reason, {name.strip().lower(): value.strip() for name, _, value in pairs}
