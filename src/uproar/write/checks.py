"""The checks of a post that need no asking, in their order, and the question to the ledger that is left."""

from collections.abc import Callable
from typing import NamedTuple

from xxhash import xxh64_intdigest

from uproar.auth import Identity
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Stream
from uproar.core.text import emoji_only, text_fault
from uproar.ledger import Ask, Limit
from uproar.moderation.links import has_link
from uproar.moderation.words import words_for

NEW_REPUTATION = 0.7
EVERYWHERE = Limit(30, 60_000)
_HERE_MS = 30_000


class Draft(NamedTuple):
    """A normalized `text` that somebody asks to say in a stream."""

    who: Identity
    stream: Stream
    text: str


Check = Callable[[Draft], Refusal | None]


def going_on(draft: Draft) -> Refusal | None:
    """The stream has not ended."""
    return Refusal.STREAM_ENDED if draft.stream.ended else None


def readable(draft: Draft) -> Refusal | None:
    """Neither empty nor too long nor unprintable."""
    return text_fault(draft.text, draft.stream.rules.max_chars)


def kind(draft: Draft) -> Refusal | None:
    """No word that the stream bans."""
    rules = draft.stream.rules
    words = words_for(rules.language_packs, rules.words, rules.allow_words)
    return Refusal.LANGUAGE if words.find(draft.text) else None


def unlinked(draft: Draft) -> Refusal | None:
    """No link where links are not welcome."""
    return Refusal.LINK if draft.stream.rules.links == "refuse" and has_link(draft.text) else None


def all_emoji(draft: Draft) -> Refusal | None:
    """Nothing but emoji where only emoji are welcome."""
    return Refusal.EMOJI_ONLY if draft.stream.rules.emoji_only and not emoji_only(draft.text) else None


CHECKS: tuple[Check, ...] = (going_on, readable, kind, unlinked, all_emoji)


def judge(draft: Draft) -> Refusal | None:
    """WARM: once per post. The first refusal, or None."""
    return next(filter(None, (check(draft) for check in CHECKS)), None)


def speaker(who: Identity | None, now_ms: int) -> Identity | Refused:
    """Who speaks at `now_ms` since 1970; refused where there is no token, or it has ended."""
    if who is None:
        return Refused(Refusal.NOT_SIGNED_IN)
    return Refused(Refusal.BAD_TOKEN) if who.expired(now_ms / 1000) else who


def digest(text: str) -> int:
    """Tells a normalized text from others; the log keeps the same beside its keys. Takes unprintable texts too."""
    return xxh64_intdigest(text.encode(errors="surrogatepass"))


def limit_here(reputation: float) -> Limit:
    """How much one user may post in one stream, by a reputation from 0 to 1."""
    if reputation > 0.9:
        return Limit(10, _HERE_MS)
    return Limit(5 if reputation > 0.5 else 2, _HERE_MS)


def question(draft: Draft, comment_id: int, key: str, reputation: float, now_ms: int) -> Ask:
    """What is left to ask the ledger about a draft that passed, at `now_ms` since 1970."""
    who, stream = draft.who, draft.stream
    return Ask(
        stream=stream.id,
        user=who.id,
        id=comment_id,
        digest=digest(draft.text),
        key=key,
        here=limit_here(reputation),
        everywhere=EVERYWHERE,
        slow_ms=stream.rules.slow_ms,
        account_age_s=None if who.since is None else now_ms // 1000 - who.since,
        min_account_age_s=stream.rules.min_account_age_s,
        duplicates=stream.rules.duplicates,
        unlimited=who.is_importer,
    )
