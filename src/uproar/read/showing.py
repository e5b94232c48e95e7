"""What of the store's comments may be shown, and how fast they come."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from uproar.store import Kept
from uproar.timeline import Gone
from uproar.wire.frames import Shown, shown
from uproar.wire.picture import without_text

RATE_SPAN_MS = 10_000
RATE_COMMENTS = 1_000


def standing(kept: Iterable[Kept], gone: Mapping[str, Gone]) -> Iterator[Shown]:
    """Those neither removed nor gone in their stream, as REST shows them; previews of what is gone have no text."""
    for comment, likes, removed_by in kept:
        away = gone[comment.stream]
        if removed_by or away.covers(comment.id, comment.user.id):
            continue
        one = shown(comment, likes, stream=True)
        parent = comment.reply_to
        yield without_text(one) if parent and away.covers(parent.id, parent.user) else one


def rate(times_ms: Sequence[int], now_ms: int) -> float:
    """Comments a second, from the ascending times of at most the newest `RATE_COMMENTS`: the mean of ten seconds.

    Where that many came in less, the mean of the time that they took.
    """
    recent = [at for at in times_ms if at > now_ms - RATE_SPAN_MS]
    took_ms = now_ms - recent[0] if len(recent) >= RATE_COMMENTS else RATE_SPAN_MS
    return round(len(recent) * 1000 / max(1, took_ms), 1)
