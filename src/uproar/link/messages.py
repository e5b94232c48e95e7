"""What goes over a link: notes, questions, answers and failures, as msgpack behind its length in four bytes."""

from typing import Final

from msgspec import Raw, Struct, msgpack

from uproar.core.errors import Overloaded, Unavailable, Unconfirmed

LENGTH_BYTES: Final = 4
LONGEST_BYTES: Final = 256 << 20
"""No message is longer: more than a stream's kept frames ever are. Whatever says so is no message."""

FAILURES: Final = {"unavailable": Unavailable, "overloaded": Overloaded, "unconfirmed": Unconfirmed}


class Note(Struct, frozen=True, array_like=True, tag=0):
    """Something to know; `body` is the tuple that its name stands for."""

    name: str
    body: Raw


class Question(Struct, frozen=True, array_like=True, tag=1):
    """Something to answer under this number."""

    number: int
    name: str
    body: Raw


class Answer(Struct, frozen=True, array_like=True, tag=2):
    """The answer to question `number`."""

    number: int
    body: Raw


class Failure(Struct, frozen=True, array_like=True, tag=3):
    """Question `number` met an outage; `kind` is one of `FAILURES`."""

    number: int
    kind: str
    what: str
    retry_after_ms: int


Message = Note | Question | Answer | Failure

_pack = msgpack.Encoder().encode
_unpack: msgpack.Decoder[Message] = msgpack.Decoder(Message)


def body(value: object) -> Raw:
    """A value as the part of a message that its receiver reads later."""
    return Raw(_pack(value))


def written(message: Message) -> bytes:
    """The message as it goes over the link."""
    data = _pack(message)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data


def failed(number: int, fault: Unavailable) -> Failure:
    """The outage that a question met."""
    kind = next((kind for kind, family in FAILURES.items() if type(fault) is family), "unavailable")
    return Failure(number, kind, str(fault), fault.retry_after_ms)


def raised(failure: Failure) -> Unavailable:
    """The outage as its asker meets it."""
    return FAILURES[failure.kind](failure.what, failure.retry_after_ms)


class Reader:
    """Bytes as they come become messages. What came of the next one waits, in the pieces in which it came."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._held = 0
        self._wanted = LENGTH_BYTES
        self._in_message = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that these bytes complete; raises `ValueError` for what is none."""
        self._pieces.append(data)
        self._held += len(data)
        return self._read() if self._held >= self._wanted else []

    def _read(self) -> list[Message]:
        """Each byte is copied once for its message, and once more if it waited for others."""
        whole, messages, at = b"".join(self._pieces), [], 0
        while len(whole) - at >= self._wanted:
            part, at = whole[at : at + self._wanted], at + self._wanted
            if self._in_message:
                self._in_message, self._wanted = False, LENGTH_BYTES
                messages.append(_unpack.decode(part))
            else:
                self._in_message, self._wanted = True, _length(part)
        self._pieces, self._held = [whole[at:]], len(whole) - at
        return messages


def _length(part: bytes) -> int:
    length = int.from_bytes(part, "big")
    if length > LONGEST_BYTES:
        raise ValueError(f"{length} bytes are no message")
    return length
