"""Many viewers in one process, and what they saw: each frame is read once, whoever gets it."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from uproar.cli.client import Address
from uproar.cli.returning import State, keep_watching, settled
from uproar.core.position import parse
from uproar.wire.codec import read_message
from uproar.wire.frames import Batch, FromServer, Joined, Skipped

OPENING: Final = 200  # connections opened at once
READ: Final = 256  # messages kept as read


class Span:
    """Frames `first` to `last` of an epoch, without a hole."""

    __slots__ = ("epoch", "first", "last")

    def __init__(self, position: str) -> None:
        place = parse(position)
        assert place is not None, position
        self.epoch, self.last = place
        self.first = place.number + 1

    def covers(self, epoch: str, number: int) -> bool:
        """Whether that frame is among them."""
        return epoch == self.epoch and self.first <= number <= self.last


class Seen:
    """One frame of the chain: what it shows, and when viewers got it (ms after `first_s`, how many)."""

    __slots__ = ("arrivals", "epoch", "first_s", "ids", "number")

    def __init__(self, batch: Batch, now: float) -> None:
        place = parse(batch.position)
        assert place is not None, batch.position
        self.epoch, self.number = place
        self.ids = [comment.id for comment in batch.comments]
        self.first_s = now
        self.arrivals: Counter[int] = Counter()


class Chain:
    """The stream's frames as anybody saw them."""

    def __init__(self) -> None:
        self.frames: dict[str, Seen] = {}
        self.shown: Counter[str] = Counter()
        self.out_of_order = 0
        self._newest = 0
        self._read: OrderedDict[bytes, FromServer] = OrderedDict()

    def read(self, data: bytes) -> FromServer:
        """The message: equal bytes are read once."""
        message = self._read.get(data)
        if message is None:
            message = self._read[data] = read_message(data)
            if len(self._read) > READ:
                self._read.popitem(last=False)
        return message

    def seen(self, batch: Batch, now: float) -> Seen:
        """The frame, noted as arrived at one viewer more."""
        frame = self.frames.get(batch.position)
        if frame is None:
            frame = self.frames[batch.position] = Seen(batch, now)
            self._show(frame.ids)
        frame.arrivals[int((now - frame.first_s) * 1000)] += 1
        return frame

    def delays_ms(self, sent_s: Mapping[str, float]) -> Counter[int]:
        """From post to display: how many (comment, viewer) pairs took so many ms; `sent_s` by comment id."""
        delays: Counter[int] = Counter()
        for frame in self.frames.values():
            for sent in (sent_s[id] for id in frame.ids if id in sent_s):
                base = int((frame.first_s - sent) * 1000)
                for later, viewers in frame.arrivals.items():
                    delays[base + later] += viewers
        return delays

    def _show(self, ids: Iterable[str]) -> None:
        for id in ids:
            self.shown[id] += 1
            self.out_of_order += int(id) < self._newest
            self._newest = max(self._newest, int(id))


class Viewer:
    """What one viewer holds: spans of frames; a second span stands for a hole that the server told, or a fault."""

    __slots__ = ("_chain", "_now", "faults", "spans")

    def __init__(self, chain: Chain, now: Callable[[], float]) -> None:
        self._chain, self._now = chain, now
        self.spans: list[Span] = []
        self.faults = 0

    def take(self, message: FromServer) -> None:
        """A message came: a batch is one above what is held, or it is a fault."""
        match message:
            case Batch():
                frame, span = self._chain.seen(message, self._now()), self.spans[-1]
                if frame.number == span.last + 1 and frame.epoch == span.epoch:
                    span.last += 1
                else:
                    self.faults += 1
                    self.spans.append(Span(message.position))
            case Joined(recovered=False, position=position) | Skipped(position=position):
                self.spans.append(Span(position))

    @property
    def held(self) -> tuple[tuple[str, int, int], ...]:
        """Epoch, first and last frame of each span; viewers for which these are equal saw the same."""
        return tuple((span.epoch, span.first, span.last) for span in self.spans)

    def holds(self, frames: Iterable[Seen]) -> bool:
        """Whether all these frames came, once each."""
        return not self.faults and all(
            any(span.covers(frame.epoch, frame.number) for span in self.spans) for frame in frames
        )


class Verdict(NamedTuple):
    """Of the viewers, how many saw everything once; of the comments, how many were shown to nobody or twice."""

    complete: int
    unseen: int
    repeated: int
    faults: int


def judge(chain: Chain, viewers: Sequence[Viewer], ids: Iterable[str]) -> Verdict:
    """What was seen of these comments; viewers that hold the same are asked once."""
    ids = set(ids)
    frames = [frame for frame in chain.frames.values() if not ids.isdisjoint(frame.ids)]
    unseen = sum(id not in chain.shown for id in ids)
    repeated = sum(chain.shown[id] > 1 for id in ids)
    alike: dict[object, list[Viewer]] = {}
    for viewer in viewers:
        alike.setdefault((viewer.faults, viewer.held), []).append(viewer)
    complete = sum(len(group) for group in alike.values() if group[0].holds(frames))
    return Verdict(0 if unseen or repeated else complete, unseen, repeated, sum(each.faults for each in viewers))


class Crowd:
    """Viewers of one stream that come back by themselves."""

    def __init__(self, address: Address, stream: str, size: int) -> None:
        self.chain = Chain()
        now = asyncio.get_running_loop().time
        self.viewers = [Viewer(self.chain, now) for _ in range(size)]
        self._opening = asyncio.Semaphore(OPENING)
        self._tasks = [asyncio.ensure_future(self._keep(address, stream, viewer)) for viewer in self.viewers]

    async def settle(self) -> None:
        """Wait until all have joined. Raises what keeps them out."""
        await settled(lambda: all(viewer.spans for viewer in self.viewers), self._tasks)

    def close(self) -> None:
        """All leave."""
        for task in self._tasks:
            task.cancel()

    async def _keep(self, address: Address, stream: str, viewer: Viewer) -> None:
        opening = _Turn(self._opening)
        try:
            await opening.take()
            await keep_watching(address, stream, viewer.take, opening.stand, history=0, read=self.chain.read)
        finally:
            opening.end()


class _Turn:
    """A place among those that open, given back once the connection stands."""

    def __init__(self, places: asyncio.Semaphore) -> None:
        self._places = places
        self._taken = False

    async def take(self) -> None:
        await self._places.acquire()
        self._taken = True

    def stand(self, state: State) -> None:
        if state.word != "joining":
            self.end()

    def end(self) -> None:
        if self._taken:
            self._taken = False
            self._places.release()
