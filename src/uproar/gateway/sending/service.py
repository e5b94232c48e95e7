"""Frames on their way to a room's viewers, in slices; who waits or lags is given what it missed in between."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from uproar.core.clock import Clock
from uproar.core.position import Position
from uproar.gateway.outbox import Lag
from uproar.gateway.personal import Personal
from uproar.gateway.ring import Kept
from uproar.gateway.room import Room
from uproar.gateway.slots import Slots
from uproar.gateway.viewer import ALONE, CHAINED, FORMS, NO_SLOT, Viewer
from uproar.native import Sender
from uproar.observe.counters import Metrics
from uproar.wire.closes import Close
from uproar.wire.codec import encode, read_batch
from uproar.wire.net import net_result
from uproar.wire.websocket import text_frame

SLICE_S = 0.005  # a broadcast gives way to acks and reads this often
TURNS = 4  # of the loop between two slices: what takes several steps, as a post does, gets on by so many
CHUNK = 128  # viewers between two looks at the clock
NATIVE_CHUNK = 512


Write = Callable[[Slots, int, bytes], int]
"""Sends to the viewers from a slot on, as many as are fit for one go; how many slots that were."""


def through_transports(slots: Slots, at: int, data: bytes) -> int:
    """By each viewer's transport."""
    transports = slots.transports[at : at + CHUNK]
    Room.deliver(transports, data)
    return len(transports)


def natively(sender: Sender) -> Write:
    """By the native sender; what a socket did not take goes through its transport, which pauses or ends the viewer."""

    def write(slots: Slots, at: int, data: bytes) -> int:
        count = min(NATIVE_CHUNK, len(slots) - at)
        for place, sent in sender.send(slots.sockets, at, count, data):
            slots.transports[place].write(data[sent:])
        return count

    return write


class _Missed(NamedTuple):
    """The bytes that make up for frames, how many of these they skip, and the form in which the next ones come."""

    data: bytes
    skipped: int
    form: int


class _Bytes:
    """Frames as every viewer of a form gets them, in one write; made when the first one does."""

    def __init__(self, kept: Sequence[Kept]) -> None:
        self.kept = kept
        self._made: dict[int, bytes] = {}

    def of(self, form: int) -> bytes:
        """The bytes."""
        if form not in self._made:
            self._made[form] = b"".join(one.form(form) for one in self.kept)
        return self._made[form]


def _until_start(kept: Sequence[Kept]) -> Sequence[Kept]:
    """The frames before the next one with which the chain starts anew."""
    starts = (at for at, one in enumerate(kept) if at and one.starts)
    return kept[: next(starts, len(kept))]


class Sending:
    """Writes frames to rooms. `again` tells a viewer `joined` at its position, when the ring does not reach so far."""

    def __init__(
        self,
        clock: Clock,
        metrics: Metrics,
        lag: Lag,
        personal: Personal,
        again: Callable[[Viewer, Room, Position | None], None],
        write: Write,
    ) -> None:
        self._clock = clock
        self._metrics = metrics
        self._lag = lag
        self._personal = personal
        self._again = again
        self._write = write
        self._writing = False

    # -- frames to who is ready

    def send(self, room: Room) -> None:
        """Begin to send what waits in the ring, in one write a viewer, unless that is under way."""
        kept = _until_start(room.after(room.sent) or ()) if room.cursor is None else ()
        if not kept:
            return
        if kept[0].starts:
            room.promote()
        room.target = kept[-1].frame.number
        room.cursor = (0, 0)
        forms = room.broadcast = _Bytes(kept)
        self._slice(room, forms)

    def _slice(self, room: Room, forms: "_Bytes") -> None:
        """Send for `SLICE_S`, and go on after others had their turn, unless the chain began anew meanwhile."""
        until = self._clock.now() + SLICE_S
        while room.cursor is not None and room.broadcast is forms:
            form, at = room.cursor
            if room.forms[form].ready and at < len(room.forms[form]):
                self._writing = True
                written = self._write(room.forms[form], at, forms.of(form))
                self._writing = False
                room.cursor = (form, at + written)
            elif form < CHAINED:
                room.cursor = (form + 1, 0)
            else:
                self._sent(room, forms.kept)
                return
            if self._clock.now() >= until:
                self._give_way(room, forms, TURNS)
                return

    def _give_way(self, room: Room, forms: "_Bytes", turns: int) -> None:
        """Go on after so many turns of the loop."""
        then = partial(self._give_way, room, forms, turns - 1) if turns > 1 else partial(self._slice, room, forms)
        asyncio.get_running_loop().call_soon(then)

    def _sent(self, room: Room, kept: Sequence[Kept]) -> None:
        """Every ready viewer has it: asides, whoever waited, and the next frames."""
        room.sent, room.cursor, room.broadcast = room.target, None, None
        now_ms = self._clock.now_ms()
        for one in kept:
            if one.frame.posted_ms:
                self._metrics.post_to_display_seconds.observe(max(0, now_ms - one.frame.posted_ms) / 1000)
            self._personal.give_ready(room, one.frame)
        for slots, name in zip(room.forms, FORMS, strict=True):
            self._metrics.deliveries.labels(name).inc(slots.ready * len(kept))
            slots.close_ranks()
        self.admit(room)
        self.send(room)

    def withdraw(self, viewer: Viewer) -> None:
        """Off its ready list at once, before its descriptor can be used again."""
        if viewer.room is not None and viewer.slot != NO_SLOT:
            viewer.room.empty(viewer, self._writing)

    def whisper(self, viewers: Sequence[Viewer], data: bytes) -> None:
        """A message outside the chain to those who are ready, in slices too."""
        for viewer in viewers[:CHUNK]:
            if viewer.slot != NO_SLOT:
                viewer.transport.write(data)
        if len(viewers) > CHUNK:
            asyncio.get_running_loop().call_soon(self.whisper, viewers[CHUNK:], data)

    # -- what was missed, to who waits

    def admit(self, room: Room) -> None:
        """Whoever waits becomes ready, between two frames."""
        if room.cursor is not None or not room.waiting:
            return
        waiting, room.waiting = room.waiting, []
        made: dict[tuple[int, int], _Missed] = {}
        for viewer in waiting:
            if viewer.room is not room or viewer.lagging or viewer.slot != NO_SLOT or viewer in room.catching_up:
                continue
            if viewer.held > room.sent or (viewer.held < room.sent and room.losses_known < room.losses_told):
                room.waiting.append(viewer)
            elif viewer.held == room.sent:
                room.place(viewer)
            else:
                self._make_up(room, viewer, made)

    def _make_up(self, room: Room, viewer: Viewer, made: dict[tuple[int, int], _Missed]) -> None:
        """Give a viewer what it missed in one write; the bytes are joined once for all who hold the same."""
        kept = room.after(viewer.held, room.sent)
        key = (viewer.held, viewer.form)
        if kept is None:
            self._again(viewer, room, Position(room.epoch, viewer.held) if viewer.held >= 0 else None)
            return
        if key not in made:
            made[key] = self._missed(room, kept, viewer.form)
        self._metrics.skipped.inc(made[key].skipped)
        viewer.held, viewer.form = room.sent, made[key].form
        viewer.transport.write(made[key].data)
        if not viewer.lagging and viewer.room is room:
            self._personal.give_missed(room, viewer, kept)
            room.place(viewer)

    def _missed(self, room: Room, kept: Sequence[Kept], form: int) -> _Missed:
        """The frames one after the other, or what comes of them when that is too much; both may end a chain."""
        shown = [one.without(room.gone) for one in kept]
        outside = min(form, ALONE)
        if any(one.chained is None for one in shown):
            form = outside
        missed = b"".join(one.form(form) for one in shown)
        if self._lag.catches_up(len(missed)):
            return _Missed(missed, 0, form)
        net = net_result([read_batch(one.frame.plain) for one in shown])
        return _Missed(text_frame(encode(net)), len(shown), outside)

    # -- slow viewers

    def paused(self, viewer: Viewer) -> None:
        """Its socket is full: it lags, and is not written to."""
        viewer.lagging = True
        self.withdraw(viewer)
        if viewer.room is not None:
            viewer.room.lagging.setdefault(viewer, self._clock.now())

    def resumed(self, viewer: Viewer) -> None:
        """Its socket drained: it is served again at the next frame's end."""
        viewer.lagging = False
        if viewer.session is not None:
            viewer.session.unread_bytes = 0
        room = viewer.room
        if room is not None and room.lagging.pop(viewer, None) is not None and viewer.slot == NO_SLOT:
            room.waiting.append(viewer)
            self.admit(room)

    def close_slow(self, room: Room) -> None:
        """Whoever lags for too long is closed."""
        now = self._clock.now()
        for viewer, since in tuple(room.lagging.items()):
            if self._lag.over(since, now):
                self._personal.close(viewer, Close.TOO_SLOW)
