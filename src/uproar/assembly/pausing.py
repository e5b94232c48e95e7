"""How long to wait before what ended is started again."""

from typing import Final

YOUNG_S: Final = 10.0  # what lived for less does not count as running
FIRST_S: Final = 1.0
LONGEST_S: Final = 30.0


class Pauses:
    """None after a life, nor after one that was short; from the second short one in a row on: 1 s, 2 s, 4 s … 30 s."""

    def __init__(self) -> None:
        self._next_s = 0.0

    def after(self, lived_s: float) -> float:
        """The pause after a life of so long."""
        if lived_s >= YOUNG_S:
            self._next_s = 0.0
            return 0.0
        pause_s, self._next_s = self._next_s, min(LONGEST_S, max(FIRST_S, 2 * self._next_s))
        return pause_s
