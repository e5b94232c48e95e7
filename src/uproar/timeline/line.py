"""One stream's chain of frames and what they add up to, told the time."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from msgspec import Struct

from uproar.core.errors import Misconfigured
from uproar.core.position import Position
from uproar.timeline import Gone, Snapshot, Top
from uproar.timeline.counts import Counts
from uproar.timeline.likes import Likes
from uproar.timeline.losses import Losses, Ruling, UserLoss
from uproar.wire.codec import read_batch
from uproar.wire.frames import Batch, Frame, PosterRules, Shown
from uproar.wire.picture import Picture
from uproar.wire.redact import redact, redact_frame

FRAMES_S = 300.0
"""So long a frame is kept, unless one of the next two bounds is reached before."""
FRAMES = 12_000
"""Four times what the fastest plan makes in that time, for streams whose frames leave early because they are full."""
FRAMES_BYTES = 64 << 20
SHOWN_S = 600.0
"""So long the ids that were shown are known: as long as an idempotency key is."""
SHOWN = 300_000
"""Ids shown in that time at 500 a second, which is the most that is shown unsampled by default."""
FEW = 16
"""So many changes of what is gone are looked for in the frames one by one; of more, all frames are read."""


class State(Struct, array_like=True):
    """A line without its frames and likes, as it is written down."""

    top: Top
    comments: list[Shown]
    pinned: list[Shown]
    reactions: dict[str, int]
    left_out: int
    rules: PosterRules | None
    shown: dict[int, int]
    version: int
    ids: dict[int, Ruling]
    users: dict[str, UserLoss]
    counted: dict[str, int] = {}


class Line:
    """The chain within an epoch, and the fold of all its batches. Frames stay as they were announced."""

    def __init__(self, stream: str, epoch: str) -> None:
        self.stream = stream
        self.top = Top(epoch, 0, 0, 0)
        self.picture = Picture()
        self.frames: deque[Frame] = deque()
        self.likes = Likes()
        self.losses = Losses()
        self.counted = Counts()
        self._redacted: dict[int, Frame] = {}
        self._changed: list[str] = []
        self._shown: OrderedDict[int, int] = OrderedDict()
        self._bytes = 0

    # -- the chain

    def begin(self, epoch: str) -> None:
        """A new epoch: no frame of the old one resumes any more; what they add up to stays."""
        self.top = Top(epoch, 0, 0, self.top.upto)
        self._drop_frames()

    def fits(self, frame: Frame) -> bool:
        """Whether the frame is the next one, and shows no comment that was taken down while it was made."""
        return self.follows(frame) and not (self.gone.version and self._late(read_batch(frame.plain)))

    def follows(self, frame: Frame) -> bool:
        """Whether the frame is the next one."""
        top = self.top
        return frame.epoch == top.epoch and frame.number == top.number + 1 and frame.before == top.checksum

    def extend(self, frame: Frame) -> None:
        """Take the next frame in: it must follow."""
        batch = read_batch(frame.plain)
        removed, restored = map(int, batch.removed), (int(comment.id) for comment in batch.restored)
        self.losses.repeat(removed, frame.lost, restored, frame.at_ms)
        for user, upto in frame.erased.items():
            self.losses.erase(user, upto, frame.at_ms)
        self._note(*batch.removed, *frame.lost, *(comment.id for comment in batch.restored))
        clean = redact(batch, self.gone)
        self.picture.apply(clean)
        for comment in batch.comments:
            self._show(int(comment.id), frame.at_ms)
        self.counted.note(frame.counted)
        self.top = Top(frame.epoch, frame.number, frame.checksum, frame.upto)
        self._hold(frame)
        if clean is not batch or frame.asides:
            self._redact(frame)
        self.prune(frame.at_ms)

    def recall(self, frame: Frame) -> None:
        """Take in a frame read back: one that is in the fold is only kept; `Misconfigured` when one is missing."""
        kept = self.frames[-1].number if self.frames else None
        if kept is not None and frame.number != kept + 1:
            raise Misconfigured(
                f"of the stream {self.stream} the frame {kept + 1} is missing; put back a copy of the data"
            )
        if frame.number <= self.top.number:
            self._hold(frame)
            self._redact(frame)
        elif self.follows(frame):
            self.extend(frame)
        else:
            raise Misconfigured(f"the stream {self.stream} breaks at frame {frame.number}; put back a copy of the data")

    def prune(self, now_ms: int) -> int:
        """Let go of frames, ids shown and losses whose time is over, or that are too many; how many frames."""
        before = len(self.frames)
        while self.frames and self._over(self.frames[0], now_ms):
            oldest = self.frames.popleft()
            self._redacted.pop(oldest.number, None)
            self._bytes -= _size(oldest)
        while self._shown and (len(self._shown) > SHOWN or self._oldest_shown_ms() < now_ms - SHOWN_S * 1000):
            self._shown.popitem(last=False)
        self.losses.forget(now_ms)
        return before - len(self.frames)

    def since(self, number: int) -> Sequence[Frame] | None:
        """The frames above `number` without what is gone; None when they are not all kept, or none was made yet."""
        if number == self.top.number:
            return ()
        first = self.frames[0].number if self.frames else self.top.number + 1
        if not first <= number + 1 <= self.top.number:
            return None
        self._redact_all()
        above = islice(self.frames, number + 1 - first, None)
        return [self._redacted.get(frame.number, frame) for frame in above]

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

    def shown(self, ids: Iterable[int]) -> frozenset[int]:
        """Which of these a frame of the last ten minutes has shown."""
        return frozenset(comment_id for comment_id in ids if comment_id in self._shown)

    # -- what is gone

    @property
    def gone(self) -> Gone:
        """What must not be shown."""
        return self.losses.gone

    def take_down(self, ids: Sequence[int], users: Mapping[str, int], now_ms: int) -> None:
        """A removal is being answered: these leave the fold and all answers to come."""
        self.losses.take_down(ids, users, now_ms)
        self._note(*map(str, ids), *users)
        self.picture.forget(map(str, ids))
        for user, upto in users.items():
            self.picture.forget_users([user], upto)

    def put_back(self, comment_id: int, now_ms: int) -> None:
        """A restoring is being answered. The comment comes into the fold with the frame that tells it."""
        self.losses.put_back(comment_id, now_ms)
        self._note(str(comment_id))

    def cut(self, user: str, upto: int, now_ms: int) -> None:
        """An erasure: all kept frames go, of the fold what the user wrote and liked, previews too."""
        self._drop_frames()
        self.losses.erase(user, upto, now_ms)
        self.take_down((), {user: upto}, now_ms)
        self.likes.forget_user(user)

    # -- over a restart

    def state(self) -> State:
        """All but frames and likes, for `restored`: in plain dicts, since encoders see those alone in their order."""
        picture, losses = self.picture, self.losses
        return State(
            top=self.top,
            comments=picture.newest(picture.keep),
            pinned=list(picture.pinned.values()),
            reactions=picture.reactions,
            left_out=picture.left_out,
            rules=picture.rules,
            shown=dict(self._shown),
            version=losses.version,
            ids=dict(losses.ids),
            users=dict(losses.users),
            counted=dict(self.counted),
        )

    # -- inside

    def _oldest_shown_ms(self) -> int:
        return next(iter(self._shown.values()))

    def _show(self, comment_id: int, at_ms: int) -> None:
        self._shown[comment_id] = at_ms
        self._shown.move_to_end(comment_id)

    def _hold(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._bytes += _size(frame)

    def _late(self, batch: Batch) -> bool:
        gone, restored = self.gone, {comment.id for comment in batch.restored}
        for comment in (*batch.comments, *batch.pinned):
            if comment.id not in restored and gone.covers(int(comment.id), comment.user.id):
                return True
            parent = comment.reply_to
            if parent and parent.text and parent.id not in restored and gone.covers(int(parent.id), parent.user):
                return True
        return False

    def _over(self, frame: Frame, now_ms: int) -> bool:
        old = frame.at_ms < now_ms - FRAMES_S * 1000
        return old or len(self.frames) > FRAMES or self._bytes > FRAMES_BYTES

    def _drop_frames(self) -> None:
        self.frames.clear()
        self._redacted.clear()
        self._bytes = 0

    def _note(self, *names: str) -> None:
        """The loss of these ids and users changed; so `since` looks for them when it is asked next."""
        if len(self._changed) <= FEW:
            self._changed += names

    def _redact_all(self) -> None:
        names = [f'"{name}"'.encode() for name in self._changed]
        self._changed.clear()
        for frame in self.frames if names else ():
            if len(names) > FEW or any(_names(frame, name) for name in names):
                self._redact(frame)

    def _redact(self, frame: Frame) -> None:
        """Make anew what `since` answers for this frame."""
        clean = redact_frame(frame, self.gone)
        if clean is frame:
            self._redacted.pop(frame.number, None)
        else:
            self._redacted[frame.number] = clean


def restored(stream: str, state: State) -> Line:
    """The line that was written down, without frames."""
    line = Line(stream, state.top.epoch)
    line.top = state.top
    picture = line.picture
    picture.comments = {comment.id: comment for comment in state.comments}
    picture.pinned = {comment.id: comment for comment in state.pinned}
    picture.reactions, picture.left_out, picture.rules = state.reactions, state.left_out, state.rules
    line.losses = Losses(state.version, state.ids, state.users)
    line.counted = Counts(state.counted)
    line._shown = OrderedDict(state.shown)
    return line


def _size(frame: Frame) -> int:
    return len(frame.plain) + len(frame.alone) + sum(len(aside.message) for aside in frame.asides)


def _names(frame: Frame, name: bytes) -> bool:
    return name in frame.plain or any(name in aside.message for aside in frame.asides)
