"""A place in a stream's chain of frames: the opaque cursor that a viewer holds."""

from typing import NamedTuple

_EPOCH_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_EPOCH_CHARS = 64
_NUMBER_DIGITS = 18  # every such number fits in 63 bits, and no chain grows that long


class Position(NamedTuple):
    """Frame `number` of the chain named `epoch`; number 0 stands before its first frame."""

    epoch: str
    number: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.number}"


def parse(text: str) -> Position | None:
    """The position written as `EPOCH.SEQ`; None when it is not written so."""
    epoch, _, number = text.partition(".")
    if not (1 <= len(epoch) <= _EPOCH_CHARS and _EPOCH_ALPHABET.issuperset(epoch)):
        return None
    if not (len(number) <= _NUMBER_DIGITS and number.isascii() and number.isdigit()):
        return None
    return Position(epoch, int(number))
