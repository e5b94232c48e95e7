"""A checker that never cries is worthless: faults planted on purpose are found."""

import pytest

from tests.sim.day import Day

SEEDS = range(6)


def publish_skipped(day: Day) -> None:
    """Every fifth frame is said to be kept and is not."""
    extend, count = day.timeline.extend, iter(range(1_000_000))

    async def skipping(frame):
        return True if next(count) % 5 == 4 else await extend(frame)

    day.timeline.extend = skipping


def frame_duplicated(day: Day) -> None:
    """Every batch is written to sockets twice."""
    day.twice = True


def key_forgotten(day: Day) -> None:
    """Neither ledger nor log know keys."""
    standing, append = day.ledger.standing, day.log.append

    async def known(stream, user, key):
        return None

    async def forgetting(ask):
        return await standing(ask._replace(key=""))

    async def unkeyed(event):
        return await append(_without_key(event))

    day.ledger.known, day.ledger.standing, day.log.append = known, forgetting, unkeyed


def ack_before_append(day: Day) -> None:
    """Every tenth event is answered and not kept."""
    append, count = day.log.append, iter(range(1_000_000))

    async def hasty(event):
        return 1 if next(count) % 10 == 9 else await append(event)

    day.log.append = hasty


def ban_forgotten(day: Day) -> None:
    """Nobody is muted."""

    async def nothing(*args):
        return None

    day.ledger.ban = nothing


def limit_forgotten(day: Day) -> None:
    """Everybody may say everything."""
    standing = day.ledger.standing

    async def generous(ask):
        return await standing(ask._replace(unlimited=True))

    day.ledger.standing = generous


def _without_key(event):
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return type(event)(**{**fields, "key": ""}) if "key" in fields else event


@pytest.mark.parametrize(
    ("plant", "cries"),
    [
        (publish_skipped, "I6"),
        (frame_duplicated, "I4"),
        (key_forgotten, "I3"),
        (ack_before_append, "I1"),
        (ban_forgotten, "I10"),
        (limit_forgotten, "I11"),
    ],
)
def test_a_planted_fault_is_found(plant, cries):
    assert any(line.startswith(f"{cries}:") for seed in SEEDS for line in Day(seed, plant).live())


def test_a_seed_is_the_same_day_every_time():
    first, second = Day(1), Day(1)
    assert first.live() == second.live()
    assert first.record.attempts == second.record.attempts
    assert first.dice.getstate() == second.dice.getstate()
