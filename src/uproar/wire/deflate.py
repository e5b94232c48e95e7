"""Payloads deflated as permessage-deflate (RFC 7692) wants it, each by itself or one after the other, and read back."""

import zlib
from enum import Enum, auto

LEVEL = 6
WINDOW_BITS = -15  # raw deflate, 32 KiB
TAIL = b"\x00\x00\xff\xff"
END = b"\x01\x00\x00\xff\xff"  # an empty last block: reached only if all before it was whole


class Flaw(Enum):
    """Why a payload cannot be inflated."""

    DAMAGED = auto()
    TOO_BIG = auto()


def deflate_alone(payload: bytes, level: int = LEVEL) -> bytes:
    """Raw deflate that refers to nothing earlier, ended by a sync flush whose last four bytes are left out."""
    return Deflater(level).add(payload)


class Deflater:
    """Deflates messages of which each may refer to all before it; ended as `deflate_alone` ends them."""

    __slots__ = ("_deflater",)

    def __init__(self, level: int = LEVEL) -> None:
        self._deflater = zlib.compressobj(level, zlib.DEFLATED, WINDOW_BITS)

    def add(self, payload: bytes) -> bytes:
        """The next message."""
        return (self._deflater.compress(payload) + self._deflater.flush(zlib.Z_SYNC_FLUSH))[: -len(TAIL)]


class Inflater:
    """Reads messages of which each may refer to all before it; after a flaw it reads nothing more."""

    __slots__ = ("_inflater",)

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(WINDOW_BITS)

    def read(self, payload: bytes, limit: int) -> bytes | Flaw:
        """The next message, at most `limit` bytes; none of ours ends with a last block."""
        try:
            inflated = self._inflater.decompress(payload + TAIL, limit + 1)
        except zlib.error:
            return Flaw.DAMAGED
        if len(inflated) > limit:
            return Flaw.TOO_BIG
        return Flaw.DAMAGED if self._inflater.eof or self._inflater.unconsumed_tail else inflated


def inflate_alone(payload: bytes, limit: int) -> bytes | Flaw:
    """What was deflated alone, at most `limit` bytes.

    A payload may end with a last block (RFC 7692, 7.2.3.4); behind one nothing but an empty block is read. An empty
    payload, which some deflaters make of an empty message, is empty.
    """
    if not payload:
        return b""
    inflater = zlib.decompressobj(WINDOW_BITS)
    try:
        inflated = inflater.decompress(payload + TAIL + END, limit + 1)
    except zlib.error:
        return Flaw.DAMAGED
    if len(inflated) > limit:
        return Flaw.TOO_BIG
    whole = inflater.eof and inflater.unused_data in (b"", TAIL + END, b"\x00" + TAIL + END)
    return inflated if whole else Flaw.DAMAGED
