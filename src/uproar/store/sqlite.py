"""The store in a SQLite file: history of one process, on the data directory's one writer."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import apsw
import msgspec

from uproar.core.comment import Comment
from uproar.core.errors import Unavailable
from uproar.core.ids import EPOCH_MS, WRITERS, at_ms
from uproar.core.stream import Stream
from uproar.sqlite import Database
from uproar.store import GATEWAY_RUNS, Ban, Deed, Kept, Lease
from uproar.store import sqlite_comments as sql
from uproar.store.tables import SCHEMA

_T = TypeVar("_T")
_Job = Callable[[apsw.Connection], _T]

_encode = msgspec.json.Encoder().encode
_stream = msgspec.json.Decoder(Stream)


class SqliteStore:
    """Keeps everything in tables of the data directory's database; see the port for what it promises."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._made = False

    # -- comments

    async def save(self, comments: Sequence[Comment]) -> None:
        """Keep comments."""
        for chunk in _chunks(comments):
            await self._write(lambda c, some=chunk: sql.save(c, some))  # type: ignore[misc]

    async def remove(self, stream: str, comment_ids: Sequence[int], by: str) -> None:
        """Take comments out of every page."""
        for chunk in _chunks(comment_ids):
            await self._write(lambda c, some=chunk: sql.remove(c, stream, some, by))  # type: ignore[misc]

    async def remove_user(self, stream: str, user: str, upto: int, by: str) -> None:
        """Take out all that the user wrote in the stream up to an id."""
        await self._write(lambda c: sql.note_removed_user(c, stream, user, upto, by))
        while await self._write(lambda c: sql.remove_some_of_user(c, stream, user, upto, by)):
            pass

    async def restore(self, stream: str, comment_id: int) -> None:
        """Undo `remove`."""
        await self._write(lambda c: sql.restore(c, stream, comment_id))

    async def comment(self, stream: str, comment_id: int) -> Kept | None:
        """One comment, removed ones included."""
        return await self._read(lambda c: sql.comment(c, stream, comment_id))

    async def page(self, stream: str, *, before: int | None, after: int | None, limit: int) -> Sequence[Kept]:
        """Standing comments, newest first."""
        return await self._read(lambda c: sql.page(c, stream, before, after, limit))

    async def replies(self, stream: str, parent_id: int, *, after: int | None, limit: int) -> Sequence[Kept]:
        """Standing replies to a comment, oldest first."""
        return await self._read(lambda c: sql.replies(c, stream, parent_id, after, limit))

    async def by_user(self, user: str, *, before: int | None, after: int | None, limit: int) -> Sequence[Kept]:
        """What a user wrote anywhere, newest first."""
        return await self._read(lambda c: sql.by_user(c, user, before, after, limit))

    async def span(self, stream: str, from_id: int, to_id: int, limit: int) -> Sequence[Kept]:
        """Standing comments between two ids, oldest first."""
        return await self._read(lambda c: sql.span(c, stream, from_id, to_id, limit))

    async def count(self, stream: str) -> int:
        """How many comments stand in the stream."""
        return await self._read(lambda c: sql.count(c, stream))

    async def wrote_in(self, user: str) -> Sequence[str]:
        """The streams in which the user wrote."""
        query = "SELECT stream FROM erased_in WHERE user = ? UNION SELECT stream FROM comment WHERE user = ?"
        return [stream for (stream,) in await self._rows(query, user, user)]

    async def erase(self, user: str, upto: int) -> None:
        """Forget all text of the user up to an id."""
        await self._write(lambda c: sql.note_erased(c, user, upto))
        while await self._write(lambda c: sql.erase_some(c, user, upto)):
            pass

    async def erased_upto(self, user: str) -> int:
        """The highest id up to which the user was erased."""
        return await self._value("SELECT upto FROM erased WHERE user = ?", user) or 0

    # -- likes and reactions

    async def like(self, stream: str, comment_id: int, user: str, on: bool) -> None:
        """Put the user into or out of the comment's set."""
        put = "INSERT OR IGNORE INTO liking VALUES (?, ?, ?)"
        take = "DELETE FROM liking WHERE stream = ? AND comment = ? AND user = ?"
        await self._change(put if on else take, stream, comment_id, user)

    async def likes(self, stream: str, comment_ids: Sequence[int]) -> dict[int, frozenset[str]]:
        """Who likes each of these comments."""
        query = "SELECT user FROM liking WHERE stream = ? AND comment = ?"

        def who(c: apsw.Connection) -> dict[int, frozenset[str]]:
            return {i: frozenset(user for (user,) in c.execute(query, (stream, i))) for i in comment_ids}

        return await self._read(who)

    async def react(self, stream: str, gateway: str, number: int, at_ms: int, counts: dict[str, int]) -> None:
        """Add one count by a gateway's run."""
        await self._write(lambda c: _react(c, stream, gateway, number, at_ms, counts))

    async def reactions(self, stream: str) -> dict[str, int]:
        """Totals by kind."""
        return dict(await self._rows("SELECT kind, count FROM reaction_total WHERE stream = ?", stream))

    async def reactions_by_second(self, stream: str, from_ms: int, to_ms: int) -> dict[int, dict[str, int]]:
        """Counts by second and kind."""
        rows = await self._rows(
            "SELECT second_ms, kind, count FROM reaction"
            " WHERE stream = ? AND second_ms >= ? AND second_ms < ? ORDER BY second_ms",
            stream, from_ms, to_ms,
        )  # fmt: skip
        seconds: dict[int, dict[str, int]] = {}
        for second_ms, kind, count in rows:
            seconds.setdefault(second_ms, {})[kind] = count
        return seconds

    # -- pins

    async def pin(self, stream: str, comment_id: int, until_ms: int | None) -> None:
        """Note a pin and its end."""
        await self._change(
            "INSERT OR REPLACE INTO pin (stream, comment, until_ms) VALUES (?, ?, ?)",
            stream, comment_id, until_ms,
        )  # fmt: skip

    async def unpin(self, stream: str, comment_id: int) -> None:
        """Drop the note."""
        await self._change("DELETE FROM pin WHERE stream = ? AND comment = ?", stream, comment_id)

    async def pinned(self, stream: str) -> Sequence[int]:
        """Ids pinned in the stream."""
        return [i for (i,) in await self._rows("SELECT comment FROM pin WHERE stream = ? ORDER BY place", stream)]

    async def pins_over(self, now_ms: int) -> Sequence[tuple[str, int]]:
        """(stream, comment id) of pins whose end has come."""
        return await self._rows("SELECT stream, comment FROM pin WHERE until_ms <= ?", now_ms)

    # -- streams and people

    async def put_stream(self, stream: Stream) -> None:
        """Make or change a stream."""
        await self._change("INSERT OR REPLACE INTO stream VALUES (?, ?)", stream.id, _encode(stream))

    async def stream(self, stream: str) -> Stream | None:
        """The stream, or None."""
        facts = await self._value("SELECT facts FROM stream WHERE id = ?", stream)
        return None if facts is None else _stream.decode(facts)

    async def ban(self, stream: str, ban: Ban, offset: int) -> None:
        """Ban or time out."""
        await self._change(_RULE, stream, *ban, True, offset)

    async def unban(self, stream: str, user: str, offset: int) -> None:
        """Lift it."""
        await self._change(_RULE, stream, user, None, "", False, offset)

    async def banned(self, stream: str, user: str) -> Ban | None:
        """The user's ban in the stream."""
        query = "SELECT user, until_ms, why FROM ban WHERE stream = ? AND user = ? AND holds"
        rows = await self._rows(query, stream, user)
        return Ban(*rows[0]) if rows else None

    async def reputation(self, user: str) -> float | None:
        """0 to 1, or None."""
        value: float | None = await self._value("SELECT value FROM reputation WHERE user = ?", user)
        return value

    async def set_reputation(self, user: str, value: float) -> None:
        """Keep it."""
        await self._change("INSERT OR REPLACE INTO reputation VALUES (?, ?)", user, value)

    async def report(self, stream: str, comment_id: int, user: str, why: str, at_ms: int) -> None:
        """Keep a report."""

        def keep(c: apsw.Connection) -> None:
            if at_ms > _erased_until(c, user):
                c.execute(
                    "INSERT OR IGNORE INTO report (stream, comment, user, why, at_ms) VALUES (?, ?, ?, ?, ?)",
                    (stream, comment_id, user, why, at_ms),
                )

        await self._write(keep)

    async def reports(self, stream: str, comment_id: int) -> Sequence[tuple[str, str]]:
        """(user, why) of those who reported the comment."""
        query = "SELECT user, why FROM report WHERE stream = ? AND comment = ? ORDER BY place"
        return await self._rows(query, stream, comment_id)

    async def note(self, stream: str, deed: Deed) -> None:
        """Add a line to the stream's audit."""

        def keep(c: apsw.Connection) -> None:
            why = deed.why if deed.at_ms > _erased_until(c, deed.by) else ""
            c.execute(
                "INSERT OR IGNORE INTO audit (stream, at_ms, by, deed, target, why) VALUES (?, ?, ?, ?, ?, ?)",
                (stream, *deed._replace(why=why)),
            )

        await self._write(keep)

    async def audit(self, stream: str, limit: int) -> Sequence[Deed]:
        """The newest lines, newest first."""
        rows = await self._rows(
            "SELECT at_ms, by, deed, target, why FROM audit WHERE stream = ? ORDER BY at_ms DESC, place DESC LIMIT ?",
            stream, sql.bounded(limit),
        )  # fmt: skip
        return [Deed(*row) for row in rows]

    # -- writers

    async def lease(self, holder: str, now_ms: int, span_ms: int) -> Lease:
        """A free writer number for the holder, or its own, made longer."""
        return await self._write(lambda c: _lease(c, holder, now_ms, span_ms))

    async def close(self) -> None:
        """Nothing is under way: whoever opened the database closes it."""

    # -- the database

    async def _write(self, job: _Job[_T]) -> _T:
        await self._ready()
        return await self._database.write(job)

    async def _read(self, job: _Job[_T]) -> _T:
        await self._ready()
        return await self._database.read(job)

    async def _ready(self) -> None:
        if not self._made:
            await self._database.write(_make_tables)
            self._made = True

    async def _change(self, statement: str, *values: Any) -> None:
        await self._write(lambda c: _execute(c, statement, values))

    async def _rows(self, query: str, *values: Any) -> list[Any]:
        return await self._read(lambda c: c.execute(query, values).fetchall())

    async def _value(self, query: str, *values: Any) -> Any:
        rows = await self._rows(query, *values)
        return rows[0][0] if rows else None


def _make_tables(connection: apsw.Connection) -> None:
    connection.execute(SCHEMA)


def _execute(connection: apsw.Connection, statement: str, values: Sequence[Any]) -> None:
    connection.execute(statement, values)


def _chunks(things: Sequence[_T]) -> list[Sequence[_T]]:
    return [things[at : at + sql.CHUNK] for at in range(0, len(things), sql.CHUNK)]


_RULE = """
INSERT INTO ban VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE
SET until_ms = excluded.until_ms, why = excluded.why, holds = excluded.holds, offset = excluded.offset
WHERE excluded.offset >= offset
"""


def _erased_until(connection: apsw.Connection, user: str) -> int:
    """Milliseconds since 1970 up to which the user's words are forgotten."""
    row = connection.execute("SELECT upto FROM erased WHERE user = ?", (user,)).fetchone()
    return at_ms(row[0]) if row else EPOCH_MS - 1


def _react(
    connection: apsw.Connection, stream: str, gateway: str, number: int, at_ms: int, counts: dict[str, int]
) -> None:
    run = (stream, gateway)
    last = connection.execute("SELECT number FROM counted WHERE stream = ? AND gateway = ?", run).fetchone()
    if last and number <= last[0]:
        return
    connection.execute("INSERT OR REPLACE INTO counted (stream, gateway, number) VALUES (?, ?, ?)", (*run, number))
    connection.execute(
        "DELETE FROM counted WHERE turn IN"
        " (SELECT turn FROM counted WHERE stream = ? ORDER BY turn DESC LIMIT -1 OFFSET ?)",
        (stream, GATEWAY_RUNS),
    )
    for kind, count in counts.items():
        _add_reactions(connection, stream, at_ms // 1000 * 1000, kind, count)


def _add_reactions(connection: apsw.Connection, stream: str, second_ms: int, kind: str, count: int) -> None:
    add = "ON CONFLICT DO UPDATE SET count = count + excluded.count"
    connection.execute(f"INSERT INTO reaction VALUES (?, ?, ?, ?) {add}", (stream, second_ms, kind, count))
    connection.execute(f"INSERT INTO reaction_total VALUES (?, ?, ?) {add}", (stream, kind, count))


def _lease(connection: apsw.Connection, holder: str, now_ms: int, span_ms: int) -> Lease:
    held = connection.execute(
        "SELECT writer, from_ms, until_ms FROM writer WHERE holder = ? AND until_ms > ?", (holder, now_ms)
    ).fetchone()
    lease = Lease(*held) if held else _free(connection, now_ms)
    lease = lease._replace(until_ms=max(lease.until_ms, max(now_ms, lease.from_ms) + span_ms))
    row = (lease.writer, holder, lease.from_ms, lease.until_ms)
    connection.execute("INSERT OR REPLACE INTO writer VALUES (?, ?, ?, ?)", row)
    return lease


def _free(connection: apsw.Connection, now_ms: int) -> Lease:
    taken = {writer for (writer,) in connection.execute("SELECT writer FROM writer WHERE until_ms > ?", (now_ms,))}
    free = next((writer for writer in range(WRITERS) if writer not in taken), None)
    if free is None:
        raise Unavailable("all writer numbers are out")
    uptos = connection.execute("SELECT max(upto) FROM erased UNION ALL SELECT max(upto) FROM removed_user")
    from_ms = max(now_ms, *(at_ms(upto or 0) + 1 for (upto,) in uptos))
    return Lease(free, from_ms, from_ms)
