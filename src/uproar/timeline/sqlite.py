"""The timeline in the data directory's SQLite file: a restart keeps its epochs, its frames and what they add up to."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import TypeVar
from weakref import WeakValueDictionary

import apsw
import msgspec
from msgspec.structs import replace

from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.sqlite import Database
from uproar.timeline import Top
from uproar.timeline.line import FRAMES_S, Line, State, restored
from uproar.timeline.memory import LoadLikes, MemoryTimeline, new_epoch, no_likes
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Frame

STATE_FRAMES = 200
"""A line is written down every so many frames, and the frames that left it since go."""
STEP_ROWS = 250
"""So many frames go in one job, so that no ack waits long for it."""
TRIM_STREAMS = 100
TRIM_MS = round((FRAMES_S + 60) * 1000)
"""`trim` writes down the lines of streams with a frame or a loss told longer ago than this, so many a call."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS line (
    stream TEXT PRIMARY KEY, state BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frame (
    stream TEXT NOT NULL, number INTEGER NOT NULL, at_ms INTEGER NOT NULL, frame BLOB NOT NULL,
    UNIQUE (stream, number));
CREATE INDEX IF NOT EXISTS frame_by_time ON frame (at_ms);
CREATE TABLE IF NOT EXISTS loss (
    place INTEGER PRIMARY KEY AUTOINCREMENT, stream TEXT NOT NULL, comment INTEGER NOT NULL, user TEXT NOT NULL,
    back INTEGER NOT NULL, at_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS loss_by_stream ON loss (stream);
"""

_encode = msgspec.msgpack.Encoder().encode
_frame = msgspec.msgpack.Decoder(Frame).decode
_state = msgspec.msgpack.Decoder(State).decode

T = TypeVar("T")
LossRow = tuple[int, str, bool, int]
"""Comment id, user (empty: the comment alone), whether it was put back, and when."""


class SqliteTimeline(MemoryTimeline):
    """The memory kind, written through: a change is on the disk before memory shows or announces it.

    A stream's changes take turns, each to its end also when whoever asked has left. On the disk stand the line as it
    was a while ago, the frames since, and what was told of losses since; from these it is made when first asked for.
    """

    def __init__(self, database: Database, clock: Clock, load_likes: LoadLikes = no_likes) -> None:
        super().__init__(clock, load_likes)
        self._database = database
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._tasks: set[asyncio.Task[object]] = set()
        self._has_tables = False

    async def extend(self, frame: Frame) -> bool:
        """Keep and announce the frame; False when it does not fit."""
        return await self._in_turn(frame.stream, partial(self._extend, frame))

    async def renew(self, stream: str, epoch: str) -> Top:
        """Begin a new epoch if `epoch` is still the one; the top either way."""
        return await self._in_turn(stream, partial(self._renew, epoch))

    async def take_down(self, stream: str, ids: Sequence[int], users: Mapping[str, int]) -> None:
        """These are gone from now on; users up to an id."""
        now_ms = self._clock.now_ms()
        rows: list[LossRow] = [(comment_id, "", False, now_ms) for comment_id in ids]
        rows += [(upto, user, False, now_ms) for user, upto in users.items()]
        await self._in_turn(stream, partial(self._lose, rows, lambda line: line.take_down(ids, users, now_ms)))

    async def put_back(self, stream: str, comment_id: int) -> None:
        """A removal was undone."""
        now_ms = self._clock.now_ms()
        rows: list[LossRow] = [(comment_id, "", True, now_ms)]
        await self._in_turn(stream, partial(self._lose, rows, lambda line: line.put_back(comment_id, now_ms)))

    async def cut(self, stream: str, user: str, upto: int) -> None:
        """An erasure: drop all kept frames, and what the user wrote, so that the disk holds it no more."""
        await self._in_turn(stream, partial(self._cut, user, upto))

    async def trim(self, now_ms: int) -> int:
        """Let go of frames whose time is over, of a hundred streams a call; how many."""
        await self._make_tables()
        streams = await self._database.read(partial(_aged, now_ms - TRIM_MS))
        return sum([await self._in_turn(stream, partial(self._tidy, now_ms)) for stream in streams])

    async def close(self) -> None:
        """Finish what is under way: whoever opened the database closes it."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- changes, each in its turn

    async def _extend(self, frame: Frame, line: Line) -> bool:
        if not line.fits(frame):
            return False
        row = (frame.stream, frame.number, frame.at_ms, _encode(replace(frame, alone=b"")))
        state = _encode(line.state()) if frame.number % STATE_FRAMES == 0 else None
        await self._database.write(partial(_add_frame, row, state, _first(line)))
        self._take(line, frame)
        return True

    async def _renew(self, epoch: str, line: Line) -> Top:
        if line.top.epoch == epoch:
            fresh = new_epoch()
            top = Top(fresh, 0, 0, line.top.upto)
            await self._write_down(line.stream, replace(line.state(), top=top), line.top.number + 1)
            line.begin(fresh)
        return line.top

    async def _lose(self, rows: Sequence[LossRow], apply: Callable[[Line], None], line: Line) -> None:
        await self._database.write(partial(_add_losses, line.stream, rows))
        apply(line)

    async def _cut(self, user: str, upto: int, line: Line) -> None:
        line.cut(user, upto, self._clock.now_ms())
        await self._write_down(line.stream, line.state(), _first(line))
        await self._database.checkpoint()

    async def _tidy(self, now_ms: int, line: Line) -> int:
        line.prune(now_ms)
        return await self._write_down(line.stream, line.state(), _first(line))

    async def _write_down(self, stream: str, state: State, first: int) -> int:
        """Put the line's state on the disk, and take the frames below `first` off it; how many."""
        await self._database.write(partial(_put_state, stream, _encode(state)))
        gone = 0
        while step := await self._database.write(partial(_drop_frames, stream, first)):
            gone += step
        return gone

    # -- lines and turns

    async def _line(self, stream: str) -> Line:
        line = self._lines.get(stream)
        return await self._in_turn(stream, _itself) if line is None else self._use(line)

    async def _in_turn(self, stream: str, change: Callable[[Line], Awaitable[T]]) -> T:
        task = asyncio.ensure_future(self._turn(stream, change))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def _turn(self, stream: str, change: Callable[[Line], Awaitable[T]]) -> T:
        turn = self._turns.get(stream)
        if turn is None:
            turn = self._turns[stream] = asyncio.Lock()
        async with turn:
            line = self._use(self._lines.get(stream) or await self._load(stream))
            try:
                return await change(line)
            except Unavailable:
                self._lines.pop(stream, None)  # the disk knows what was kept
                raise

    async def _load(self, stream: str) -> Line:
        await self._make_tables()
        line = await self._database.read(partial(_read_line, stream))
        if line is None:
            line = Line(stream, new_epoch())
            await self._database.write(partial(_put_state, stream, _encode(line.state())))
        return line

    async def _make_tables(self) -> None:
        if not self._has_tables:
            await self._database.write(_create_tables)
            self._has_tables = True


async def _itself(line: Line) -> Line:
    return line


def _first(line: Line) -> int:
    return line.frames[0].number if line.frames else line.top.number + 1


# ---- jobs


def _create_tables(connection: apsw.Connection) -> None:
    connection.execute(SCHEMA)


def _add_frame(row: tuple[str, int, int, bytes], state: bytes | None, first: int, connection: apsw.Connection) -> None:
    stream, *_ = row
    if state is not None:
        _put_state(stream, state, connection)
        _drop_frames(stream, first, connection)
    connection.execute("INSERT OR REPLACE INTO frame VALUES (?, ?, ?, ?)", row)


def _put_state(stream: str, state: bytes, connection: apsw.Connection) -> None:
    connection.execute("INSERT OR REPLACE INTO line VALUES (?, ?)", (stream, state))
    connection.execute("DELETE FROM loss WHERE stream = ?", (stream,))


def _drop_frames(stream: str, first: int, connection: apsw.Connection) -> int:
    """From the lowest on, so that what is left has no hole."""
    step = "SELECT number FROM frame WHERE stream = ? AND number < ? ORDER BY number LIMIT ?"
    connection.execute(f"DELETE FROM frame WHERE stream = ? AND number IN ({step})", (stream, stream, first, STEP_ROWS))
    return connection.changes()


def _add_losses(stream: str, rows: Sequence[LossRow], connection: apsw.Connection) -> None:
    query = "INSERT INTO loss (stream, comment, user, back, at_ms) VALUES (?, ?, ?, ?, ?)"
    connection.executemany(query, [(stream, *row) for row in rows])


def _aged(before_ms: int, connection: apsw.Connection) -> Sequence[str]:
    query = "SELECT stream FROM frame WHERE at_ms < ? UNION SELECT stream FROM loss WHERE at_ms < ? LIMIT ?"
    return [stream for (stream,) in connection.execute(query, (before_ms, before_ms, TRIM_STREAMS))]


def _read_line(stream: str, connection: apsw.Connection) -> Line | None:
    """The line as it was when its last change was kept; what was told of losses stands before the frames.

    Frames of another epoch are what a crash left of one that ended.
    """
    state = connection.execute("SELECT state FROM line WHERE stream = ?", (stream,)).fetchone()
    if state is None:
        return None
    line = restored(stream, _state(state[0]))
    losses = "SELECT comment, user, back, at_ms FROM loss WHERE stream = ? ORDER BY place"
    for row in connection.execute(losses, (stream,)):
        _tell(line, *row)
    for (row,) in connection.execute("SELECT frame FROM frame WHERE stream = ? ORDER BY number", (stream,)):
        frame = _frame(row)
        if frame.epoch == line.top.epoch:
            line.recall(replace(frame, alone=deflate_alone(frame.plain)))
    return line


def _tell(line: Line, comment_id: int, user: str, back: int, at_ms: int) -> None:
    if back:
        line.put_back(comment_id, at_ms)
    elif user:
        line.take_down((), {user: comment_id}, at_ms)
    else:
        line.take_down((comment_id,), {}, at_ms)
