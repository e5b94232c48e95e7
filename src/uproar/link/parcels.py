"""Open files on their way to another process of this machine, each with bytes (unix(7), `SCM_RIGHTS`)."""

import array
import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from uproar.core.errors import Overloaded, Unavailable

BUFFER_BYTES: Final = 1 << 20
"""What the socket may hold, as far as the kernel lets it; no parcel is larger."""
AT_ONCE: Final = 64
"""So many parcels are taken in before others have their turn."""
WAITING: Final = 1_000
"""So many may wait for a place in the socket; one more is refused."""


NUMBER_BYTES: Final = 8


LOST: Final = -1
"""Stands for a file that the receiver may not have: it has as many open as it may. The sender's bytes came alone."""


class Parcel(NamedTuple):
    """An open file (or `LOST`) and what goes with it."""

    data: bytes
    descriptor: int


Pack = Callable[[], Parcel | None]
"""Makes a parcel when it can leave; None when there is nothing to send any more."""


class Parcels:
    """One end. The sender keeps its own copy of the file; the receiver owns the one that it gets."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._end.setblocking(False)
        self._buffer = bytearray()
        self._waiting: deque[tuple[int, Pack, asyncio.Future[bool]]] = deque()

    @staticmethod
    def pair() -> tuple[socket.socket, socket.socket]:
        """Both ends: what is sent as one parcel is received as one."""
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        return ends

    # -- sending

    async def send(self, number: int, pack: Pack) -> bool:
        """Send under a number, in turn; whether there still was something to send.

        Raises `Overloaded` when too many wait or it is too large, `Unavailable` when the other end is gone.
        """
        if len(self._waiting) >= WAITING:
            raise Overloaded("too many parcels wait")
        loop = asyncio.get_running_loop()
        if not self._waiting:
            sent = self._try(number, pack)
            if sent is not None:
                return sent
            loop.add_writer(self._end, self._flush)
        turn: asyncio.Future[bool] = loop.create_future()
        self._waiting.append((number, pack, turn))
        return await turn

    def _try(self, number: int, pack: Pack) -> bool | None:
        """None while the socket is full."""
        parcel = pack()
        if parcel is None:
            return False
        try:
            socket.send_fds(self._end, [number.to_bytes(NUMBER_BYTES, "big"), parcel.data], [parcel.descriptor])
        except BlockingIOError:
            return None
        except OSError as fault:
            if fault.errno in (errno.EMSGSIZE, errno.ETOOMANYREFS, errno.ENOBUFS):
                raise Overloaded("the parcel does not fit") from fault
            raise Unavailable("the other end is gone") from fault
        return True

    def _flush(self) -> None:
        while self._waiting:
            number, pack, turn = self._waiting[0]
            if not turn.done():
                try:
                    sent = self._try(number, pack)
                except Unavailable as fault:
                    turn.set_exception(fault)
                else:
                    if sent is None:
                        return
                    turn.set_result(sent)
            self._waiting.popleft()
        asyncio.get_running_loop().remove_writer(self._end)

    # -- receiving

    def receive(self, take: Callable[[int, Parcel], None]) -> None:
        """Hand over what comes, from now on."""
        self._buffer = bytearray(BUFFER_BYTES)
        asyncio.get_running_loop().add_reader(self._end, self._take_in, take)

    def _take_in(self, take: Callable[[int, Parcel], None]) -> None:
        room = socket.CMSG_SPACE(array.array("i").itemsize)
        for _ in range(AT_ONCE):
            try:
                size, ancillary, _, _ = self._end.recvmsg_into([self._buffer], room, socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return
            except OSError:
                size, ancillary = 0, []
            if not size:
                asyncio.get_running_loop().remove_reader(self._end)  # the other end is gone
                return
            number = int.from_bytes(self._buffer[:NUMBER_BYTES], "big")
            take(number, Parcel(bytes(memoryview(self._buffer)[NUMBER_BYTES:size]), _descriptor(ancillary)))

    def close(self) -> None:
        """Nothing more is sent or received; whoever waits is told. Again: nothing."""
        if self._end.fileno() < 0:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._end)
        loop.remove_writer(self._end)
        for _, _, turn in self._waiting:
            if not turn.done():
                turn.set_exception(Unavailable("the other end is gone"))
        self._waiting.clear()
        self._end.close()


def _descriptor(ancillary: Iterable[tuple[int, int, bytes]]) -> int:
    descriptors = array.array("i", b"".join(data for _, _, data in ancillary))
    return descriptors[0] if descriptors else LOST
