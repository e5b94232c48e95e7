"""What a chat weighs on the wire: bytes a comment in each form of frames, by window and by how often a chain starts."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import count, islice
from typing import NamedTuple

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


class Said(NamedTuple):
    """One comment of a chat, `t_ms` after its start."""

    t_ms: int
    user: str
    text: str


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


def weigh(chat: Iterable[Said], window_ms: int, starts: Sequence[int], level: int) -> Weight:
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


class _Batch(NamedTuple):
    comments: int
    json: bytes


def _batches(chat: Iterable[Said], window_ms: int) -> Iterator[_Batch]:
    numbers = count(1)
    for window in _windows(_comments(chat), window_ms):
        events = iter(window)
        while some := list(islice(events, FRAME_COMMENTS)):
            net = gather([ev.Posted("chat", one) for one in some], Gone(), frozenset(one.id for one in some))
            yield _Batch(len(some), encode(net.batch(f"{EPOCH}.{next(numbers)}", {})))


def _comments(chat: Iterable[Said]) -> Iterator[Comment]:
    ids = IdMaker(0)
    for said in chat:
        yield Comment(ids.next(STARTED_MS + said.t_ms), "chat", User(said.user, said.user), said.text)


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
