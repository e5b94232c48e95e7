"""Close codes. 4000-4499, and 1009: come back; 4500-4999: do not."""

from enum import IntEnum


class Close(IntEnum):
    """Why this server ends a connection; a member's name is the protocol's word for it."""

    TOO_BIG = 1009
    SHUTDOWN = 4000
    TOO_SLOW = 4001
    NO_PONG = 4002
    MOVED = 4003
    BAD_MESSAGE = 4500
    STREAM_DELETED = 4503

    @property
    def reason(self) -> str:
        """The protocol's word for it, as in `too_slow`."""
        return self.name.lower()
