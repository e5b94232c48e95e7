"""The ready viewers of one form of frames, in slots: lists that a broadcast walks without asking anyone."""

from array import array
from collections.abc import Iterator

from uproar.gateway.viewer import NO_SLOT, NO_SOCKET, NOWHERE, Transport, Viewer

FREE_SLOTS = 1_000  # may stay for who comes; more go once they are more than half, as after a crowd left


class Slots:
    """The viewers who are ready for one form of frames: transports, and descriptors beside them."""

    def __init__(self) -> None:
        self.transports: list[Transport] = []
        self.sockets = array("i")
        self._owners: list[Viewer | None] = []
        self._free: list[int] = []

    def __len__(self) -> int:
        """Slots, empty ones included."""
        return len(self.transports)

    @property
    def ready(self) -> int:
        """How many are not empty."""
        return len(self._owners) - len(self._free)

    def viewers(self) -> Iterator[Viewer]:
        """Who is ready."""
        return (viewer for viewer in self._owners if viewer is not None)

    def place(self, viewer: Viewer) -> None:
        """Give the viewer a slot."""
        if self._free:
            viewer.slot = self._free.pop()
            self._set(viewer.slot, viewer, viewer.transport, viewer.descriptor)
        else:
            viewer.slot = len(self)
            self._owners.append(viewer)
            self.transports.append(viewer.transport)
            self.sockets.append(viewer.descriptor)

    def empty(self, viewer: Viewer) -> None:
        """Take its slot at once."""
        self._set(viewer.slot, None, NOWHERE, NO_SOCKET)
        self._free.append(viewer.slot)
        viewer.slot = NO_SLOT

    def close_ranks(self) -> None:
        """Empty slots go when they are too many; not while a frame is sent."""
        if len(self._free) > max(FREE_SLOTS, len(self) // 2):
            ready = list(self.viewers())
            for shelf in (self._owners, self.transports, self.sockets, self._free):
                del shelf[:]
            for viewer in ready:
                self.place(viewer)

    def _set(self, slot: int, owner: Viewer | None, transport: Transport, socket: int) -> None:
        self._owners[slot], self.transports[slot], self.sockets[slot] = owner, transport, socket
