"""What must hold on a bad day, judged from what clients did, were answered and saw, and from what is there after it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.sim.record import NEVER, OK, UNKNOWN, Attempt, Record
from tests.sim.screen import Screen

BANNED, UNAVAILABLE, UNCONFIRMED = 110, 501, 503
SOON_S = 1.0

Own = Mapping[str, Sequence[int] | None]


@dataclass
class Truth:
    """One stream after recovery: a fresh snapshot as plain JSON values, and the store's comments by id."""

    stream: str
    position: str
    comments: dict[str, dict]
    pinned: dict[str, dict]
    reactions: dict[str, int]
    standing: dict[str, str]
    likes: dict[str, int]
    removed: set[str]


def judge(
    record: Record, screens: list[Screen], truths: dict[str, Truth], own: Own, limit: int, span_s: float
) -> list[str]:
    """All that was broken; `own` is what each user finds under their own name."""
    _posts(record, truths)
    _own(record, truths, own)
    _limits(record, limit, span_s)
    _bans(record)
    _calm(record)
    for truth in truths.values():
        _history(record, truth)
    for screen in screens:
        _same(record, screen, truths[screen.stream])
    return record.broken


def _posts(record: Record, truths: dict[str, Truth]) -> None:
    by_text: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in record.attempts:
        by_text[attempt.text].append(attempt)
    seen = {text: set(ids) for text, ids in record.ids_of_text.items()}
    for truth in truths.values():
        for comment_id, text in truth.standing.items():
            seen.setdefault(text, set()).add(comment_id)
    for text, attempts in by_text.items():
        acked = {str(attempt.id) for attempt in attempts if attempt.outcome == OK}
        ids = acked | seen.get(text, set())
        if len(ids) > 1:
            record.breaks("I3", f"{text} became {sorted(ids)}")
        if seen.get(text) and all(attempt.outcome not in (OK, UNKNOWN, UNCONFIRMED) for attempt in attempts):
            record.breaks("I2", f"{text} was refused and seen: {[attempt.outcome for attempt in attempts]}")
        truth = truths[attempts[0].stream]
        for comment_id in acked - truth.standing.keys() - truth.removed:
            if not _forgotten(record, attempts):
                record.breaks("I1", f"{text} ({comment_id}) was answered ok and is lost")
    for text in seen.keys() - by_text.keys():
        record.breaks("I2", f"{text} was never said")
    owners: dict[str, str] = {}
    for text, ids in seen.items():
        for comment_id in ids:
            if owners.setdefault(comment_id, text) != text:
                record.breaks("I9", f"{comment_id} is two comments")


def _forgotten(record: Record, attempts: Sequence[Attempt]) -> bool:
    """Whether the user was forgotten after this was said first."""
    return min(attempt.began_s for attempt in attempts) < record.forgotten.get(attempts[0].user, -NEVER)


def _own(record: Record, truths: dict[str, Truth], own: Own) -> None:
    removed = {comment_id for truth in truths.values() for comment_id in truth.removed}
    tries = defaultdict(list)
    for attempt in record.attempts:
        tries[attempt.text].append(attempt)
    for user, found in own.items():
        for attempt in record.accepted(user, NEVER):
            lost = attempt.id not in (found or ()) and str(attempt.id) not in removed
            if lost and not _forgotten(record, tries[attempt.text]):
                record.breaks("I8", f"{user} does not find {attempt.text} ({attempt.id})")


def _limits(record: Record, limit: int, span_s: float) -> None:
    spans: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(dict)
    for attempt in record.attempts:
        if not attempt.user.startswith("importer"):
            span = spans[attempt.stream, attempt.user].setdefault(
                attempt.text, [attempt.began_s, NEVER, attempt.ended_s]
            )
            span[2] = max(span[2], attempt.ended_s)
            if attempt.outcome == OK:
                span[1] = min(span[1], attempt.ended_s)
    for (stream, user), posts in spans.items() if not record.limits_lost else ():
        accepted = sorted(span for span in posts.values() if span[1] < NEVER)
        for at in range(len(accepted) - limit):
            some = accepted[at : at + limit + 1]
            if max(end for _, end, _ in some) - some[0][0] < span_s:
                record.breaks("I11", f"{user} said {limit + 1} times something in {stream} from {some[0][0]}")


def _bans(record: Record) -> None:
    first = {}
    for attempt in record.attempts:
        first.setdefault(attempt.text, attempt.began_s)
    for ban in record.bans:
        for attempt in record.attempts:
            late = ban.from_s + SOON_S < first[attempt.text] and attempt.ended_s < ban.until_s
            if late and (attempt.stream, attempt.user, attempt.outcome) == (ban.stream, ban.user, OK):
                record.breaks("I10", f"{ban.user} was banned at {ban.from_s} and said {attempt.text}")


def _calm(record: Record) -> None:
    """Once all is well and the window is over everybody may speak, but who may have been banned."""
    for user, stream, outcome in record.calm:
        bans = [ban for ban in record.bans if (ban.stream, ban.user) == (stream, user)]
        muted = outcome == BANNED and bans
        behind = outcome == UNAVAILABLE and record.clock_stepped  # the writer's clock has yet to come to the removal's
        if outcome != OK and not (muted or behind or record.limits_lost):
            record.breaks("I11", f"{user} said nothing for long in {stream} and was answered {outcome}")


def _history(record: Record, truth: Truth) -> None:
    """The timeline shows what stands in the store: all of it, unless it lost something, or was given the best alone."""
    shown = {comment_id: comment["text"] for comment_id, comment in truth.comments.items()}
    for comment_id in shown.keys() - truth.standing.keys():
        record.breaks("I6", f"{comment_id} of {truth.stream} stands in the timeline alone")
    if record.timeline_lost_s > 0 or record.sampled:
        return
    for comment_id in truth.standing.keys() - shown.keys():
        record.breaks("I6", f"{comment_id} of {truth.stream} stands in the store alone")
    likes = {comment_id: comment["likes"] for comment_id, comment in truth.comments.items() if comment.get("likes")}
    if likes != truth.likes and not record.forgotten:  # an erased user's likes leave a total when it is told next
        record.breaks("I6", f"likes of {truth.stream} are {likes}, in the store {truth.likes}")


def _same(record: Record, screen: Screen, truth: Truth) -> None:
    if screen.position != truth.position:
        return record.breaks("I5", f"{screen.name} holds {screen.position}, the chain ends at {truth.position}")
    seen = _without_previews if record.timeline_lost_s > 0 else dict
    for name in ("comments", "pinned"):
        ours, theirs = getattr(screen, name), getattr(truth, name)
        missing = theirs.keys() - ours.keys() if screen.whole or name == "pinned" else ()
        for comment_id in missing:
            record.breaks("I6", f"{screen.name} lacks {comment_id} of {name}")
        for comment_id in ours.keys() - theirs.keys():
            record.breaks("I6", f"{screen.name} holds {comment_id} of {name}, a fresh snapshot does not")
        for comment_id in ours.keys() & theirs.keys():
            if seen(ours[comment_id]) != seen(theirs[comment_id]):
                record.breaks("I6", f"{screen.name} holds {ours[comment_id]}, a fresh snapshot {theirs[comment_id]}")
    if screen.reactions != truth.reactions:
        record.breaks("I6", f"{screen.name} counts {screen.reactions}, a fresh snapshot {truth.reactions}")
    return None


def _without_previews(comment: dict) -> dict:
    """A timeline that lost its knowledge of what is gone shows previews of it again."""
    return {name: value for name, value in comment.items() if name != "reply_to"}
