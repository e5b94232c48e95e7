"""Comment ids: 41 bits of milliseconds, 10 bits of writer, 12 bits of sequence, in that order; they only grow.

The layout is Snowflake's. The epoch is 2015, so that ids have 19 digits from 2022 to their end in 2084.
"""

from uproar.core.errors import Unavailable

EPOCH_MS = 1_420_070_400_000  # 2015-01-01T00:00:00Z
WRITERS = 1 << 10
END_MS = EPOCH_MS + (1 << 41)

_WRITER_BITS = 10
_SEQUENCE_BITS = 12
_MS_SHIFT = _WRITER_BITS + _SEQUENCE_BITS
_SEQUENCES = 1 << _SEQUENCE_BITS
_ID_END = 1 << 63
_MAX_DIGITS = len(str(_ID_END))


class IdMaker:
    """Numbers comments for one writer, which holds its number as a lease over a span of milliseconds.

    Ids fall in `lease_from_ms` <= time < `lease_until_ms`: the next holder of the number starts where this one ends.
    """

    def __init__(self, writer: int, *, lease_from_ms: int = EPOCH_MS, lease_until_ms: int = END_MS) -> None:
        if not 0 <= writer < WRITERS:
            raise ValueError(f"a writer's number lies in 0..{WRITERS - 1}, not {writer}")
        self.writer = writer
        self._last_tick = _first_tick(lease_from_ms) - 1
        self._end_tick = 0
        self.extend(lease_until_ms)

    def extend(self, lease_until_ms: int) -> None:
        """The lease is renewed up to this time (ms since 1970); a shorter lease changes nothing."""
        self._end_tick = max(self._end_tick, _first_tick(min(lease_until_ms, END_MS)))

    def next(self, now_ms: int) -> int:
        """An id above all before it; `Unavailable` once the lease is over.

        While the clock stands or runs backwards ids go on from the last one; when a millisecond is full they borrow
        the next.
        """
        tick = max(_first_tick(now_ms), self._last_tick + 1)
        if tick >= self._end_tick:
            raise Unavailable(f"the lease on writer number {self.writer} is over")
        self._last_tick = tick
        return tick // _SEQUENCES << _MS_SHIFT | self.writer << _SEQUENCE_BITS | tick % _SEQUENCES


def _first_tick(ms: int) -> int:
    """Milliseconds and sequence as one number, so that the next after a full millisecond is simply one more."""
    return max(ms - EPOCH_MS, 0) << _SEQUENCE_BITS


def at_ms(comment_id: int) -> int:
    """When the id was made, in ms since 1970."""
    return (comment_id >> _MS_SHIFT) + EPOCH_MS


def first_id_at(ms: int) -> int:
    """The lowest id that can be made at this time (ms since 1970): what is below it is older.

    Beyond the last millisecond of ids it is the last id, so that it fits wherever ids do.
    """
    return min(max(ms - EPOCH_MS, 0) << _MS_SHIFT, _ID_END - 1)


def parse_id(text: str) -> int | None:
    """The id that JSON writes as this text; None unless it is plain decimal digits of a number from 0 to below 2^63."""
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        return None
    number = int(text)
    return number if str(number) == text and number < _ID_END else None
