"""Messages to bytes and back."""

from typing import Any

import msgspec

from uproar.core.refusal import Refusal, Refused
from uproar.wire.frames import Batch, FromServer, FromViewer

encode = msgspec.json.Encoder().encode
_from_viewer: msgspec.json.Decoder[FromViewer] = msgspec.json.Decoder(FromViewer)
_from_server: msgspec.json.Decoder[FromServer] = msgspec.json.Decoder(FromServer)
_batch = msgspec.json.Decoder(Batch)


def read_op(data: bytes) -> FromViewer | Refused:
    """What a viewer asks for; whatever is not the protocol is refused with 310, never an exception."""
    try:
        return _from_viewer.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        return Refused(Refusal.BAD_MESSAGE, detail=str(fault))


def read_message(data: bytes) -> FromServer:
    """What a server tells, for our own clients; raises `msgspec.DecodeError`."""
    return _from_server.decode(data)


def read_batch(data: bytes) -> Batch:
    """The batch of a frame's JSON."""
    return _batch.decode(data)


def ref_of(data: bytes) -> str | None:
    """The `ref` of a message that could not be read, when it has a usable one, so that its refusal finds home."""
    try:
        found: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    ref = found.get("ref") if isinstance(found, dict) else None
    return ref if isinstance(ref, str) and 1 <= len(ref) <= 64 else None
