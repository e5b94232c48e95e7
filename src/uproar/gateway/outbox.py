"""What a viewer that reads too slowly is owed, and when that ends.

A viewer whose socket is full lags: nothing more is written to it until its socket drained. Then it gets what it missed
in one write while that is at most `catch_up_bytes`, else the net result (`skipped`). Lagging for `lag_close_s` on end
closes it with 4001; so does more than `personal_bytes` of own answers that it does not read.
"""

from typing import NamedTuple


class Lag(NamedTuple):
    """The bounds of lagging."""

    catch_up_bytes: int = 256 << 10
    lag_close_s: float = 30.0
    personal_bytes: int = 48 << 10

    def catches_up(self, missed_bytes: int) -> bool:
        """Whether what was missed is still sent whole."""
        return missed_bytes <= self.catch_up_bytes

    def over(self, since: float, now: float) -> bool:
        """Whether a viewer that lags since then is closed."""
        return now - since >= self.lag_close_s
