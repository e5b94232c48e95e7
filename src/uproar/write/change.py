"""A change to a stream: what is absent stays."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict, replace

from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Kind, Pack, State, Stream, Term
from uproar.core.text import is_id, normalize, text_fault
from uproar.moderation.packs import available_packs

TITLE_CHARS = 200


class RulesChange(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Some of a stream's rules; bounds as in `Rules`."""

    slow_ms: Annotated[int, Meta(ge=0, le=3_600_000)] | UnsetType = UNSET
    max_chars: Annotated[int, Meta(ge=1, le=500)] | UnsetType = UNSET
    min_account_age_s: Annotated[int, Meta(ge=0, le=315_360_000)] | UnsetType = UNSET
    links: Literal["allow", "refuse"] | UnsetType = UNSET
    emoji_only: bool | UnsetType = UNSET
    words: Annotated[tuple[Term, ...], Meta(max_length=1000)] | UnsetType = UNSET
    allow_words: Annotated[tuple[Term, ...], Meta(max_length=1000)] | UnsetType = UNSET
    language_packs: Annotated[tuple[Pack, ...], Meta(max_length=40)] | UnsetType = UNSET
    duplicates: Literal["own", "all", "off"] | UnsetType = UNSET
    reactions: Annotated[tuple[Kind, ...], Meta(min_length=0, max_length=20)] | UnsetType = UNSET
    react_signed_in: bool | UnsetType = UNSET
    show: Literal["auto", "all"] | UnsetType = UNSET


class StreamChange(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Some of a stream's fields; `started_at` in milliseconds since 1970, `creator` a user id or empty."""

    title: Annotated[str, Meta(max_length=TITLE_CHARS)] | UnsetType = UNSET
    creator: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    started_at: Annotated[int, Meta(ge=0, le=253_402_300_799_999)] | UnsetType = UNSET
    state: State | UnsetType = UNSET
    rules: RulesChange | UnsetType = UNSET


def changed(stream: Stream, change: StreamChange) -> Stream | Refused:
    """The stream after the change, its title normalized; a refusal where a field says something impossible."""
    fields = _given(change)
    if isinstance(change.rules, RulesChange):
        fields["rules"] = replace(stream.rules, **_given(change.rules))
    now = replace(stream, **fields)
    now = replace(now, title=normalize(now.title))
    return _fault(now) or now


def _given(change: StreamChange | RulesChange) -> dict[str, Any]:
    return {name: value for name, value in asdict(change).items() if value is not UNSET}


def _fault(stream: Stream) -> Refused | None:
    if stream.title and (fault := text_fault(stream.title, TITLE_CHARS)):
        return Refused(fault)
    if stream.creator and not is_id(stream.creator):
        return Refused(Refusal.BAD_MESSAGE, detail="creator is no user id.")
    unknown = [pack for pack in stream.rules.language_packs if pack not in available_packs()]
    return Refused(Refusal.BAD_MESSAGE, detail=f"There is no language pack {unknown[0]}.") if unknown else None
