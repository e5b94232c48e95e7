"""A payload deflated by itself, as permessage-deflate (RFC 7692) wants it, and read back within a bound."""

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
    deflater = zlib.compressobj(level, zlib.DEFLATED, WINDOW_BITS)
    return (deflater.compress(payload) + deflater.flush(zlib.Z_SYNC_FLUSH))[: -len(TAIL)]


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
