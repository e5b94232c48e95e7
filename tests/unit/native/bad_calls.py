"""Calls of the C functions themselves as no caller makes them: `python -m tests.unit.native.bad_calls LIBRARY`."""

import ctypes
import os
import sys
from array import array
from contextlib import suppress
from pathlib import Path

from uproar.native import ENTRIES, _Rest, load

COUNTS = (-(1 << 31), -1, 0, 1, 2, 3)


def all_calls(library: ctypes.CDLL) -> None:
    """Counts below zero, sizes of zero, a ring closed behind its back, more failures than it has entries."""
    sockets, rests = array("i", [-1, 1 << 20, -5]), (_Rest * (4 * ENTRIES))()
    at = sockets.buffer_info()[0]
    ring = library.uproar_ring_open(16)
    for count in COUNTS:
        for size in (0, 1):
            failed = sum(one >= 0 for one in sockets[: max(count, 0)])
            assert library.uproar_send(at, count, b"x", size, rests) == failed
            assert library.uproar_ring_send(ring, at, count, b"x", size, rests) == failed
    many = array("i", [1 << 20] * 4 * ENTRIES)
    for _ in range(3):
        assert library.uproar_ring_send(ring, many.buffer_info()[0], len(many), b"x", 1, rests) == len(many)
        assert sorted(one.place for one in rests) == list(range(len(many)))
    os.close(_descriptor())
    assert library.uproar_ring_send(ring, many.buffer_info()[0], len(many), b"x", 1, rests) == len(many)
    for entries in (0, 1 << 31):
        assert library.uproar_ring_open(entries) is None


def _descriptor() -> int:
    """The ring's."""
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # the listing's own is gone by now
            if "io_uring" in os.readlink(f"/proc/self/fd/{name}"):
                return int(name)
    raise AssertionError("no ring is open")


def beyond(library: ctypes.CDLL) -> None:
    """Says that its list is longer than it is."""
    short = (ctypes.c_int32 * 4)(-1, -1, -1, -1)
    library.uproar_send(ctypes.addressof(short), 1 << 20, b"x", 1, (_Rest * 4)())


if __name__ == "__main__":
    (beyond if "beyond" in sys.argv else all_calls)(load(Path(sys.argv[1])))
    print("done")
