"""What the ledger in memory does beyond what all ledgers promise: it starts from the log, and it empties itself."""

import asyncio
from itertools import count
from typing import NamedTuple

import pytest

from tests.tools import TurnedClock, run
from uproar.core.comment import Comment, User
from uproar.core.events import Banned, Erased, Liked, Posted
from uproar.core.ids import first_id_at
from uproar.core.refusal import Refusal
from uproar.ledger import Ask
from uproar.ledger import memory as kept
from uproar.ledger.memory import BAN_MS, STRANGE_MS, MemoryLedger
from uproar.write.checks import digest

NUMBERS = count(1)


def ask(stream="s", user="ann", **more):
    number = next(NUMBERS)
    return Ask(stream, user, number, **{"digest": number, **more})


def posted(clock, ago_s, text, user="ann"):
    comment = Comment(first_id_at(clock.now_ms() - ago_s * 1000), "s", User(user, user), text)
    return Posted("s", comment)


def sizes(ledger):
    return [len(table) for table in (ledger._keys, ledger._bans, ledger._here, ledger._everywhere, ledger._texts)]


async def no_ban(stream, user):
    return None


def test_limits_hold_over_a_restart():
    clock = TurnedClock(now=1_000.0)
    ledger = MemoryLedger(clock)
    ledger.prime([posted(clock, ago_s, f"text {ago_s}") for ago_s in (40, 20, 15, 10, 5, 1)])
    refused = run(ledger.standing(ask()))
    assert (refused.refusal, refused.retry_after_ms) == (Refusal.TOO_FAST, 10_000)


def test_texts_are_known_over_a_restart():
    clock = TurnedClock(now=1_000.0)
    ledger = MemoryLedger(clock)
    ledger.prime([Liked("s", "ann", 5), posted(clock, 40, "hello")])
    assert run(ledger.standing(ask(digest=digest("hello")))).refusal is Refusal.REPEATED


@pytest.mark.parametrize("event", [Banned("s", "ann", 1 << 50, "mod", remove=True), Erased("s", "ann", 1 << 50)])
def test_floors_hold_over_a_restart(event):
    ledger = MemoryLedger(TurnedClock())
    ledger.prime([event])
    assert run(ledger.lift("ann", 0)) == 1 << 50


def test_what_left_its_window_before_the_restart_counts_no_more():
    clock = TurnedClock(now=1_000.0)
    ledger = MemoryLedger(clock)
    ledger.prime([posted(clock, 61, f"text {number}") for number in range(30)])
    assert run(ledger.standing(ask())) is None


def test_a_ban_for_good_holds_up_no_sweep_and_is_known_to_the_store_ever_after():
    async def main():
        async def banned(stream, user):
            return Ban(None) if user == "eve" else None

        clock = TurnedClock()
        ledger = MemoryLedger(clock, load_ban=banned)
        await ledger.ban("s", "eve", None)
        await ledger.unban("s", "bob")
        clock.turn(BAN_MS / 1000)
        await ledger.sweep()
        assert len(ledger._bans) == 0
        assert (await ledger.standing(ask("s", "eve"))).refusal is Refusal.BANNED

    run(main())


def test_a_key_that_the_log_does_not_know_is_forgotten_too():
    async def main():
        async def first(stream, user, key):
            return None

        clock = TurnedClock()
        ledger = MemoryLedger(clock, first=first)
        assert await ledger.known("s", "ann", "k") is None
        clock.turn(STRANGE_MS / 1000)
        await ledger.sweep()
        assert len(ledger._strange) == 0

    run(main())


def test_memory_goes_down_when_users_are_quiet():
    async def main():
        clock = TurnedClock()
        ledger = MemoryLedger(clock, load_ban=no_ban)
        for number in range(200):
            assert await ledger.standing(ask(f"s{number % 20}", f"u{number}", key="k")) is None
        await ledger.ban("s", "eve", clock.now_ms() + 5_000)
        full = sizes(ledger)
        clock.turn(61)
        await ledger.sweep()
        minute = sizes(ledger)
        clock.turn(3_600)
        await ledger.sweep()
        return full, minute, sizes(ledger)

    full, minute, hour = run(main())
    assert full == [200, 201, 200, 200, 20]
    assert minute == [200, 0, 200, 0, 20]
    assert hour == [0, 0, 0, 0, 0]


def test_a_counter_in_use_lets_go_of_those_that_ended():
    async def main():
        clock = TurnedClock()
        ledger = MemoryLedger(clock)
        for number in range(1000):
            clock.turn(1)
            await ledger.standing(ask(user=f"u{number}"))
        return len(ledger._everywhere)

    assert run(main()) <= 61


def test_a_user_never_holds_more_than_the_windows_need():
    async def main():
        clock = TurnedClock()
        ledger = MemoryLedger(clock)
        for _ in range(300):
            clock.turn(10)
            assert await ledger.standing(ask()) is None
        return len(ledger._here.get(("s", "ann"), 3_000_000)), len(ledger._everywhere.get("ann", 3_000_000))

    assert run(main()) == (10, 30)


@pytest.mark.parametrize(("table", "bound"), [("_here", "PEOPLE"), ("_keys", "KEYS")])
def test_every_table_has_its_bound(monkeypatch, table, bound):
    monkeypatch.setattr(kept, bound, 10)
    ledger = MemoryLedger(TurnedClock())

    async def main():
        for number in range(50):
            await ledger.standing(ask(user=f"u{number}", key="k"))

    run(main())
    assert len(getattr(ledger, table)) == 10


class Ban(NamedTuple):
    until_ms: int | None


@pytest.mark.parametrize(
    ("stored", "deed", "expected"), [(None, "ban", Refusal.BANNED), (Ban(None), "unban", None)], ids=["ban", "unban"]
)
def test_what_is_told_while_the_store_is_asked_is_newer_than_its_answer(stored, deed, expected):
    async def main():
        told = asyncio.Event()

        async def slow(stream, user):
            await told.wait()
            return stored

        ledger = MemoryLedger(TurnedClock(), load_ban=slow)
        asking = asyncio.create_task(ledger.standing(ask()))
        await asyncio.sleep(0)
        await (ledger.ban("s", "ann", None) if deed == "ban" else ledger.unban("s", "ann"))
        told.set()
        answer = await asking
        return answer and answer.refusal

    assert run(main()) is expected


def test_two_posts_with_one_key_at_once_become_one():
    async def main():
        async def nothing(*_):
            await asyncio.sleep(0)

        ledger = MemoryLedger(TurnedClock(), first=nothing, load_ban=nothing)
        first, second = ask(key="k"), ask(key="k")
        answers = await asyncio.gather(ledger.standing(first), ledger.standing(second))
        return [answer and answer.id for answer in answers], first.id

    answers, first = run(main())
    assert answers == [None, first]
