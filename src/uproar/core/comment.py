"""People and what they say."""

from msgspec import Struct

from uproar.core.ids import at_ms

CREATOR = "creator"
MODERATOR = "moderator"
ADMIN = "admin"


class User(Struct, frozen=True, omit_defaults=True):
    """Who speaks, as everyone sees it; `roles` are those held in the stream of the comment."""

    id: str
    name: str
    roles: tuple[str, ...] = ()
    verified: bool = False


class Parent(Struct, frozen=True):
    """What a reply answers: the parent's id, its author's id, and the first 80 characters of its text."""

    id: int
    user: str
    text: str


class Comment(Struct, frozen=True):
    """One comment, as it was accepted; it never changes."""

    id: int
    stream: str
    user: User
    text: str
    reply_to: Parent | None = None

    @property
    def at(self) -> int:
        """When it was accepted, in milliseconds since 1970: its id knows."""
        return at_ms(self.id)

    @property
    def highlight(self) -> str:
        """`creator`, `moderator` or empty: why it stands out."""
        return next((role for role in (CREATOR, MODERATOR) if role in self.user.roles), "")


class Draft(Struct, frozen=True):
    """What somebody asks to say: `text` as it came, `reply_to` an id, `key` the idempotency key (empty: none)."""

    stream: str
    user: User
    text: str
    reply_to: int | None = None
    key: str = ""
    since_s: int | None = None
    unlimited: bool = False
