"""A crowd at a room: real sockets that fill, leave and give their descriptors away at any moment of a broadcast.

`python -m tests.unit.native.crowd LIBRARY` runs many of them by a library that was built with sanitizers.
"""

import asyncio
import socket
import sys
import tempfile
from pathlib import Path
from random import Random

from tests.tools import run
from uproar.gateway.outbox import Lag
from uproar.gateway.personal import Personal
from uproar.gateway.room import Room
from uproar.gateway.sending import service
from uproar.gateway.sending.service import SLICE_S, Sending, natively
from uproar.gateway.viewer import Viewer
from uproar.native import LoopSender, RingSender, Sender, load
from uproar.observe.counters import Metrics
from uproar.wire.frames import Frame
from uproar.wire.websocket import text_frame

SEND_BUFFER_BYTES = 8_000
PAUSED_BYTES = 20_000


class HurriedClock:
    """A clock by which every slice is over as soon as it began."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Later than before, by a slice."""
        self._now += SLICE_S
        return self._now

    def now_ms(self) -> int:
        """Any time."""
        return 1


class Guest(Viewer):
    """A viewer and its transport: keeps what its socket does not take; mischief may come of any write."""

    def __init__(self, crowd: "Crowd") -> None:
        super().__init__()
        self.crowd, self.transport = crowd, self
        self.ours, self.theirs = socket.socketpair()
        self.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        self.ours.setblocking(False)
        self.theirs.setblocking(False)
        self.descriptor = self.ours.fileno()
        self.waits, self.got, self.here = b"", b"", True

    def write(self, data: bytes) -> None:
        assert self.here, "written to after it left"
        self.waits += data
        self.flush()
        if len(self.waits) > PAUSED_BYTES and not self.lagging:
            self.crowd.sending.paused(self)
        self.crowd.written.add(self)
        self.crowd.mischief()
        self.crowd.written.discard(self)

    def flush(self) -> None:
        try:
            while self.waits:
                self.waits = self.waits[self.ours.send(self.waits) :]
        except BlockingIOError:
            return
        except OSError:
            self.waits = b""  # it was reset

    def read(self) -> None:
        """As much as there is, and then what waited."""
        try:
            while some := self.theirs.recv(1 << 16):
                self.got += some
        except (BlockingIOError, ConnectionResetError):
            pass
        if self.here and self.waits:
            self.flush()
        if self.here and self.lagging and not self.waits:
            self.crowd.sending.resumed(self)

    def is_closing(self) -> bool:
        return not self.here

    def get_write_buffer_size(self) -> int:
        return len(self.waits)

    def leave(self) -> None:
        """As the protocol lets go: off the list, and only then its descriptor."""
        self.here = False
        self.crowd.sending.withdraw(self)
        self.crowd.room.lagging.pop(self, None)
        self.room = None
        self.read()
        self.ours.close()


class Crowd:
    """A room with guests; strangers (files and sockets that nobody sends to) take the descriptors that become free."""

    def __init__(self, sender: Sender, seed: int) -> None:
        self.dice = Random(seed)
        self.room = Room("s")
        self.room.begin("e", 0)
        self.frames: list[bytes] = []
        lag, metrics = Lag(catch_up_bytes=1 << 30), Metrics()
        personal = Personal(metrics, lag, lambda viewer: None)
        self.sending = Sending(HurriedClock(), metrics, lag, personal, self._again, natively(sender))
        self.guests: list[tuple[Guest, int]] = []
        self.written: set[Guest] = set()  # a transport tells that its connection is lost later, never in a write
        self.cut: set[Guest] = set()
        self.faults: list[object] = []
        self.files, self.sockets = [], []

    def _again(self, viewer: Viewer, room: Room, position: object) -> None:
        raise AssertionError("the ring holds every frame")

    @property
    def here(self) -> list[Guest]:
        return [guest for guest, _ in self.guests if guest.here]

    def come(self) -> None:
        guest = Guest(self)
        guest.room, guest.held = self.room, self.room.sent
        self.guests.append((guest, self.room.sent))
        self.room.waiting.append(guest)
        self.sending.admit(self.room)

    def mischief(self) -> None:
        """Somebody leaves, reads or loses the line; somebody comes, and whoever opens something has its descriptor."""
        for _ in range(self.dice.choice((0, 0, 1, 3))):
            here = self.here
            deed = self.dice.randrange(7)
            if deed == 0 and (free := [guest for guest in here if guest not in self.written]):
                self.dice.choice(free).leave()
            elif deed == 1:
                self.files.append(tempfile.TemporaryFile())  # noqa: SIM115
            elif deed == 2:
                self.sockets.append(socket.socketpair())
            elif deed == 3 and len(here) < 40:
                self.come()
            elif deed == 4 and here:
                self.cut_off(self.dice.choice(here))
            elif here:
                self.dice.choice(here).read()

    def cut_off(self, guest: Guest) -> None:
        """Sends to it fail from now on."""
        guest.theirs.shutdown(socket.SHUT_RD)
        self.cut.add(guest)

    def frame(self) -> None:
        number = len(self.frames) + 1
        plain = b"%d:" % number + bytes([97 + number % 26]) * self.dice.choice((10, 2_000, 30_000))
        self.frames.append(text_frame(plain))
        self.room.keep(Frame("s", "e", number, 0, number, 0, plain, b""), 0)
        self.sending.send(self.room)

    async def live(self, frames: int) -> None:
        """Send so many frames, then look at every byte."""
        asyncio.get_running_loop().set_exception_handler(lambda loop, fault: self.faults.append(fault["exception"]))
        for _ in range(12):
            self.come()
        for _ in range(frames):
            self.frame()
            for _ in range(self.dice.randrange(4)):
                self.mischief()
                await asyncio.sleep(0)
        while not self.faults and (
            self.room.cursor is not None or any(guest.lagging or guest.waits for guest in self.here)
        ):
            for guest in self.here:
                guest.read()
            await asyncio.sleep(0)
        self.check()

    def check(self) -> None:
        """Guests have what they were owed and nothing else; strangers have nothing at all."""
        assert not self.faults
        for guest, since in self.guests:
            guest.read()
            owed = b"".join(self.frames[since:])
            stayed = guest.here and guest not in self.cut
            assert guest.got == owed if stayed else owed.startswith(guest.got)
        for file in self.files:
            assert file.seek(0, 2) == 0
        for pair in self.sockets:
            for one in pair:
                one.setblocking(False)
                try:
                    raise AssertionError(one.recv(1))
                except BlockingIOError:
                    pass

    def go_home(self) -> None:
        for guest, _ in self.guests:
            guest.ours.close()
            guest.theirs.close()
        for one in (*self.files, *(one for pair in self.sockets for one in pair)):
            one.close()


def party(sender: Sender, seed: int, frames: int = 20) -> Crowd:
    """One crowd from beginning to end."""
    crowd = Crowd(sender, seed)
    try:
        run(crowd.live(frames))
        return crowd
    finally:
        crowd.go_home()


if __name__ == "__main__":
    library = load(Path(sys.argv[1]))
    service.NATIVE_CHUNK = 4
    for form in (LoopSender, RingSender):
        sender = form(library)
        for seed in range(int(sys.argv[2])):
            party(sender, seed)
    print("done")
