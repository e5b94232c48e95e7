"""What a chat weighs on the wire: bytes a comment in each form of frames, by window and by how often a chain starts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import Final, NamedTuple

from uproar.bench.bars import Bar, Side, Verdict, verdict
from uproar.core import events as ev
from uproar.core.comment import Comment, User
from uproar.core.ids import IdMaker
from uproar.fanout.gather import gather
from uproar.timeline import Gone
from uproar.wire.codec import encode
from uproar.wire.deflate import Deflater
from uproar.wire.websocket import frame_header

STARTED_MS = 1_700_000_000_000
EPOCH = "1f0c9e2ab764"
FRAME_COMMENTS = 50  # a full frame leaves early, as in the first row of the plan

BARS: Final = (
    Bar("alone / chained", Side("alone"), "at least", 1.9, Side("chained")),
    Bar("plain / chained", Side("plain"), "at least", 3, Side("chained")),
)
BARS_WINDOW_MS, BARS_START = 100, 200
"""The bars hold for these windows and this many frames from start to start."""

Remark = tuple[int, str, str]
"""One comment of a chat: ms after its start, user, text."""


class Weight(NamedTuple):
    """Bytes a comment, a frame's header included; `chained` by how many frames there are from start to start."""

    window_ms: int
    comments: int
    frames: int
    plain: float
    alone: float
    chained: dict[int, float]

    @property
    def comments_a_frame(self) -> float:
        """The mean."""
        return self.comments / self.frames


def weigh(chat: Iterable[Remark], window_ms: int, starts: Sequence[int], level: int) -> Weight:
    """One chat in windows of `window_ms`, all of it shown, deflated at `level`; `chat` in order of time, not empty."""
    batches = list(_batches(chat, window_ms))
    comments = sum(batch.comments for batch in batches)
    payloads = [batch.json for batch in batches]
    return Weight(
        window_ms,
        comments,
        len(payloads),
        sum(map(_framed, map(len, payloads))) / comments,
        _deflated(payloads, 1, level) / comments,
        {every: _deflated(payloads, every, level) / comments for every in starts},
    )


def verdicts_of(weights: Iterable[Weight]) -> Iterator[Verdict]:
    """How many times smaller the chain makes a comment, in the windows and with the starts that its bars speak of."""
    for weight in weights:
        chained = weight.chained.get(BARS_START)
        if weight.window_ms == BARS_WINDOW_MS and chained:
            for bar, bytes_a_comment in zip(BARS, (weight.alone, weight.plain), strict=True):
                yield verdict(bar, f"{BARS_WINDOW_MS} ms, {BARS_START} frames", [bytes_a_comment / chained])


class _Batch(NamedTuple):
    comments: int
    json: bytes


def _batches(chat: Iterable[Remark], window_ms: int) -> Iterator[_Batch]:
    numbers = count(1)
    for window in _windows(_comments(chat), window_ms):
        events = iter(window)
        while some := list(islice(events, FRAME_COMMENTS)):
            net = gather([ev.Posted("chat", one) for one in some], Gone(), frozenset(one.id for one in some))
            yield _Batch(len(some), encode(net.batch(f"{EPOCH}.{next(numbers)}", {})))


def _comments(chat: Iterable[Remark]) -> Iterator[Comment]:
    ids = IdMaker(0)
    for t_ms, user, text in chat:
        yield Comment(ids.next(STARTED_MS + t_ms), "chat", User(user, user), text)


def _windows(comments: Iterable[Comment], window_ms: int) -> Iterator[list[Comment]]:
    """A window begins with the first comment after the one before it ended."""
    window: list[Comment] = []
    for comment in comments:
        if window and comment.at >= window[0].at + window_ms:
            yield window
            window = []
        window.append(comment)
    if window:
        yield window


def _deflated(payloads: Sequence[bytes], every: int, level: int) -> int:
    total = 0
    for at, payload in enumerate(payloads):
        if at % every == 0:
            deflater = Deflater(level)
        total += _framed(len(deflater.add(payload)))
    return total


def _framed(length: int) -> int:
    return len(frame_header(length)) + length
