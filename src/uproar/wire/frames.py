"""The messages of the protocol, and the frame that carries a batch to everyone."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from xxhash import xxh64_intdigest

from uproar.core.comment import Comment, User
from uproar.core.stream import Rules, Stream


class ShownParent(Struct, frozen=True, omit_defaults=True):
    """What a reply answers; `text` is absent once the parent is removed."""

    id: str
    user: str
    text: str = ""


class Shown(Struct, frozen=True, omit_defaults=True):
    """A comment as everyone sees it; `stream` stands in REST answers only."""

    id: str
    user: User
    text: str
    at: int
    stream: str = ""
    reply_to: ShownParent | None = None
    likes: int = 0
    highlight: str = ""


def shown(comment: Comment, likes: int = 0, *, pinned: bool = False, stream: bool = False) -> Shown:
    """The comment as the protocol writes it."""
    parent = comment.reply_to
    return Shown(
        id=str(comment.id),
        user=comment.user,
        text=comment.text,
        at=comment.at,
        stream=comment.stream if stream else "",
        reply_to=ShownParent(str(parent.id), parent.user, parent.text) if parent else None,
        likes=likes,
        highlight="pinned" if pinned else comment.highlight,
    )


class PosterRules(Struct, frozen=True):
    """What of a stream's rules concerns a poster."""

    max_chars: int
    slow_ms: int
    reactions: tuple[str, ...]
    state: str


def poster_rules(stream: Stream) -> PosterRules:
    """The rules that viewers are told."""
    rules: Rules = stream.rules
    return PosterRules(rules.max_chars, rules.slow_ms, rules.reactions, stream.state)


# ---- server to viewer -------------------------------------------------------------------------------------------


class Joined(Struct, frozen=True, tag="joined", tag_field="type"):
    """First, and again whenever the chain begins anew: what a viewer holds from now on."""

    stream: str
    position: str
    recovered: bool
    comments: list[Shown]
    pinned: list[Shown]
    viewers: int
    reactions: dict[str, int]
    rules: PosterRules


class Batch(Struct, frozen=True, omit_defaults=True, tag="batch", tag_field="type"):
    """The net result of one window; fields are applied in the order in which they stand here."""

    position: str
    removed_users: list[str] = []
    removed: list[str] = []
    restored: list[Shown] = []
    comments: list[Shown] = []
    pinned: list[Shown] = []
    unpinned: list[str] = []
    liked: dict[str, int] = {}
    reactions: dict[str, int] = {}
    left_out: int = 0
    rules: PosterRules | None = None


class Skipped(Struct, frozen=True, omit_defaults=True, tag="skipped", tag_field="type"):
    """A slow viewer now holds `position`; `frames` and `comments` count what it missed, the rest is the net."""

    position: str
    frames: int
    comments: int
    removed_users: list[str] = []
    removed: list[str] = []
    restored: list[Shown] = []
    pinned: list[Shown] = []
    unpinned: list[str] = []
    liked: dict[str, int] = {}
    reactions: dict[str, int] = {}
    left_out: int = 0
    rules: PosterRules | None = None


class Viewers(Struct, frozen=True, tag="viewers", tag_field="type"):
    """How many watch, at most every five seconds and when it changed."""

    viewers: int


class Welcome(Struct, frozen=True, tag="welcome", tag_field="type"):
    """The answer to a good token; `exp` in seconds since 1970."""

    user: User
    exp: int


class Ack(Struct, frozen=True, omit_defaults=True, tag="ack", tag_field="type"):
    """Kept. The comment is as everyone will see it; a report's ack has none."""

    ref: str
    comment: Shown | None = None


class RefusedMessage(Struct, frozen=True, tag="refused", tag_field="type"):
    """Not taken; `text` is what was sent, `again` tells whether a retry can help."""

    code: int
    reason: str
    message: str
    again: bool
    ref: str | UnsetType = UNSET
    retry_after_ms: int | UnsetType = UNSET
    text: str | UnsetType = UNSET


class ForYou(Struct, frozen=True, tag="for_you", tag_field="type"):
    """A reply to this user that the sampled batch leaves out."""

    comment: Shown


class Notice(Struct, frozen=True, tag="notice", tag_field="type"):
    """Something concerns this viewer."""

    code: int
    reason: str
    message: str


class Bye(Struct, frozen=True, omit_defaults=True, tag="bye", tag_field="type"):
    """Before a close that the server wants."""

    code: int
    reason: str
    retry_after_ms: int | None = None


FromServer = Joined | Batch | Skipped | Viewers | Welcome | Ack | RefusedMessage | ForYou | Notice | Bye


# ---- viewer to server -------------------------------------------------------------------------------------------

Ref = Annotated[str, Meta(min_length=1, max_length=64)]
CommentId = Annotated[str, Meta(min_length=1, max_length=19)]
Why = Annotated[str, Meta(max_length=500)]
Count = Annotated[int, Meta(ge=1, le=50)]


class Auth(Struct, frozen=True, forbid_unknown_fields=True, tag="auth", tag_field="op"):
    """Who I am; again at any time."""

    token: str


class Post(Struct, frozen=True, forbid_unknown_fields=True, tag="post", tag_field="op"):
    """Say something; `ref` is made by the client and is the idempotency key."""

    ref: Ref
    text: str
    reply_to: CommentId | None = None


class React(Struct, frozen=True, forbid_unknown_fields=True, tag="react", tag_field="op"):
    """Reactions by kind, at most 50 in all."""

    counts: dict[str, Count]


class Like(Struct, frozen=True, forbid_unknown_fields=True, tag="like", tag_field="op"):
    """Like a comment, or take it back."""

    comment: CommentId
    on: bool = True


class Report(Struct, frozen=True, forbid_unknown_fields=True, tag="report", tag_field="op"):
    """Ask moderators to look at a comment."""

    ref: Ref
    comment: CommentId
    why: Why = ""


FromViewer = Auth | Post | React | Like | Report


# ---- the frame --------------------------------------------------------------------------------------------------


class Aside(Struct, frozen=True, array_like=True):
    """A message for one user that goes with a frame: `message` is encoded JSON."""

    user: str
    message: bytes


class Frame(Struct, frozen=True, array_like=True):
    """One batch as bytes, made once: number `number` of its stream's chain within `epoch`.

    `plain` is the batch's JSON, `alone` the same deflated by itself (raw deflate, sync flush, its tail cut off, as
    RFC 7692 wants it). `upto` is the last log offset that it covers, `before` the checksum of its predecessor,
    `comments` how many it shows, `at_ms` when it was made, `posted_ms` when its oldest comment was accepted (0: none).
    `counted` is the last number of each gateway run whose reactions it adds, `lost` says up to which id each of its
    `removed_users` lost what they wrote, `erased` up to which for ever, `changes_gone` whether it removes or restores
    anything, `rules` which rules it tells.
    """

    stream: str
    epoch: str
    number: int
    before: int
    upto: int
    at_ms: int
    plain: bytes
    alone: bytes
    comments: int = 0
    posted_ms: int = 0
    asides: tuple[Aside, ...] = ()
    counted: dict[str, int] = {}
    lost: dict[str, int] = {}
    erased: dict[str, int] = {}
    changes_gone: bool = False
    rules: PosterRules | None = None

    @property
    def checksum(self) -> int:
        """XXH64 over the frame's JSON, seeded with its predecessor's checksum."""
        return xxh64_intdigest(self.plain, self.before)
