"""One stream's chain of frames and what it adds up to, told the time."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from uproar.core.position import Position
from uproar.timeline import Gone, Liking, Snapshot, Top
from uproar.wire.codec import read_batch
from uproar.wire.frames import Frame, PosterRules, Shown
from uproar.wire.picture import Picture
from uproar.wire.redact import redact_frame

FRAMES_S = 300.0  # frames stand for five minutes
SHOWN_S = 600.0  # and the ids that they have shown for ten
FRAMES = 12_000
FRAMES_BYTES = 64 << 20
GONE_S = 720.0  # longer than any frame or ring that could hold the text
GONE = 50_000  # beyond it the oldest are forgotten; they left the screens long ago
LIKED = 2_000  # comments whose likers are held; the others are read from the store when liked again


class State(Struct):
    """A line's fold and what is gone, without its frames."""

    top: Top
    comments: list[Shown]
    pinned: list[Shown]
    reactions: dict[str, int]
    left_out: int
    rules: PosterRules | None
    shown: dict[int, int]
    lost_ids: dict[int, int]
    lost_users: dict[str, tuple[int, int]]
    spared: list[int]


class Line:
    """The chain within an epoch, and the fold of all its batches."""

    def __init__(self, stream: str, epoch: str) -> None:
        self.stream = stream
        self.picture = Picture()
        self.frames: deque[Frame] = deque()
        self.likes: OrderedDict[int, set[str]] = OrderedDict()
        self._shown: dict[int, int] = {}
        self._lost_ids: OrderedDict[int, int] = OrderedDict()
        self._lost_users: OrderedDict[str, tuple[int, int]] = OrderedDict()
        self._spared: OrderedDict[int, None] = OrderedDict()
        self._gone: Gone | None = None
        self._version = 0
        self._bytes = 0
        self.top = Top(epoch, 0, 0, 0)

    def begin(self, epoch: str) -> None:
        """A new epoch: no frame of the old one resumes any more."""
        self.top = Top(epoch, 0, 0, self.top.upto)
        self.frames.clear()
        self._bytes = 0

    def fits(self, frame: Frame) -> bool:
        """Whether the frame is the next one."""
        top = self.top
        return frame.epoch == top.epoch and frame.number == top.number + 1 and frame.before == top.checksum

    def extend(self, frame: Frame) -> None:
        """Take the next frame in: it must fit."""
        batch = read_batch(frame.plain)
        self.top = Top(frame.epoch, frame.number, frame.checksum, frame.upto)
        self.picture.apply(batch)
        self._shown.update((int(comment.id), frame.at_ms) for comment in batch.comments)
        self.take_down([int(gone) for gone in batch.removed], {}, frame.at_ms)
        for comment in batch.restored:
            self.put_back(int(comment.id))
        self.hold(frame)
        self.prune(frame.at_ms)

    def hold(self, frame: Frame) -> None:
        """Keep a frame whose batch is in the fold."""
        self.frames.append(frame)
        self._bytes += len(frame.plain) + len(frame.alone)

    def prune(self, now_ms: int) -> None:
        """Let go of frames, shown ids and gone entries whose time is over."""
        frames = self.frames
        while frames and (
            frames[0].at_ms < now_ms - FRAMES_S * 1000 or len(frames) > FRAMES or self._bytes > FRAMES_BYTES
        ):
            oldest = frames.popleft()
            self._bytes -= len(oldest.plain) + len(oldest.alone)
        while self._shown and next(iter(self._shown.values())) < now_ms - SHOWN_S * 1000:
            del self._shown[next(iter(self._shown))]
        self._forget_gone(now_ms)

    def since(self, number: int) -> Sequence[Frame] | None:
        """The frames above `number`, without what is gone; None when they are not all kept, or none was made yet."""
        if number == self.top.number:
            return ()
        if number > self.top.number or not self.frames or number + 1 < self.frames[0].number:
            return None
        above = list(self.frames)[number + 1 - self.frames[0].number :]
        gone = self.gone
        return [redact_frame(frame, gone) for frame in above] if gone.version else above

    def snapshot(self, limit: int) -> Snapshot:
        """What a newcomer is shown, as of the top."""
        picture = self.picture
        return Snapshot(
            position=Position(self.top.epoch, self.top.number),
            comments=picture.newest(limit),
            pinned=list(picture.pinned.values()),
            reactions=dict(picture.reactions),
            rules=picture.rules,
        )

    # -- what is gone

    @property
    def gone(self) -> Gone:
        """What must not be shown."""
        if self._gone is None:
            users = {user: upto for user, (upto, _) in self._lost_users.items()}
            version = self._version if self._lost_ids or users else 0
            self._gone = Gone(version, frozenset(self._lost_ids), users, frozenset(self._spared))
        return self._gone

    def take_down(self, ids: Iterable[int], users: Mapping[str, int], now_ms: int) -> None:
        """These are gone from now on, from the fold too."""
        ids = list(ids)
        for gone in ids:
            self._lost_ids[gone] = now_ms
            self._lost_ids.move_to_end(gone)
            self._spared.pop(gone, None)
        for user, upto in users.items():
            self._lost_users[user] = (max(upto, self._lost_users.get(user, (0, 0))[0]), now_ms)
            self.picture.forget_users([user], upto)
        if ids:
            self.picture.forget(map(str, ids))
        if ids or users:
            self._changed()

    def put_back(self, comment_id: int) -> None:
        """A removal was undone, also where the user's other comments stay gone."""
        self._lost_ids.pop(comment_id, None)
        if self._lost_users:
            self._spared[comment_id] = None
        if len(self._spared) > GONE:
            self._spared.popitem(last=False)
        self._changed()

    def cut(self, user: str, upto: int, now_ms: int) -> None:
        """Drop all kept frames; the user's comments and previews with them."""
        self.frames.clear()
        self._bytes = 0
        self.take_down((), {user: upto}, now_ms)
        for likers in self.likes.values():
            likers.discard(user)

    def _changed(self) -> None:
        self._version += 1
        self._gone = None

    def _forget_gone(self, now_ms: int) -> None:
        before = now_ms - int(GONE_S * 1000)
        while self._lost_ids and (next(iter(self._lost_ids.values())) < before or len(self._lost_ids) > GONE):
            self._lost_ids.popitem(last=False)
            self._changed()
        while self._lost_users and (next(iter(self._lost_users.values()))[1] < before or len(self._lost_users) > GONE):
            self._lost_users.popitem(last=False)
            self._changed()

    # -- likes, and what was shown

    def unknown_likes(self, likings: Sequence[Liking]) -> list[int]:
        """The comments whose likers must be loaded first."""
        return sorted({liking.comment_id for liking in likings} - self.likes.keys())

    def like(self, likings: Sequence[Liking], loaded: Mapping[int, Iterable[str]]) -> dict[int, int]:
        """Apply likes in order; the totals of the comments named."""
        for comment_id, users in loaded.items():
            self.likes.setdefault(comment_id, set(users))
        for liking in likings:
            likers = self.likes.setdefault(liking.comment_id, set())
            self.likes.move_to_end(liking.comment_id)
            (likers.add if liking.on else likers.discard)(liking.user)
        totals = {liking.comment_id: len(self.likes[liking.comment_id]) for liking in likings}
        while len(self.likes) > LIKED:
            self.likes.popitem(last=False)
        return totals

    def shown(self, ids: Sequence[int]) -> frozenset[int]:
        """Which of these a frame of the last ten minutes has shown."""
        return frozenset(comment_id for comment_id in ids if comment_id in self._shown)

    # -- over a restart

    def state(self) -> State:
        """All that the fold adds up to, for a later `restored`."""
        picture = self.picture
        return State(
            top=self.top,
            comments=picture.newest(picture.keep),
            pinned=list(picture.pinned.values()),
            reactions=picture.reactions,
            left_out=picture.left_out,
            rules=picture.rules,
            shown=self._shown,
            lost_ids=dict(self._lost_ids),
            lost_users=dict(self._lost_users),
            spared=list(self._spared),
        )


def restored(stream: str, state: State, frames: Iterable[Frame]) -> Line:
    """The line as it was: the state, and the frames kept, those above it folded in."""
    line = Line(stream, state.top.epoch)
    line.top = Top(*state.top)
    picture = line.picture
    picture.comments = {comment.id: comment for comment in state.comments}
    picture.pinned = {comment.id: comment for comment in state.pinned}
    picture.reactions = dict(state.reactions)
    picture.left_out = state.left_out
    picture.rules = state.rules
    line._shown = dict(state.shown)
    line._lost_ids = OrderedDict(state.lost_ids)
    line._lost_users = OrderedDict(state.lost_users)
    line._spared = OrderedDict.fromkeys(state.spared)
    line._changed()
    for frame in frames:
        if line.fits(frame):
            line.extend(frame)
        elif frame.epoch == state.top.epoch and frame.number <= state.top.number:
            line.hold(frame)
    return line
