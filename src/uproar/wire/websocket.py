"""WebSocket framing (RFC 6455, permessage-deflate of RFC 7692) both ways: bytes in, messages out; no socket here."""

import codecs
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

from uproar.wire.deflate import Flaw, inflate_alone

FIN = 0x80
RSV1 = 0x40
OTHER_RSV = 0x30
MASKED = 0x80
CONTROL_BYTES = 125


Inflate = Callable[[bytes, int], bytes | Flaw]


class Op(IntEnum):
    """What a frame is."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class Code(IntEnum):
    """Close codes of RFC 6455 that this side sends of itself."""

    NORMAL = 1000
    PROTOCOL = 1002
    NOT_READABLE = 1007  # text that is not UTF-8, or deflate that is damaged
    TOO_BIG = 1009


class Limits(NamedTuple):
    """What one message may take: bytes as sent, fragments, bytes inflated. More closes with 1009."""

    message_bytes: int = 8 << 10
    fragments: int = 64
    inflated_bytes: int = 64 << 10


class Message(NamedTuple):
    """A whole text or binary message, or a control frame."""

    op: Op
    data: bytes


class Fail(NamedTuple):
    """The other side broke the rules: close with this code, and read no further."""

    code: int
    reason: str


def frame_header(length: int, op: Op = Op.TEXT, *, compressed: bool = False, masked: bool = False) -> bytes:
    """The header of a whole message of `length` bytes."""
    first = FIN | op | (RSV1 if compressed else 0)
    mask = MASKED if masked else 0
    if length < 126:
        return bytes((first, mask | length))
    if length < 1 << 16:
        return bytes((first, mask | 126)) + length.to_bytes(2, "big")
    return bytes((first, mask | 127)) + length.to_bytes(8, "big")


def text_frame(payload: bytes, *, compressed: bool = False) -> bytes:
    """A server's text message; `compressed` says that the payload is deflated already."""
    return frame_header(len(payload), compressed=compressed) + payload


def frame(op: Op, payload: bytes = b"", *, compressed: bool = False) -> bytes:
    """Any whole frame of a server."""
    return frame_header(len(payload), op, compressed=compressed) + payload


def masked_frame(op: Op, payload: bytes, mask: bytes) -> bytes:
    """Any whole frame of a client; `mask` is four fresh random bytes."""
    return frame_header(len(payload), op, masked=True) + mask + unmask(payload, mask)


def close_frame(code: int, reason: str = "") -> bytes:
    """A server's close."""
    return frame(Op.CLOSE, close_payload(code, reason))


def close_payload(code: int, reason: str = "") -> bytes:
    """A close frame's payload."""
    return code.to_bytes(2, "big") + reason.encode()[: CONTROL_BYTES - 2]


def unmask(data: bytes, mask: bytes) -> bytes:
    """The data XORed with the mask over and over; the same in both directions."""
    key = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data, "little") ^ int.from_bytes(key, "little")).to_bytes(len(data), "little")


def close_code(payload: bytes) -> int:
    """The code with which a close is to be answered: the same, 1000 for none, 1002 or 1007 where it is wrong."""
    if not payload:
        return Code.NORMAL
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not (code in _DEFINED or 3000 <= code < 5000):
        return Code.PROTOCOL
    return code if is_utf8(payload[2:]) else Code.NOT_READABLE


_DEFINED = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})


def is_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8."""
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class _Header(NamedTuple):
    first: int
    masked: bool
    start: int
    length: int

    @property
    def op(self) -> int:
        return self.first & 0x0F

    @property
    def fin(self) -> bool:
        return bool(self.first & FIN)

    @property
    def compressed(self) -> bool:
        return bool(self.first & RSV1)


class Reader:
    """What has come of a message so far. It stands only while a message is under way (`idle` tells when it may go).

    `from_client`: frames must be masked (from a server: must not be). `deflate`: permessage-deflate was agreed on, and
    `inflate` reads a deflated message within a bound of bytes.
    """

    __slots__ = (
        "_buffer",
        "_compressed",
        "_deflate",
        "_from_client",
        "_inflate",
        "_limits",
        "_op",
        "_parts",
        "_size",
        "_utf8",
    )

    def __init__(
        self, limits: Limits, *, deflate: bool = False, from_client: bool = True, inflate: Inflate = inflate_alone
    ) -> None:
        self._limits = limits
        self._deflate = deflate
        self._inflate = inflate
        self._from_client = from_client
        self._buffer = bytearray()
        self._op: Op | None = None
        self._parts: list[bytes] = []
        self._reset()

    @property
    def idle(self) -> bool:
        """Nothing is under way."""
        return not self._buffer and self._op is None

    def feed(self, data: bytes) -> list[Message | Fail]:
        """All that these bytes complete, in order; after a `Fail` nothing more."""
        self._buffer += data
        done: list[Message | Fail] = []
        at = 0
        while True:
            header = self._header(at)
            if isinstance(header, Fail):
                return [*done, header]
            if header is None or len(self._buffer) < header.start + header.length:
                break
            message = self._frame(header)
            at = header.start + header.length
            if message is not None:
                done.append(message)
            if isinstance(message, Fail):
                return done
        del self._buffer[:at]
        return done

    def _header(self, at: int) -> _Header | Fail | None:
        """The header at `at`; None while it is not whole."""
        buffer = self._buffer
        if len(buffer) < at + 2:
            return None
        first, second = buffer[at], buffer[at + 1]
        length, wide = second & 0x7F, {126: 2, 127: 8}.get(second & 0x7F, 0)
        start = at + 2 + wide + (4 if second & MASKED else 0)
        fault = self._fault(first, second)
        if fault or len(buffer) < at + 2 + wide:
            return fault
        if wide:
            length = int.from_bytes(buffer[at + 2 : at + 2 + wide], "big")
            if length < (126 if wide == 2 else 1 << 16) or length >> 63:
                return Fail(Code.PROTOCOL, "a length is not written as it must be")
        if first & 0x0F < Op.CLOSE and self._size + length > self._limits.message_bytes:
            return Fail(Code.TOO_BIG, "the message is too big")
        return _Header(first, bool(second & MASKED), start, length)

    def _fault(self, first: int, second: int) -> Fail | None:
        op, control = first & 0x0F, bool(first & 0x08)
        if first & OTHER_RSV or (first & RSV1 and (not self._deflate or control or op == Op.CONTINUATION)):
            return Fail(Code.PROTOCOL, "a reserved bit is set")
        if op not in _OPS:
            return Fail(Code.PROTOCOL, "no such kind of frame")
        if bool(second & MASKED) != self._from_client:
            return Fail(Code.PROTOCOL, "clients mask, servers do not")
        if control and (not first & FIN or second & 0x7F > CONTROL_BYTES):
            return Fail(Code.PROTOCOL, "a control frame is whole, and at most 125 bytes")
        if not control and (op == Op.CONTINUATION) != (self._op is not None):
            return Fail(Code.PROTOCOL, "fragments are out of order")
        return None

    def _frame(self, header: _Header) -> Message | Fail | None:
        data = bytes(self._buffer[header.start : header.start + header.length])
        if header.masked:
            data = unmask(data, bytes(self._buffer[header.start - 4 : header.start]))
        if header.op >= Op.CLOSE:
            return Message(Op(header.op), data)
        if self._op is None:
            self._op, self._compressed = Op(header.op), header.compressed
        self._parts.append(data)
        self._size += len(data)
        if len(self._parts) > self._limits.fragments:
            return Fail(Code.TOO_BIG, "the message has too many fragments")
        if not self._still_utf8(data, header.fin):
            return Fail(Code.NOT_READABLE, "text is UTF-8")
        return self._whole() if header.fin else None

    def _still_utf8(self, data: bytes, final: bool) -> bool:
        """Text that can be judged as it comes is: a wrong byte fails at once, not at the end of the message."""
        if self._op is not Op.TEXT or self._compressed:
            return True
        try:
            self._utf8.decode(data, final)
        except UnicodeDecodeError:
            return False
        return True

    def _whole(self) -> Message | Fail:
        data, op, compressed = b"".join(self._parts), self._op, self._compressed
        self._reset()
        if compressed:
            inflated = self._inflate(data, self._limits.inflated_bytes)
            if inflated is Flaw.TOO_BIG:
                return Fail(Code.TOO_BIG, "the message inflates beyond its bound")
            if inflated is Flaw.DAMAGED:
                return Fail(Code.NOT_READABLE, "the message does not inflate")
            if op is Op.TEXT and not is_utf8(inflated):
                return Fail(Code.NOT_READABLE, "text is UTF-8")
            data = inflated
        return Message(op or Op.TEXT, data)

    def _reset(self) -> None:
        self._op = None
        self._compressed = False
        self._parts = []
        self._size = 0
        self._utf8 = _Utf8()


_OPS = frozenset(Op)
_Utf8 = codecs.getincrementaldecoder("utf-8")
