"""Comments and events for fan-out's tests, with ids that read as small numbers."""

from uproar.core import events as ev
from uproar.core.comment import Comment, Parent, User

AT_MS = 1_790_000_000_000
STREAM = "s"


def comment(number: int, user: str = "ann", text: str = "hello", reply_to: Comment | None = None, **of_user) -> Comment:
    """A comment by its number; a reply answers another."""
    parent = Parent(reply_to.id, reply_to.user.id, reply_to.text) if reply_to else None
    return Comment(number, STREAM, User(user, user.title(), **of_user), text, parent)


def posted(of: Comment, again: bool = False) -> ev.Posted:
    """It was accepted."""
    return ev.Posted(STREAM, of, "", again)


def removed(number: int) -> ev.Removed:
    """It was taken down."""
    return ev.Removed(STREAM, number, "mod")


def restored(of: Comment) -> ev.Restored:
    """That was undone."""
    return ev.Restored(STREAM, of, "mod")


def pinned(of: Comment) -> ev.Pinned:
    """It stands at the top."""
    return ev.Pinned(STREAM, of, "mod")


def unpinned(number: int) -> ev.Unpinned:
    """No longer."""
    return ev.Unpinned(STREAM, number, "mod")


def reacted(number: int, gateway: str = "g", **counts: int) -> ev.Reacted:
    """One gateway's half second."""
    return ev.Reacted(STREAM, gateway, number, counts, AT_MS)


def liked(user: str, number: int, on: bool = True) -> ev.Liked:
    """Somebody likes it, or no longer."""
    return ev.Liked(STREAM, user, number, on)


def banned(user: str, upto: int = 0, *, remove: bool = False, until_ms: int | None = None) -> ev.Banned:
    """Somebody may not post."""
    return ev.Banned(STREAM, user, upto, "mod", until_ms, "", remove)


def erased(user: str, upto: int) -> ev.Erased:
    """Somebody is forgotten."""
    return ev.Erased(STREAM, user, upto)
