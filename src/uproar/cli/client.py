"""Our own client: where a server is, and one lean WebSocket connection to it."""

import asyncio
import random
import secrets
from base64 import b64encode
from collections.abc import Callable
from typing import Final, NamedTuple, cast
from urllib.parse import quote, urlencode, urlsplit

from uproar.core.errors import Misconfigured
from uproar.wire.deflate import Inflater
from uproar.wire.handshake import accept_key
from uproar.wire.websocket import Code, Fail, Limits, Message, Op, Reader, close_payload, masked_frame

FROM_SERVER: Final = Limits(message_bytes=4 << 20, fragments=1_024, inflated_bytes=16 << 20)
HEAD_BYTES: Final = 16 << 10
OPENING_S: Final = 10.0
PORTS: Final = {"http": 80, "https": 443}
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
    """The server answered something else than 101; `status` is HTTP's, `retry_after_s` what it asked to wait."""

    def __init__(self, status: int, detail: str, retry_after_s: float = 0.0) -> None:
        super().__init__(f"{status} {detail}".strip())
        self.status = status
        self.retry_after_s = retry_after_s

    @property
    def final(self) -> bool:
        """Asking again is no use."""
        return 400 <= self.status < 500 and self.status != 429


def parse_server(url: str) -> Address:
    """The address in `http(s)://HOST[:PORT]`; raises `Misconfigured`."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in PORTS or parts.path.strip("/"):
        raise Misconfigured(f"{url} is no server: write it as http://HOST:PORT.")
    return Address(host, port or PORTS[parts.scheme], parts.scheme == "https")


def live_path(stream: str, position: str = "", history: int | None = None) -> str:
    """The path that watches a stream: from a position on, or with so many of its newest comments."""
    asked = {"position": position} if position else {} if history is None else {"history": history}
    query = f"?{urlencode(asked)}" if asked else ""
    return f"/v1/streams/{quote(stream, safe='')}/live{query}"


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
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name
        self._transport.write(self._request)

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
            self._fail(NotLetIn(status, detail, _seconds(headers.get("retry-after", ""))))
            return b""
        if "sec-websocket-extensions" in headers:
            self._reader = Reader(FROM_SERVER, deflate=True, from_client=False, inflate=Inflater().read)
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
        lines.append("Sec-WebSocket-Extensions: permessage-deflate")
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


def _seconds(retry_after: str) -> float:
    """What `Retry-After` asks for; 0 where it is a date or nothing."""
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 7 else 0.0
