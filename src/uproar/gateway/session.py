"""What one viewer says, without a socket: read, paced, and judged as protocol; made only once a viewer speaks.

message --read--> an op for the hub
         |------> refused 310 (not the protocol), the 21st closes with 4500
         |------> refused 502 (more than 20 a second)
         `------> nothing (more than 10 reactions a second)
"""

from collections import deque

from msgspec import UNSET

from uproar.auth import Identity
from uproar.core.refusal import Refusal, Refused
from uproar.wire.closes import Close
from uproar.wire.codec import read_op, ref_of
from uproar.wire.frames import FromViewer, Post, React, RefusedMessage, Report

MESSAGES_PER_S = 20
REACTS_PER_S = 10
BAD_MESSAGES = 20
UNDER_WAY = 20
IMPORTS_UNDER_WAY = 1000
"""Messages of one viewer that may wait for their answers at once; an importer says what many said."""


class Pace:
    """At most `limit` in any second."""

    __slots__ = ("_times",)

    def __init__(self, limit: int) -> None:
        self._times: deque[float] = deque([float("-inf")] * limit, maxlen=limit)

    def allows(self, now: float) -> bool:
        """Whether one more fits; if so it is counted."""
        if now - self._times[0] < 1.0:
            return False
        self._times.append(now)
        return True


class Session:
    """Who a viewer is, and how it behaves.

    `under_way` of its messages wait for their answers, `unread_bytes` of answers were written since it lags.
    """

    __slots__ = ("_bad", "_messages", "_reacts", "identity", "under_way", "unread_bytes")

    def __init__(self) -> None:
        self.identity: Identity | None = None
        self.under_way = 0
        self.unread_bytes = 0
        self._messages = Pace(MESSAGES_PER_S)
        self._reacts = Pace(REACTS_PER_S)
        self._bad = 0

    def read(self, data: bytes, now: float) -> FromViewer | RefusedMessage | Close | None:
        """What is to be done about a message; None: nothing at all."""
        op = read_op(data)
        if isinstance(op, React):
            return op if self._reacts.allows(now) else None
        if not self._importer and not self._messages.allows(now):
            return refused(Refused(Refusal.OVERLOADED, 1000), None if isinstance(op, Refused) else op, data)
        if not isinstance(op, Refused):
            return op
        self._bad += 1
        return Close.BAD_MESSAGE if self._bad > BAD_MESSAGES else refused(op, None, data)

    @property
    def is_busy(self) -> bool:
        """Whether as many of its messages wait as may."""
        return self.under_way >= (IMPORTS_UNDER_WAY if self._importer else UNDER_WAY)

    @property
    def _importer(self) -> bool:
        return self.identity is not None and self.identity.is_importer


def refused(why: Refused, op: FromViewer | None, data: bytes = b"") -> RefusedMessage:
    """The refusal of an op (or of `data` that is none), with its `ref` and the text that was sent."""
    refusal = why.refusal
    ref = op.ref if isinstance(op, Post | Report) else ref_of(data) if op is None else None
    return RefusedMessage(
        code=refusal.code,
        reason=refusal.reason,
        message=why.message,
        again=refusal.again,
        ref=UNSET if ref is None else ref,
        retry_after_ms=UNSET if why.retry_after_ms is None else why.retry_after_ms,
        text=op.text if isinstance(op, Post) else UNSET,
    )
