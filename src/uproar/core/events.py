"""All that the log ever holds: events, each of one stream; ids are those of comments."""

from msgspec import Struct

from uproar.core.comment import Comment
from uproar.core.stream import Stream


class Event(Struct, frozen=True, array_like=True, tag=True):
    """Something happened in a stream."""

    stream: str


class Posted(Event, frozen=True):
    """A comment was accepted; `again` marks a retry whose first attempt may have been kept."""

    comment: Comment
    key: str = ""
    again: bool = False


class Removed(Event, frozen=True):
    """A comment was taken down `by` a user id."""

    comment_id: int
    by: str
    why: str = ""


class Restored(Event, frozen=True):
    """A removal was undone; the comment comes whole, since screens no longer have it."""

    comment: Comment
    by: str


class Pinned(Event, frozen=True):
    """A comment stands at the top, until `until_ms` (None: until unpinned)."""

    comment: Comment
    by: str
    until_ms: int | None = None


class Unpinned(Event, frozen=True):
    """A pin was taken down."""

    comment_id: int
    by: str


class Reacted(Event, frozen=True):
    """What one gateway counted up to `at_ms`, in half a second: its run, its running number, counts by kind."""

    gateway: str
    number: int
    counts: dict[str, int]
    at_ms: int


class Liked(Event, frozen=True):
    """A user likes a comment, or no longer does."""

    user: str
    comment_id: int
    on: bool = True


class Reported(Event, frozen=True):
    """A user asks moderators to look at a comment."""

    user: str
    comment_id: int
    why: str
    at_ms: int


class Banned(Event, frozen=True):
    """A user may not post here until `until_ms` (None: ever); `remove` takes down all up to the id `upto`."""

    user: str
    upto: int
    by: str
    until_ms: int | None = None
    why: str = ""
    remove: bool = False


class Unbanned(Event, frozen=True):
    """A ban was lifted."""

    user: str
    by: str


class Changed(Event, frozen=True):
    """The stream was made or changed; it comes whole."""

    now: Stream


class Erased(Event, frozen=True):
    """A user's comments up to the id `upto` are forgotten here."""

    user: str
    upto: int


AnyEvent = (
    Posted | Removed | Restored | Pinned | Unpinned | Reacted | Liked | Reported | Banned | Unbanned | Changed | Erased
)
