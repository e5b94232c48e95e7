"""How long a post's checks and its standing take, in microseconds: `python -m uproar.bench.judge`."""

import asyncio
from collections.abc import Iterator
from time import perf_counter
from typing import NamedTuple

from uproar.auth import Identity
from uproar.core.clock import SystemClock
from uproar.core.ids import IdMaker
from uproar.core.stream import Rules, Stream
from uproar.ledger.memory import MemoryLedger
from uproar.write.checks import NEW_REPUTATION, Draft, judge, question

POSTS = 20_000
TEXTS = ("lol", "what a goal!!", "このゲームは楽しい", "that was so close, I could not watch it 😂😂", "x" * 500)
RULES = {
    "plain": Rules(),
    "one pack": Rules(language_packs=("en",)),
    "links refused": Rules(links="refuse"),
    "all": Rules(language_packs=("en", "zh", "ja"), words=("darn",), links="refuse", duplicates="all"),
}


class Line(NamedTuple):
    """One measured thing and its time a post, in µs."""

    name: str
    us: float


def measured() -> Iterator[Line]:
    """One line for each set of rules, and one for the ledger."""
    for name, rules in RULES.items():
        stream = Stream("s", rules=rules)
        yield Line(f"judge, {name}", _judge_us(stream))
    yield Line("standing", asyncio.run(_standing_us()))


def _judge_us(stream: Stream) -> float:
    drafts = [Draft(_person(0), stream, text) for text in TEXTS]
    judge(drafts[0])  # builds the words
    began = perf_counter()
    for number in range(POSTS):
        judge(drafts[number % len(drafts)])
    return (perf_counter() - began) / POSTS * 1e6


async def _standing_us() -> float:
    clock = SystemClock()
    ledger, ids, stream = MemoryLedger(clock), IdMaker(0), Stream("s")
    drafts = [Draft(_person(number), stream, TEXTS[0]) for number in range(POSTS)]
    began = perf_counter()
    for draft in drafts:
        now_ms = clock.now_ms()
        await ledger.standing(question(draft, ids.next(now_ms), "key", NEW_REPUTATION, now_ms))
    return (perf_counter() - began) / POSTS * 1e6


def _person(number: int) -> Identity:
    return Identity(f"u{number}", f"User {number}", 1 << 40)


if __name__ == "__main__":
    for line in measured():
        print(f"{line.name:<24}{line.us:8.1f} µs a post")
