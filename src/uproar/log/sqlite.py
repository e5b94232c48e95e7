"""The log in the data directory's SQLite file: it outlives the process, and an append waits for the disk."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import apsw
import msgspec

from uproar.core.clock import Clock
from uproar.core.errors import Unavailable
from uproar.core.events import AnyEvent, Event
from uproar.log import Record
from uproar.log.embedded import (
    DEAD_LETTERS,
    HOUR_MS,
    KEY_MS,
    SINCE_RECORDS,
    Arrivals,
    Backlog,
    DeadLetter,
    Keyed,
    Place,
    keyed,
)
from uproar.log.tail import Tail
from uproar.sqlite import Database

TRIM_ROWS = 2000  # go in one job, so that no ack waits long for it

SCHEMA = """
CREATE TABLE IF NOT EXISTS record (
    offset INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER NOT NULL, event BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS reading (
    name TEXT PRIMARY KEY, upto INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS used_key (
    offset INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, stream TEXT NOT NULL, user TEXT NOT NULL, key TEXT NOT NULL,
    comment INTEGER NOT NULL, digest INTEGER NOT NULL, UNIQUE (stream, user, key));
CREATE TABLE IF NOT EXISTS dead_letter (
    place INTEGER PRIMARY KEY AUTOINCREMENT, reader TEXT NOT NULL, offset INTEGER NOT NULL, event BLOB NOT NULL,
    why TEXT NOT NULL, at_ms INTEGER NOT NULL, UNIQUE (reader, offset));
"""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(AnyEvent).decode


class _Entry(NamedTuple):
    """An event on its way into the file."""

    event: Event
    encoded: bytes
    at_ms: int
    use: Keyed | None


class _Outcome(NamedTuple):
    """Where the entry stands; `fresh` unless its key had brought it there before."""

    offset: int
    fresh: bool


class SqliteLog:
    """Keeps events in tables of the data directory's database; see the port for what it promises.

    `held_keys`: when it was opened it knew keys that may still be used again.
    """

    def __init__(self, database: Database, clock: Clock, retention_h: float, first: int, last: int) -> None:
        """For `open`, which knows the offsets of the first kept record and of the last one given."""
        self.arrivals = Arrivals(last)
        self._database = database
        self._clock = clock
        self._retention_ms = round(retention_h * HOUR_MS)
        self._backlog = Backlog(clock, self._retention_ms, self._oldest_ms)
        self._first = first
        self._tail = Tail(last)
        self.held_keys = False
        self._committed: dict[str, int] = {}
        self._running: set[str] = set()
        self._uncut = False

    @classmethod
    async def open(cls, database: Database, clock: Clock, retention_h: float = 24) -> "SqliteLog":
        """The log that the database holds, or a new one in it."""
        await database.write(_make_tables)
        first, last, committed = await database.read(_read_ends)
        log = cls(database, clock, retention_h, first, last)
        log._committed = committed
        log.held_keys = await database.read(partial(_holds_keys, clock.now_ms()))
        return log

    async def append(self, event: Event) -> int:
        """Keep the event for good and return its offset."""
        await self._backlog.refuse_when_far()
        entry = _Entry(event, _encode(event), self._clock.now_ms(), keyed(event))
        outcome: _Outcome = await self._database.write(partial(_append, entry), partial(self._publish, entry))
        return outcome.offset

    def reader(self, group: str) -> Place:
        """Reads for the group, from above what it last committed; from now on it holds back `trim`."""
        self._running.add(group)
        return Place(self, group, self._committed.get(group, 0))

    async def lag(self, group: str) -> int:
        """How many records the group has yet to commit."""
        return self._tail.last - max(self._committed.get(group, 0), self._first - 1)

    async def behind_ms(self) -> int:
        """How old the oldest record is that some group here has yet to commit."""
        return await self._backlog.behind_ms()

    async def trim(self, now_ms: int) -> int:
        """Let go of what is old and committed by every group that has a reader here, of old keys and dead letters.

        The file's pages are overwritten and the write-ahead log is cut, so that nothing of it is left on the disk.
        """
        old_ms = now_ms - self._retention_ms
        gone = await self._all_steps(_TRIM_RECORDS, self._least_committed(), TRIM_ROWS, old_ms)
        await self._all_steps(_TRIM_KEYS, TRIM_ROWS, now_ms - KEY_MS)
        letters = await self._all_steps(_TRIM_LETTERS, TRIM_ROWS, old_ms)
        if gone:
            self._first, _, _ = await self._database.read(_read_ends)
            self._tail.drop_below(self._first)
        await self._cut(gone + letters)
        return gone

    async def first(self, stream: str, user: str, key: str) -> tuple[int, int] | None:
        """(comment id, digest of its text) that the key was first used for in the last ten minutes."""
        found = await self._database.read(partial(_find_key, stream, user, key, self._clock.now_ms()))
        return None if found is None else (found.comment_id, found.digest)

    async def since(self, at_ms: int) -> Sequence[Event]:
        """What was kept from `at_ms` on, oldest first; the newest 100,000 records are looked at."""
        return await self._database.read(partial(_events_since, at_ms))

    async def dead_letters(self) -> Sequence[DeadLetter]:
        """All that was buried and is still kept, oldest first."""
        return await self._database.read(_dead_letters)

    async def close(self) -> None:
        """Nothing is under way: whoever opened the database closes it."""

    # -- for its readers

    async def above(self, offset: int, limit: int) -> Sequence[Record]:
        """Kept records above the offset: from memory, from the file where memory does not reach back so far."""
        records = self._tail.above(offset, limit)
        return await self._database.read(partial(_records_above, offset, limit)) if records is None else records

    async def commit(self, group: str, offset: int) -> None:
        """The group is done up to the offset."""
        await self._database.write(partial(_commit, group, offset), partial(self._note_commit, group, offset))

    async def bury(self, group: str, record: Record, why: str) -> None:
        """Put the record among the dead letters."""
        letter = DeadLetter(group, record.offset, _encode(record.event), why, self._clock.now_ms())
        await self._database.write(partial(_bury, letter))

    # -- inside

    def _publish(self, entry: _Entry, outcome: _Outcome) -> None:
        """Show readers what the disk has; called in the order of offsets."""
        if outcome.fresh:
            self._tail.add(Record(outcome.offset, entry.event), len(entry.encoded))
            self.arrivals.note(outcome.offset)

    def _note_commit(self, group: str, offset: int, _: None) -> None:
        self._committed[group] = max(self._committed.get(group, 0), offset)

    def _least_committed(self) -> int:
        return min((self._committed.get(group, 0) for group in self._running), default=self._tail.last)

    async def _oldest_ms(self) -> int | None:
        query = "SELECT at_ms FROM record WHERE offset > ? ORDER BY offset LIMIT 1"
        committed = self._least_committed()
        if committed >= self._tail.last:
            return None
        row = await self._database.read(lambda c: c.execute(query, (committed,)).fetchone())
        return row[0] if row else None

    async def _all_steps(self, statement: str, *values: int) -> int:
        """Run a deletion of at most `TRIM_ROWS` rows until it finds none; how many went."""
        total = 0
        while changed := await self._database.write(partial(_change, statement, values)):
            total += changed
        return total

    async def _cut(self, gone: int) -> None:
        self._uncut = self._uncut or gone > 0
        if self._uncut:
            await self._database.checkpoint()
            self._uncut = False


_TRIM_RECORDS = """DELETE FROM record WHERE offset IN
    (SELECT offset FROM record WHERE offset <= ? ORDER BY offset LIMIT ?) AND at_ms < ?"""
_TRIM_KEYS = "DELETE FROM used_key WHERE offset IN (SELECT offset FROM used_key ORDER BY offset LIMIT ?) AND at_ms <= ?"
_TRIM_LETTERS = (
    "DELETE FROM dead_letter WHERE place IN (SELECT place FROM dead_letter ORDER BY place LIMIT ?) AND at_ms < ?"
)
_DEAD_LETTERS = "SELECT reader, offset, event, why, at_ms FROM dead_letter ORDER BY place"


class _Found(NamedTuple):
    offset: int
    comment_id: int
    digest: int


def _dead_letters(connection: apsw.Connection) -> Sequence[DeadLetter]:
    rows: Iterable[tuple[Any, ...]] = connection.execute(_DEAD_LETTERS)
    return [DeadLetter(*row) for row in rows]


def _make_tables(connection: apsw.Connection) -> None:
    connection.execute(SCHEMA)


def _change(statement: str, values: Sequence[Any], connection: apsw.Connection) -> int:
    connection.execute(statement, values)
    return connection.changes()


def _read_ends(connection: apsw.Connection) -> tuple[int, int, dict[str, int]]:
    """The offset of the first kept record (of the next where none is kept), of the last one given, and the groups'."""
    last = _number(connection, "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'record'")
    first = _number(connection, "SELECT coalesce(min(offset), ?) FROM record", last + 1)
    return first, last, dict(connection.execute("SELECT name, upto FROM reading"))


def _number(connection: apsw.Connection, query: str, *values: int) -> int:
    rows: Iterable[tuple[Any, ...]] = connection.execute(query, values)
    return int(next(iter(rows))[0])


def _append(entry: _Entry, connection: apsw.Connection) -> _Outcome:
    if entry.use is None:
        return _Outcome(_insert(entry, connection), fresh=True)
    stream, user, key, comment_id, digest = entry.use
    found = _find_key(stream, user, key, entry.at_ms, connection)
    if found is None:
        offset = _insert(entry, connection)
        row = (offset, entry.at_ms, stream, user, key, comment_id, _signed(digest))
        connection.execute("INSERT OR REPLACE INTO used_key VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        return _Outcome(offset, fresh=True)
    if found.comment_id != comment_id:
        raise Unavailable("the key was first used for another comment")
    return _Outcome(found.offset, fresh=False)


def _insert(entry: _Entry, connection: apsw.Connection) -> int:
    connection.execute("INSERT INTO record (at_ms, event) VALUES (?, ?)", (entry.at_ms, entry.encoded))
    return connection.last_insert_rowid()


def _find_key(stream: str, user: str, key: str, now_ms: int, connection: apsw.Connection) -> _Found | None:
    row = connection.execute(
        "SELECT offset, comment, digest FROM used_key WHERE stream = ? AND user = ? AND key = ? AND at_ms > ?",
        (stream, user, key, now_ms - KEY_MS),
    ).fetchone()
    return _Found(row[0], row[1], row[2] % (1 << 64)) if row else None


def _holds_keys(now_ms: int, connection: apsw.Connection) -> bool:
    newest = connection.execute("SELECT at_ms FROM used_key ORDER BY offset DESC LIMIT 1").fetchone()
    return newest is not None and newest[0] > now_ms - KEY_MS


def _signed(digest: int) -> int:
    """SQLite's integers have a sign."""
    return digest - (1 << 64) if digest >= 1 << 63 else digest


def _records_above(offset: int, limit: int, connection: apsw.Connection) -> Sequence[Record]:
    rows = connection.execute(
        "SELECT offset, event FROM record WHERE offset > ? ORDER BY offset LIMIT ?", (offset, limit)
    )
    return [Record(at, _decode(event)) for at, event in rows]


def _events_since(at_ms: int, connection: apsw.Connection) -> Sequence[Event]:
    rows = connection.execute("SELECT at_ms, event FROM record ORDER BY offset DESC LIMIT ?", (SINCE_RECORDS,))
    events = [_decode(event) for at, event in rows if at >= at_ms]
    return events[::-1]


def _commit(group: str, offset: int, connection: apsw.Connection) -> None:
    connection.execute(
        "INSERT INTO reading VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET upto = max(upto, excluded.upto)",
        (group, offset),
    )


def _bury(letter: DeadLetter, connection: apsw.Connection) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO dead_letter (reader, offset, event, why, at_ms) VALUES (?, ?, ?, ?, ?)", letter
    )
    connection.execute(
        "DELETE FROM dead_letter WHERE place IN (SELECT place FROM dead_letter ORDER BY place DESC LIMIT -1 OFFSET ?)",
        (DEAD_LETTERS,),
    )
