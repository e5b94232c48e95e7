"""Native senders: one buffer to many sockets in one call, without the interpreter's lock.

Two forms of one promise, in C (`sender.c`): `io_uring` hands many sends to the kernel in one system call, `send` loops
over them. Where the library was not built, or the kernel forbids, the gateway writes through its transports as ever.
"""

import ctypes
import errno
import os
import threading
from array import array
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from uproar.core.errors import Misconfigured

LIBRARY: Final = Path(__file__).with_name("sender.so")
ENTRIES: Final = 1024
"""Sends that one system call takes at most."""


class Rest(NamedTuple):
    """A socket that did not take it whole: its place in the list, and how many bytes it took."""

    place: int
    sent: int


class Sender(Protocol):
    """Sends to sockets that are non-blocking and have nothing waiting before it."""

    name: str

    def send(self, sockets: "array[int]", first: int, count: int, data: bytes) -> Sequence[Rest]:
        """Send to the descriptors at `first` and the `count` - 1 after it (negative ones are empty places).

        What one did not take is for the caller to write, an error of the socket included: it will show there.
        """


class Absent(Exception):
    """A native sender cannot be had here, and why."""


class _Rest(ctypes.Structure):
    _fields_ = (("place", ctypes.c_int32), ("sent", ctypes.c_int32))


class _Native:
    """What both forms share: one call for at most `ENTRIES` sockets, and a buffer for what they did not take."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._rests = (_Rest * ENTRIES)()

    def send(self, sockets: "array[int]", first: int, count: int, data: bytes) -> Sequence[Rest]:
        """See `Sender`."""
        count = min(count, len(sockets) - first)
        if first < 0 or count > ENTRIES or sockets.typecode != "i":
            raise ValueError(f"{count} sockets from {first} on: more than {ENTRIES}, or none of the list's")
        at = sockets.buffer_info()[0] + first * sockets.itemsize
        rests = self._call(at, count, data)
        return [Rest(first + one.place, max(one.sent, 0)) for one in self._rests[:rests]] if rests else ()

    def _call(self, at: int, count: int, data: bytes) -> int:
        raise NotImplementedError


class LoopSender(_Native):
    """One `send` a socket."""

    name = "send"

    def _call(self, at: int, count: int, data: bytes) -> int:
        rests: int = self._library.uproar_send(at, count, data, len(data), self._rests)
        return rests


class RingSender(_Native):
    """Up to `ENTRIES` sends a system call; raises `Absent`.

    It belongs to the thread that made it, whose memory the kernel shares: in another one, and in a forked child, it is
    a mistake to send.
    """

    name = "io_uring"

    def __init__(self, library: ctypes.CDLL) -> None:
        super().__init__(library)
        self._ring = library.uproar_ring_open(ENTRIES)
        if not self._ring:
            why = ctypes.get_errno()
            raise Absent(f"the kernel gives no io_uring ({errno.errorcode.get(why, why)}: {os.strerror(why)})")
        self._owner = threading.get_native_id()

    def _call(self, at: int, count: int, data: bytes) -> int:
        if not self._ring:
            raise RuntimeError("the ring is closed")
        if self._owner != threading.get_native_id():
            raise RuntimeError("the ring belongs to the thread that made it")
        rests: int = self._library.uproar_ring_send(self._ring, at, count, data, len(data), self._rests)
        return rests

    def close(self) -> None:
        """Give the ring back."""
        if self._ring:
            self._library.uproar_ring_close(self._ring)
        self._ring = None


class Choice(NamedTuple):
    """A sender, or None for the gateway's transports, and why that one."""

    sender: Sender | None
    why: str


def open_sender(wish: str) -> Choice:
    """The sender of that name; `auto`: the loop where the library was built, since no ring was ever cheaper.

    `Misconfigured` when one that was asked for by its name cannot be had.
    """
    if wish == "python":
        return Choice(None, "asked for")
    try:
        sender = RingSender(load()) if wish == RingSender.name else LoopSender(load())
        return Choice(sender, "costs least here" if wish == "auto" else "asked for")
    except Absent as why:
        if wish == "auto":
            return Choice(None, str(why))
        raise Misconfigured(f"sender cannot be {wish}: {why}; leave it at auto, or choose another") from why


def load(path: Path = LIBRARY) -> ctypes.CDLL:
    """The library; raises `Absent` where it was not built."""
    try:
        library = ctypes.CDLL(str(path), use_errno=True)
    except OSError as fault:
        raise Absent(f"the native sender was not built ({fault})") from fault
    send = (ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Rest))
    library.uproar_send.argtypes = send
    library.uproar_ring_open.argtypes, library.uproar_ring_open.restype = (ctypes.c_uint,), ctypes.c_void_p
    library.uproar_ring_send.argtypes = (ctypes.c_void_p, *send)
    library.uproar_ring_close.argtypes, library.uproar_ring_close.restype = (ctypes.c_void_p,), None
    return library
