"""One writer, many jobs to a commit; what happens when the disk fails, or the process is killed."""

import asyncio
import os
import signal
import subprocess
import sys

import apsw
import pytest

from tests.tools import run
from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.sqlite import Database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "uproar.db"


@pytest.fixture
def check(path):
    """Runs an `async` check on a database with a table of numbers."""

    def checked(promise):
        async def main():
            database = Database(path)
            try:
                await database.write(lambda c: done(c, "CREATE TABLE number (n INTEGER UNIQUE)"))
                await promise(database)
            finally:
                await database.close()

        run(main())

    return checked


def done(connection, statement, *values):
    connection.execute(statement, values)


def insert(number):
    return lambda c: done(c, "INSERT INTO number VALUES (?)", number)


def numbers(connection):
    return [n for (n,) in connection.execute("SELECT n FROM number ORDER BY n")]


def fail_commits(database, error):
    """Let the next COMMIT raise, the transaction being taken back."""
    real = database._connection

    class Failing:
        def __getattr__(self, name):
            return getattr(real, name)

        def execute(self, statement, *values):
            if statement == "COMMIT":
                database._connection = real
                real.execute("ROLLBACK")
                raise error
            return real.execute(statement, *values)

    database._connection = Failing()


def test_a_write_returns_the_jobs_value_and_a_read_sees_it(check):
    async def promise(database):
        assert await database.write(lambda c: done(c, "INSERT INTO number VALUES (7)") or "value") == "value"
        assert await database.read(numbers) == [7]

    check(promise)


def test_jobs_that_wait_share_a_commit(check):
    async def promise(database):
        commits = []
        database._connection.set_commit_hook(lambda: bool(commits.append(1)))
        await asyncio.gather(*(database.write(insert(number)) for number in range(500)))
        assert await database.read(numbers) == list(range(500))
        assert len(commits) < 100

    check(promise)


def test_a_job_that_raises_fails_alone(check):
    async def promise(database):
        def bad(connection):
            insert(99)(connection)
            raise KeyError("bad")

        jobs = [insert(1), bad, insert(2), insert(1), insert(3)]
        ends = await asyncio.gather(*map(database.write, jobs), return_exceptions=True)
        assert [type(end) for end in ends] == [type(None), KeyError, type(None), apsw.ConstraintError, type(None)]
        assert await database.read(numbers) == [1, 2, 3]

    check(promise)


def test_a_job_that_nobody_joins_keeps_all_or_nothing(check):
    async def promise(database):
        def bad(connection):
            insert(99)(connection)
            raise KeyError("bad")

        await database.write(insert(1))
        for job, error in ((bad, KeyError), (insert(1), apsw.ConstraintError)):
            with pytest.raises(error):
                await database.write(job)
        await database.write(insert(2))
        assert await database.read(numbers) == [1, 2]

    check(promise)


def test_a_job_whose_transaction_is_gone_is_not_called_kept(check):
    async def promise(database):
        with pytest.raises(Unavailable):
            await database.write(lambda c: (insert(1)(c), done(c, "ROLLBACK")))
        assert await database.read(numbers) == []

    check(promise)


def test_kept_is_told_in_the_order_of_the_jobs_also_when_nobody_waits_any_more(check):
    async def promise(database):
        told = []
        tasks = [
            asyncio.create_task(database.write(lambda c, n=number: insert(n)(c) or n, told.append))
            for number in range(20)
        ]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await database.write(lambda c: None)
        assert told == await database.read(numbers)
        assert set(range(1, 20, 2)) <= set(told)

    check(promise)


def test_more_waiting_jobs_than_the_bound_are_refused(check, monkeypatch):
    monkeypatch.setattr("uproar.sqlite.database.WAITING_JOBS", 10)

    async def promise(database):
        ends = await asyncio.gather(*(database.write(insert(n)) for n in range(5000)), return_exceptions=True)
        kept = [number for number, end in enumerate(ends) if end is None]
        assert all(end is None or isinstance(end, Overloaded) for end in ends)
        assert len(kept) < 5000
        assert await database.read(numbers) == kept

    check(promise)


def test_a_commit_on_a_full_disk_keeps_nothing_and_the_next_goes_on(check):
    async def promise(database):
        fail_commits(database, apsw.FullError("disk full"))
        with pytest.raises(Unavailable) as raised:
            await database.write(insert(1))
        assert not isinstance(raised.value, Unconfirmed)
        await database.write(insert(2))
        assert await database.read(numbers) == [2]

    check(promise)


def test_after_a_commit_that_failed_in_an_unknown_way_nothing_is_written_until_opened_again(check, path):
    async def promise(database):
        fail_commits(database, apsw.IOError("fsync"))
        with pytest.raises(Unconfirmed):
            await database.write(insert(1))
        with pytest.raises(Unavailable) as raised:
            await database.write(insert(2))
        assert not isinstance(raised.value, Unconfirmed)
        assert "fsync" in database.failed
        assert await database.read(numbers) == []

    check(promise)

    async def again():
        database = Database(path)
        await database.write(insert(3))
        await database.close()

    run(again())


def test_an_outage_inside_a_job_is_unavailable(check):
    async def promise(database):
        def job(connection):
            raise apsw.BusyError("held by a stranger")

        for method in (database.write, database.read):
            with pytest.raises(Unavailable):
                await method(job)

    check(promise)


def test_a_reader_cannot_write(check):
    async def promise(database):
        with pytest.raises(apsw.ReadOnlyError):
            await database.read(insert(1))

    check(promise)


def test_close_finishes_what_waits_and_leaves_one_whole_file(path):
    async def main():
        database = Database(path)
        await database.write(lambda c: done(c, "CREATE TABLE number (n INTEGER UNIQUE)"))
        writes = [asyncio.create_task(database.write(insert(number))) for number in range(100)]
        await asyncio.sleep(0)
        await database.close()
        await asyncio.gather(*writes)
        with pytest.raises(Unavailable):
            await database.write(insert(101))
        with pytest.raises(Unavailable):
            await database.read(numbers)

    run(main())
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert numbers(apsw.Connection(str(path))) == list(range(100))


def test_a_checkpoint_leaves_nothing_of_what_was_deleted_on_the_disk(check, path):
    async def promise(database):
        await database.write(lambda c: done(c, "CREATE TABLE said (text TEXT)"))
        await database.write(lambda c: done(c, "INSERT INTO said VALUES (?)", "canary" * 10))
        await database.checkpoint()
        assert b"canary" in path.read_bytes()
        await database.write(lambda c: done(c, "DELETE FROM said"))
        await database.checkpoint()
        assert not any(b"canary" in file.read_bytes() for file in path.parent.iterdir())

    check(promise)


def test_the_write_ahead_log_does_not_grow_without_end(check, path, monkeypatch):
    monkeypatch.setattr("uproar.sqlite.database.CHECKPOINT_PAGES", 20)

    async def promise(database):
        await database.write(lambda c: done(c, "CREATE TABLE said (text TEXT)"))
        for _ in range(200):
            await database.write(lambda c: done(c, "INSERT INTO said VALUES (?)", "x" * 4000))
        sizes.append(os.path.getsize(f"{path}-wal"))

    sizes = []
    check(promise)
    assert sizes[0] < 100 * 4096


# -- a process that is killed

POSTER = """
import asyncio, sys
from pathlib import Path
from uproar.sqlite import Database, lock_directory

async def main():
    directory = Path(sys.argv[1])
    lock = lock_directory(directory)
    database = Database(directory / "uproar.db")
    await database.write(lambda c: c.execute("CREATE TABLE IF NOT EXISTS number (n INTEGER UNIQUE)") and None)
    (start,) = await database.read(lambda c: c.execute("SELECT coalesce(max(n), 0) FROM number").fetchone())

    async def keep(number):
        await database.write(lambda c: c.execute("INSERT INTO number VALUES (?)", (number,)) and None)
        print(number, flush=True)

    for first in range(start + 1, start + 10**6, 20):
        await asyncio.gather(*(keep(number) for number in range(first, first + 20)))

asyncio.run(main())
"""


def test_a_killed_process_loses_nothing_that_it_acknowledged(path):
    acknowledged = set()
    for acks in (1, 50, 333):
        with subprocess.Popen(
            [sys.executable, "-c", POSTER, str(path.parent)], stdout=subprocess.PIPE, text=True
        ) as poster:
            for _ in range(acks):
                acknowledged.add(int(poster.stdout.readline()))
            poster.send_signal(signal.SIGKILL)
            acknowledged.update(int(line) for line in poster.stdout if line.endswith("\n"))

    async def main():
        database = Database(path)
        kept = await database.read(numbers)
        await database.close()
        assert acknowledged <= set(kept)

    run(main())
    assert len(acknowledged) >= 384
