"""A stream and its rules."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

REACTIONS = ("❤", "👍", "😂", "😮", "😢", "🔥")

Term = Annotated[str, Meta(min_length=1, max_length=100)]
Pack = Annotated[str, Meta(min_length=2, max_length=20)]
Kind = Annotated[str, Meta(min_length=1, max_length=16)]
State = Literal["live", "ended"]


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds in one stream; the defaults are those of the protocol."""

    slow_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0
    max_chars: Annotated[int, Meta(ge=1, le=500)] = 500
    min_account_age_s: Annotated[int, Meta(ge=0, le=315_360_000)] = 86_400
    links: Literal["allow", "refuse"] = "allow"
    emoji_only: bool = False
    words: Annotated[tuple[Term, ...], Meta(max_length=1000)] = ()
    allow_words: Annotated[tuple[Term, ...], Meta(max_length=1000)] = ()
    language_packs: Annotated[tuple[Pack, ...], Meta(max_length=40)] = ()
    duplicates: Literal["own", "all", "off"] = "own"
    reactions: Annotated[tuple[Kind, ...], Meta(min_length=0, max_length=20)] = REACTIONS
    react_signed_in: bool = False
    show: Literal["auto", "all"] = "auto"


class Stream(Struct, frozen=True):
    """One stream; `creator` is a user id or empty, `started_at` milliseconds since 1970."""

    id: str
    title: str = ""
    creator: str = ""
    started_at: int = 0
    state: State = "live"
    rules: Rules = Rules()

    @property
    def ended(self) -> bool:
        """Nobody posts here any more."""
        return self.state == "ended"
