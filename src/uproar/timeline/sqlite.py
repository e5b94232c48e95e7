"""The timeline in the data directory: a restart keeps its epoch, its frames and what they add up to."""

import asyncio
from collections.abc import Mapping, Sequence
from weakref import WeakValueDictionary

import apsw
import msgspec
from msgspec.structs import replace

from uproar.core.clock import Clock
from uproar.sqlite import Database
from uproar.timeline import Top
from uproar.timeline.line import Line, State, restored
from uproar.timeline.memory import LoadLikes, MemoryTimeline, new_epoch, no_likes
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Frame

LINES = 10_000  # in memory; beyond it the one that was used longest ago and has no listener is read again when needed
STATE_FRAMES = 500  # a line's state is written every so many frames, and the frames that left it are deleted

SCHEMA = """
CREATE TABLE IF NOT EXISTS timeline_lines (stream TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS timeline_frames (
    stream TEXT NOT NULL, number INTEGER NOT NULL, frame BLOB NOT NULL, PRIMARY KEY (stream, number)
);
CREATE TABLE IF NOT EXISTS timeline_gone (
    stream TEXT NOT NULL, comment_id INTEGER NOT NULL, user TEXT NOT NULL, at_ms INTEGER NOT NULL, back INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS timeline_gone_by_stream ON timeline_gone (stream);
"""

_encode = msgspec.msgpack.Encoder().encode
_frame = msgspec.msgpack.Decoder(Frame)
_state = msgspec.msgpack.Decoder(State)


class SqliteTimeline(MemoryTimeline):
    """The memory kind, written through: what it tells or announces is on the disk.

    A line is read when it is first asked for: its last state, the frames since, and what was taken down since.
    """

    def __init__(self, database: Database, clock: Clock, load_likes: LoadLikes = no_likes) -> None:
        super().__init__(clock, load_likes)
        self._database = database
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._ready = False

    async def extend(self, frame: Frame) -> bool:
        """Keep, then announce: also when whoever asked has left."""
        line = await self._line(frame.stream)
        async with self._alone(frame.stream):
            if not line.fits(frame):
                return False
            row = _encode(replace(frame, alone=b""))
            state = _encode(line.state()) if frame.number % STATE_FRAMES == 0 else b""
            first = line.frames[0].number if line.frames else frame.number

            def job(connection: apsw.Connection) -> None:
                if state:
                    _keep_state(connection, frame.stream, state, first)
                connection.execute("INSERT INTO timeline_frames VALUES (?, ?, ?)", (frame.stream, frame.number, row))

            await self._database.write(job, kept=lambda _: self._take(line, frame))
            return True

    async def renew(self, stream: str, epoch: str) -> Top:
        """Begin a new epoch, if `epoch` is still the one."""
        line = await self._line(stream)
        async with self._alone(stream):
            if line.top.epoch == epoch:
                line.begin(new_epoch())
                await self._keep(line)
            return line.top

    async def take_down(self, stream: str, ids: Sequence[int], users: Mapping[str, int]) -> None:
        """Gone from now on."""
        await super().take_down(stream, ids, users)
        now_ms = self._clock.now_ms()
        await self._note(stream, [(gone, "", now_ms, 0) for gone in ids])
        await self._note(stream, [(upto, user, now_ms, 0) for user, upto in users.items()])

    async def put_back(self, stream: str, comment_id: int) -> None:
        """Gone no more."""
        await super().put_back(stream, comment_id)
        await self._note(stream, [(comment_id, "", self._clock.now_ms(), 1)])

    async def cut(self, stream: str, user: str, upto: int) -> None:
        """An erasure: the frames leave the file, too."""
        line = await self._line(stream)
        async with self._alone(stream):
            await super().cut(stream, user, upto)
            await self._keep(line)

    async def _note(self, stream: str, rows: Sequence[tuple[int, str, int, int]]) -> None:
        if rows:
            await self._database.write(
                lambda connection: (
                    connection.executemany(
                        "INSERT INTO timeline_gone VALUES (?, ?, ?, ?, ?)", [(stream, *row) for row in rows]
                    )
                    and None
                )
            )

    async def _keep(self, line: Line) -> None:
        state, first = _encode(line.state()), line.frames[0].number if line.frames else line.top.number + 1
        await self._database.write(lambda connection: _keep_state(connection, line.stream, state, first))

    async def _line(self, stream: str) -> Line:
        line = self._lines.get(stream)
        if line is None:
            async with self._alone(stream):
                line = self._lines.get(stream) or await self._load(stream)
                self._lines[stream] = line
        self._lines.move_to_end(stream)
        self._forget()
        return line

    async def _load(self, stream: str) -> Line:
        if not self._ready:
            await self._database.write(lambda connection: connection.execute(SCHEMA) and None)
            self._ready = True
        state, frames, gone = await self._database.read(lambda connection: _rows(connection, stream))
        if state is None:
            line = Line(stream, new_epoch())
            await self._keep(line)
            return line
        line = restored(stream, state, frames)
        for comment_id, user, at_ms, back in gone:
            if back:
                line.put_back(comment_id)
            else:
                line.take_down(() if user else (comment_id,), {user: comment_id} if user else {}, at_ms)
        return line

    def _forget(self) -> None:
        if len(self._lines) <= LINES:
            return
        idle = (stream for stream in self._lines if stream not in self._listeners and stream not in self._locks)
        oldest = next(idle, None)
        if oldest is not None and oldest != next(reversed(self._lines)):
            del self._lines[oldest]

    def _alone(self, stream: str) -> asyncio.Lock:
        lock = self._locks.get(stream)
        if lock is None:
            lock = self._locks[stream] = asyncio.Lock()
        return lock


def _keep_state(connection: apsw.Connection, stream: str, state: bytes, first: int) -> None:
    """Write a line's state; frames below `first` and notes that the state holds go."""
    connection.execute("INSERT OR REPLACE INTO timeline_lines VALUES (?, ?)", (stream, state))
    connection.execute("DELETE FROM timeline_frames WHERE stream = ? AND number < ?", (stream, first))
    connection.execute("DELETE FROM timeline_gone WHERE stream = ?", (stream,))


def _rows(
    connection: apsw.Connection, stream: str
) -> tuple[State | None, list[Frame], list[tuple[int, str, int, int]]]:
    state = connection.execute("SELECT state FROM timeline_lines WHERE stream = ?", (stream,)).fetchone()
    frames = connection.execute("SELECT frame FROM timeline_frames WHERE stream = ? ORDER BY number", (stream,))
    held = [_frame.decode(row) for (row,) in frames]
    gone = connection.execute("SELECT comment_id, user, at_ms, back FROM timeline_gone WHERE stream = ?", (stream,))
    return (
        _state.decode(state[0]) if state else None,
        [replace(frame, alone=deflate_alone(frame.plain)) for frame in held],
        list(gone),
    )
