"""What the kinds do beside what all promise: their bounds, and a disk that fails."""

import asyncio

import apsw
import pytest

from tests.frames import AT_MS, frame_of, said
from tests.tools import TurnedClock, run
from uproar.core.errors import Unavailable
from uproar.core.position import Position
from uproar.sqlite import Database
from uproar.timeline import Liking
from uproar.timeline import memory as module
from uproar.timeline.memory import MemoryTimeline
from uproar.timeline.sqlite import STATE_FRAMES, TRIM_MS, SqliteTimeline


class Failing:
    """A database that can be told to fail."""

    def __init__(self, database):
        self._database = database
        self.writes_left = float("inf")

    async def write(self, job):
        """Run the job, unless down."""
        self.writes_left -= 1
        if self.writes_left < 0:
            raise Unavailable("the disk is full")
        return await self._database.write(job)

    async def read(self, job):
        """Run the job."""
        return await self._database.read(job)

    async def checkpoint(self):
        """Cut the write-ahead log."""
        await self._database.checkpoint()


def on_sqlite(path, promise):
    async def main():
        database = Database(path / "uproar.db")
        failing = Failing(database)
        timeline = SqliteTimeline(failing, TurnedClock())
        try:
            await promise(timeline, failing)
        finally:
            await timeline.close()
            await database.close()

    run(main())


async def extend(timeline, *comments, stream="s"):
    frame = frame_of(await timeline.top(stream), *comments, stream=stream)
    assert await timeline.extend(frame)
    return frame


async def use(timeline, *streams):
    return [await timeline.top(stream) for stream in streams]


def test_a_stream_that_left_memory_begins_anew(monkeypatch):
    monkeypatch.setattr(module, "LINES", 2)

    async def main():
        timeline = MemoryTimeline(TurnedClock())
        await extend(timeline, said(1), stream="a")
        (before,) = await use(timeline, "a")
        await use(timeline, "b", "c")
        (after,) = await use(timeline, "a")
        assert after.number == 0
        assert after.epoch != before.epoch

    run(main())


def test_a_stream_that_somebody_listens_to_stays_in_memory(monkeypatch):
    monkeypatch.setattr(module, "LINES", 2)

    async def main():
        timeline = MemoryTimeline(TurnedClock())
        timeline.subscribe("a", lambda frame: None)
        before = await use(timeline, "a")
        await use(timeline, "b", "c", "d")
        assert await use(timeline, "a") == before
        assert len(timeline._lines) == 2

    run(main())


def test_the_stream_unused_for_longest_leaves(monkeypatch):
    monkeypatch.setattr(module, "LINES", 2)

    async def main():
        timeline = MemoryTimeline(TurnedClock())
        await use(timeline, "a", "b", "a", "c")
        assert list(timeline._lines) == ["a", "c"]

    run(main())


def test_with_a_file_a_stream_that_left_memory_comes_back_as_it_was(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "LINES", 1)

    async def promise(timeline, database):
        for number in range(1, 6):
            await asyncio.gather(*(extend(timeline, said(number), stream=stream) for stream in "abc"))
        assert len(timeline._lines) <= 3
        for stream in "abc":
            top = await timeline.top(stream)
            assert top.number == 5
            assert len(await timeline.since(stream, Position(top.epoch, 0))) == 5
        assert len(timeline._lines) == 1

    on_sqlite(tmp_path, promise)


def test_what_the_disk_refuses_is_neither_shown_nor_announced(tmp_path):
    async def promise(timeline, database):
        heard = []
        timeline.subscribe("s", heard.append)
        first = await extend(timeline, said(1))
        top = await timeline.top("s")
        database.writes_left = 0
        for change in (
            timeline.extend(frame_of(top, said(2))),
            timeline.renew("s", top.epoch),
            timeline.take_down("s", [1], {}),
            timeline.put_back("s", 1),
            timeline.cut("s", "bob", 9),
        ):
            with pytest.raises(Unavailable):
                await change
            assert await timeline.top("s") == top
        assert [comment.id for comment in (await timeline.snapshot("s", 9)).comments] == ["1"]
        database.writes_left = float("inf")
        second = await extend(timeline, said(3))
        assert heard == [first, second]

    on_sqlite(tmp_path, promise)


def test_a_frame_is_on_the_disk_before_it_is_announced(tmp_path):
    async def promise(timeline, database):
        found = []

        def look(frame):
            beside = apsw.Connection(str(tmp_path / "uproar.db"), flags=apsw.SQLITE_OPEN_READONLY)
            found.extend(beside.execute("SELECT number FROM frame WHERE stream = ?", (frame.stream,)).fetchall())

        timeline.subscribe("s", look)
        await extend(timeline, said(1))
        assert found == [(1,)]

    on_sqlite(tmp_path, promise)


def test_a_change_goes_on_when_whoever_asked_has_left(tmp_path):
    async def promise(timeline, database):
        await extend(timeline, said(1))
        leaving = asyncio.ensure_future(timeline.take_down("s", [1], {}))
        await asyncio.sleep(0)
        leaving.cancel()
        await timeline.close()
        assert (await timeline.gone("s")).covers(1, "ann")

    on_sqlite(tmp_path, promise)


def test_likers_forgotten_while_others_are_read_are_read_again():
    async def load(stream, ids):
        reads.append(ids)
        if len(reads) == 2:
            timeline._lines.clear()
        return {comment_id: frozenset({"zoe"}) for comment_id in ids}

    async def main():
        await timeline.like("s", [Liking(1, "ann", True)])
        assert await timeline.like("s", [Liking(1, "bob", True), Liking(2, "bob", True)]) == {1: 2, 2: 2}
        assert reads == [[1], [2], [1]]

    reads = []
    timeline = MemoryTimeline(TurnedClock(), load)
    run(main())


def rows(path, table):
    beside = apsw.Connection(str(path / "uproar.db"), flags=apsw.SQLITE_OPEN_READONLY)
    return beside.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


def test_frames_and_losses_that_a_line_written_down_holds_leave_the_disk(tmp_path):
    async def promise(timeline, database):
        await timeline.take_down("s", [1], {})
        for number in range(2, STATE_FRAMES + 2):
            await extend(timeline, said(number))
        assert (rows(tmp_path, "frame"), rows(tmp_path, "loss")) == (STATE_FRAMES, 0)
        await timeline.take_down("s", [2], {})
        await timeline.trim(AT_MS + TRIM_MS)
        assert (rows(tmp_path, "frame"), rows(tmp_path, "loss")) == (STATE_FRAMES, 1)
        await timeline.trim(AT_MS + TRIM_MS + 1)
        assert (rows(tmp_path, "frame"), rows(tmp_path, "loss")) == (0, 0)

    on_sqlite(tmp_path, promise)


def test_a_new_epoch_takes_the_old_ones_frames_off_the_disk(tmp_path):
    async def promise(timeline, database):
        await extend(timeline, said(1))
        await timeline.renew("s", (await timeline.top("s")).epoch)
        assert rows(tmp_path, "frame") == 0

    on_sqlite(tmp_path, promise)


def test_frames_of_an_old_epoch_that_a_crash_left_are_passed_over_and_written_over(tmp_path):
    async def crash(timeline, database):
        for number in (1, 2, 3):
            await extend(timeline, said(number))
        database.writes_left = 1
        with pytest.raises(Unavailable):
            await timeline.renew("s", (await timeline.top("s")).epoch)
        assert rows(tmp_path, "frame") == 3
        database.writes_left = float("inf")
        assert (await timeline.top("s")).number == 0

    async def back(timeline, database):
        top = await timeline.top("s")
        assert top.number == 0
        assert await timeline.since("s", Position(top.epoch, 0)) == ()
        frames = [await extend(timeline, said(number)) for number in (4, 5)]
        assert list(await timeline.since("s", Position(top.epoch, 0))) == frames

    on_sqlite(tmp_path, crash)
    on_sqlite(tmp_path, back)
