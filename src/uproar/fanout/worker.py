"""The fan-out role: it owns its streams' chains, and makes each window one frame."""

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from uproar.core import events as ev
from uproar.core.clock import Clock
from uproar.core.stream import Stream
from uproar.fanout.gather import ASIDES, Net, Run, gather, runs
from uproar.fanout.plan import Pace, Plan
from uproar.fanout.sampling import choose
from uproar.log import Record
from uproar.observe.counters import Metrics
from uproar.presence import Presence
from uproar.timeline import Liking, Timeline, Top
from uproar.timeline.counts import Counts
from uproar.wire.codec import encode
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Aside, Batch, Frame

STREAMS = 20_000  # whose pace is remembered; the one that was quiet for longest is forgotten
RETRIES = 1_000  # of a stream, taken in place of their first attempts, which may still come; then the oldest goes
TAKEOVER_S = 600.0  # for so long every post counts as a retry: a key lives no longer, and nor do retries taken before
VIEWERS_AGE_S = 1.0
NOBODY = ""  # no user has this id
SILENT = (ev.Reported, ev.Unbanned)


class _Line:
    """What the worker remembers of one stream between windows."""

    def __init__(self, plan: Plan) -> None:
        self.pace = Pace(plan)
        self.top: Top | None = None
        self.counted = Counts()
        self.owned_since = 0.0
        self.retried: dict[int, None] = {}
        self.sized_at = float("-inf")

    def extended(self, frame: Frame, events: Sequence[ev.Event]) -> None:
        """The events are in the chain, in this frame."""
        self.top = Top(frame.epoch, frame.number, frame.checksum, frame.upto)
        self.counted.note(frame.counted)
        self.retried.update(
            (event.comment.id, None) for event in events if isinstance(event, ev.Posted) and event.again
        )
        while len(self.retried) > RETRIES:
            del self.retried[next(iter(self.retried))]


class Fanout:
    """Three answers for the one loop: a stream's events belong together, for a window, and become frames."""

    group = "fanout"

    def __init__(
        self,
        timeline: Timeline,
        presence: Presence,
        stream_of: Callable[[str], Awaitable[Stream | None]],
        plan: Plan,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self._timeline = timeline
        self._presence = presence
        self._stream_of = stream_of
        self._plan = plan
        self._clock = clock
        self._metrics = metrics
        self._lines: OrderedDict[str, _Line] = OrderedDict()

    def key(self, event: ev.Event) -> str | None:
        """The stream; None for what concerns no viewer."""
        return None if isinstance(event, SILENT) else event.stream

    def span_s(self, key: str) -> float:
        """The stream's window."""
        return self._line(key).pace.row.window_s

    def limit(self, key: str) -> int:
        """How many events make the window leave early."""
        return self._line(key).pace.limit(self._clock.now())

    async def apply(self, key: str, records: Sequence[Record]) -> None:
        """Make frames of the records and put them on the stream's chain, each once."""
        started = self._clock.now()
        line = self._line(key)
        await self._size(key, line, records)
        while not await self._extend(key, line, records):
            line.top = None  # another owner was faster, or something in the frame was taken down: look anew
        self._metrics.fanout_frame_seconds.observe(self._clock.now() - started)

    async def _size(self, stream: str, line: _Line, records: Sequence[Record]) -> None:
        now = self._clock.now()
        if now - line.sized_at >= VIEWERS_AGE_S:
            line.sized_at = now
            line.pace.viewers = await self._presence.viewers(stream)
            known = await self._stream_of(stream)
            line.pace.show_all = known is not None and known.rules.show == "all"
        line.pace.note(sum(isinstance(record.event, ev.Posted) for record in records), now)

    async def _extend(self, stream: str, line: _Line, records: Sequence[Record]) -> bool:
        top = line.top or await self._take_over(stream, line)
        fresh = [(record.offset, record.event) for record in records if record.offset > top.upto]
        chosen = self._choose(line, [event for _, event in fresh])
        for run in runs(fresh, chosen, line.pace.row.frame_comments):
            gone = await self._timeline.gone(stream)  # anew: the run before may have removed something
            net = gather(run.events, gone, chosen, await self._known(stream, line, run), line.counted)
            asides = tuple(net.asides())
            frame = await self._frame(stream, line.top or top, run.upto, net, asides[:ASIDES])
            if frame is None:
                continue
            if not await self._timeline.extend(frame):
                return False
            line.extended(frame, run.events)
            self._metrics.left_out.inc(net.left_out)
            self._metrics.asides_dropped.inc(max(0, len(asides) - ASIDES))
        return True

    async def _take_over(self, stream: str, line: _Line) -> Top:
        """Begin where the chain ends, with what it remembers of the owner before."""
        line.owned_since = self._clock.now()
        top = line.top = await self._timeline.top(stream)
        line.counted = Counts(await self._timeline.counted(stream))  # after the top: newer than it does no harm
        return top

    async def _known(self, stream: str, line: _Line, run: Run) -> frozenset[int]:
        posts = [event for event in run.events if isinstance(event, ev.Posted)]
        taken_over = self._clock.now() < line.owned_since + TAKEOVER_S
        again = [event.comment.id for event in posts if taken_over or event.again]
        shown = await self._timeline.shown(stream, again) if again else frozenset()
        return shown.union(line.retried)

    def _choose(self, line: _Line, events: Sequence[ev.Event]) -> frozenset[int]:
        comments = [event.comment for event in events if isinstance(event, ev.Posted)]
        likes = Counter(event.comment_id for event in events if isinstance(event, ev.Liked) and event.on)
        pinned = {event.comment.id for event in events if isinstance(event, ev.Pinned)}
        return choose(comments, line.pace.best(len(comments), self._clock.now()), likes, pinned)

    async def _frame(self, stream: str, top: Top, upto: int, net: Net, asides: tuple[Aside, ...]) -> Frame | None:
        liked = await self._liked(stream, net)
        number = top.number + 1
        batch = net.batch(f"{top.epoch}.{number}", liked)
        if batch == Batch(batch.position) and not asides:
            return None  # a window with nothing in it sends nothing
        plain = encode(batch)
        return Frame(
            stream=stream,
            epoch=top.epoch,
            number=number,
            before=top.checksum,
            upto=upto,
            at_ms=self._clock.now_ms(),
            plain=plain,
            alone=deflate_alone(plain),
            comments=len(batch.comments),
            posted_ms=min((comment.at for comment in batch.comments), default=0),
            asides=asides,
            counted=net.counted,
            lost=net.lost,
            erased=net.erased,
            changes_gone=bool(batch.removed_users or batch.removed or batch.restored),
            rules=batch.rules,
        )

    async def _liked(self, stream: str, net: Net) -> dict[int, int]:
        """The totals of what was liked, and of what comes back with likes: nobody takes a like of it back."""
        asked = [Liking(comment_id, NOBODY, False) for comment_id in sorted(net.back())]
        likings = [*net.likings, *asked]
        totals = await self._timeline.like(stream, likings) if likings else {}
        named = {liking.comment_id for liking in net.likings}
        return {comment_id: likes for comment_id, likes in totals.items() if likes or comment_id in named}

    def _line(self, stream: str) -> _Line:
        line = self._lines.get(stream)
        if line is None:
            line = self._lines[stream] = _Line(self._plan)
            if len(self._lines) > STREAMS:
                self._lines.popitem(last=False)
        self._lines.move_to_end(stream)
        return line
