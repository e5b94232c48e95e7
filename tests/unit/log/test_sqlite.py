"""What the log in a file knows besides what every kind of log promises."""

from contextlib import asynccontextmanager

from tests.tools import TurnedClock, run
from uproar.core.comment import Comment, User
from uproar.core.events import Posted
from uproar.log.embedded import KEY_MS
from uproar.log.sqlite import SqliteLog
from uproar.sqlite import Database


def test_it_knows_whether_keys_from_before_it_was_opened_may_still_be_used(tmp_path):
    clock = TurnedClock()

    @asynccontextmanager
    async def opened():
        database = Database(tmp_path / "uproar.db")
        yield await SqliteLog.open(database, clock)
        await database.close()

    async def go():
        async with opened() as log:
            await log.append(Posted("s", Comment(1, "s", User("ann", "Ann"), "hello"), "k"))
            assert not log.held_keys
        async with opened() as log:
            assert log.held_keys
        clock.turn(KEY_MS / 1000)
        async with opened() as log:
            assert not log.held_keys

    run(go())
