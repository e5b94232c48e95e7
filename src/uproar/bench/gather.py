"""How long it takes to add up a window of events, in microseconds an event: `python -m uproar.bench.gather`."""

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import NamedTuple

from uproar.core import events as ev
from uproar.core.comment import Comment, Parent, User
from uproar.fanout.gather import gather
from uproar.timeline import Gone
from uproar.wire.codec import encode

EVENTS = 100_000
WINDOW = 50
NOTHING_GONE = Gone()
MUCH_GONE = Gone(1, frozenset(range(10_000, 60_000)), {f"gone{number}": 5 for number in range(1_000)})


class Line(NamedTuple):
    """One kind of window and its time an event, in µs."""

    name: str
    us: float


def measured() -> Iterator[Line]:
    """One line for each kind of window."""
    posts = [ev.Posted("s", _comment(number)) for number in range(WINDOW)]
    replies = [ev.Posted("s", _comment(number, reply=True)) for number in range(WINDOW)]
    everyone, few = frozenset(range(WINDOW)), frozenset(range(20))
    yield Line("posts", _gather_us(posts, everyone))
    yield Line("posts, much gone", _gather_us(posts, everyone, MUCH_GONE))
    yield Line("replies", _gather_us(replies, everyone))
    yield Line("posts, sampled", _gather_us(posts, few))
    yield Line("replies, sampled", _gather_us(replies, few))
    yield Line("reactions", _gather_us([_reacted(number) for number in range(WINDOW)], everyone))
    yield Line("posts and removals", _gather_us([*posts[:25], *_removals(25)], everyone))
    yield Line("a ban's removals", _gather_us([*posts, ev.Banned("s", "u1", WINDOW, "mod", remove=True)], everyone))


def _gather_us(window: Sequence[ev.Event], chosen: frozenset[int], gone: Gone = NOTHING_GONE) -> float:
    """From events to the batch, its JSON and its asides, as one frame needs them."""
    rounds = EVENTS // len(window)
    began = perf_counter()
    for _ in range(rounds):
        net = gather(window, gone, chosen)
        encode(net.batch("epoch.1", {}))
        tuple(net.asides())
    return (perf_counter() - began) / (rounds * len(window)) * 1e6


def _comment(number: int, reply: bool = False) -> Comment:
    parent = Parent(number + 1_000, "somebody", "what a goal!!") if reply else None
    return Comment(number, "s", User(f"u{number}", f"User {number}"), "that was so close, I could not watch", parent)


def _reacted(number: int) -> ev.Reacted:
    return ev.Reacted("s", "gateway", number + 1, {"❤": 3, "👍": 2}, 0)


def _removals(count: int) -> list[ev.Removed]:
    return [ev.Removed("s", number, "mod") for number in range(count)]


if __name__ == "__main__":
    for line in measured():
        print(f"{line.name:<24}{line.us:8.2f} µs an event")
