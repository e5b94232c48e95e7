"""The ping wheel: every viewer stands on a spoke, one spoke is pinged each second, and no viewer has a timer."""

from collections.abc import Iterator

from uproar.gateway.viewer import Viewer


class Wheel:
    """Each viewer is due every `ping_s` seconds; who then owes a pong for `pong_s` seconds is late."""

    def __init__(self, ping_s: int, pong_s: int) -> None:
        self._spokes: list[set[Viewer]] = [set() for _ in range(ping_s)]
        self._pong_s = pong_s
        self._next = 0

    def __len__(self) -> int:
        return sum(map(len, self._spokes))

    def __iter__(self) -> Iterator[Viewer]:
        for spoke in self._spokes:
            yield from tuple(spoke)

    def add(self, viewer: Viewer) -> None:
        """On the next spoke, so that all are about equal."""
        self._spokes[self._next].add(viewer)
        self._next = (self._next + 1) % len(self._spokes)

    def remove(self, viewer: Viewer) -> bool:
        """Off the wheel; False when it was not there."""
        spoke = next((spoke for spoke in self._spokes if viewer in spoke), None)
        if spoke is None:
            return False
        spoke.remove(viewer)
        return True

    def due(self, second: int) -> list[Viewer]:
        """Whom to ping now; who lags is not written to."""
        return [viewer for viewer in self._spoke(second) if not viewer.lagging]

    def late(self, second: int) -> list[Viewer]:
        """Who was pinged and has not answered in time."""
        return [viewer for viewer in self._spoke(second - self._pong_s) if viewer.pinged and not viewer.lagging]

    def _spoke(self, second: int) -> set[Viewer]:
        return self._spokes[second % len(self._spokes)]
