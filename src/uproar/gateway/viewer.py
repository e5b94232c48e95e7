"""A viewer as rooms see it: a transport and a few small numbers."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from uproar.gateway.room import Room
    from uproar.gateway.session import Session

NO_SLOT = -1
NO_SOCKET = -1  # no descriptor: a native sender passes over it

PLAIN, ALONE, CHAINED = range(3)
"""The forms in which a viewer gets frames: as they are; each deflated by itself; deflated one after the other."""

FORMS = ("plain", "alone", "chained")


class Transport(Protocol):
    """As much of an asyncio transport as rooms need."""

    def write(self, data: bytes) -> None:
        """Send, or keep until the socket takes it."""

    def is_closing(self) -> bool:
        """Whether nothing more will be sent."""

    def get_write_buffer_size(self) -> int:
        """Bytes that the socket has not taken yet."""


class _Nowhere:
    """Stands in an empty slot, so that the HOT loop need not ask."""

    __slots__ = ()

    def write(self, data: bytes) -> None:
        """Nobody is here."""

    def is_closing(self) -> bool:
        """Nothing is ever sent."""
        return True

    def get_write_buffer_size(self) -> int:
        """Nothing waits."""
        return 0


NOWHERE: Transport = _Nowhere()


class Viewer:
    """A transport and a few small numbers; no task, queue, timer or reader of its own.

    `deflated` and `context` tell what was agreed on: that messages may be deflated, and that they may refer to earlier
    ones. `form` is how it gets frames now. `held` is the last frame it has while it is not ready (ready viewers hold
    what the room has sent), `asides_from` the frame up to which it had its asides, `pinged` whether a pong is owed.
    """

    __slots__ = (
        "asides_from",
        "context",
        "deflated",
        "descriptor",
        "form",
        "held",
        "lagging",
        "pinged",
        "room",
        "session",
        "slot",
        "transport",
    )

    def __init__(self) -> None:
        self.transport: Transport = NOWHERE
        self.descriptor = NO_SOCKET
        self.room: Room | None = None
        self.session: Session | None = None
        self.slot = NO_SLOT
        self.held = 0
        self.asides_from = 0
        self.deflated = False
        self.context = False
        self.form = PLAIN
        self.lagging = False
        self.pinged = False

    def leave_chain(self) -> None:
        """What it is given next refers to nothing earlier."""
        self.form = ALONE if self.deflated else PLAIN

    def end(self, code: int, reason: str) -> None:
        """Close the connection with this code, once what was written is sent."""
        raise NotImplementedError
