"""The SQLite store's comments: jobs over a connection."""

from collections.abc import Iterable, Sequence
from typing import Any

import apsw
import msgspec

from uproar.core.comment import Comment, Parent, User
from uproar.core.ids import at_ms
from uproar.store import PAGE_LIMIT, Kept

CHUNK = 250
"""A job touches at most so many comments, so that the others' jobs get their turn."""

_encode = msgspec.msgpack.Encoder().encode
_user = msgspec.msgpack.Decoder(User)

_SAVE = """
INSERT OR IGNORE INTO comment
SELECT :stream, :id, :user, :who, :text, :parent, :parent_user,
    CASE WHEN EXISTS (SELECT 1 FROM erased WHERE user = :parent_user AND upto >= :parent) THEN '' ELSE :parent_text END,
    (SELECT count(*) FROM liking WHERE stream = :stream AND comment = :id),
    coalesce(
        (SELECT by FROM tombstone WHERE stream = :stream AND id = :id),
        (SELECT by FROM removed_user WHERE stream = :stream AND user = :user AND upto >= :id),
        '')
WHERE NOT EXISTS (SELECT 1 FROM erased WHERE user = :user AND upto >= :id)
"""

# a preview is blank once its parent is removed, be that saved or still on its way
_KEPT = """
SELECT c.id, c.stream, c.who, c.text, c.parent, c.parent_user,
    CASE
        WHEN c.parent IS NULL OR c.parent_text = '' THEN ''
        WHEN p.id IS NOT NULL THEN iif(p.removed_by = '', c.parent_text, '')
        WHEN EXISTS (SELECT 1 FROM tombstone t WHERE t.stream = c.stream AND t.id = c.parent)
            OR EXISTS (SELECT 1 FROM removed_user u
                WHERE u.stream = c.stream AND u.user = c.parent_user AND u.upto >= c.parent) THEN ''
        ELSE c.parent_text
    END,
    c.likes, c.removed_by
FROM comment c LEFT JOIN comment p ON p.stream = c.stream AND p.id = c.parent
"""
_HIGHEST = (1 << 63) - 1

# `+` before a column keeps it from choosing the index: a stream is long, a thread or a user's part of it is short


def save(connection: apsw.Connection, comments: Sequence[Comment]) -> None:
    """Keep comments that are new and not erased; removals that came before them hold."""
    connection.executemany(_SAVE, map(_columns, comments))
    ids = ((comment.stream, comment.id) for comment in comments)
    connection.executemany("DELETE FROM tombstone WHERE stream = ? AND id = ?", ids)


def remove(connection: apsw.Connection, stream: str, ids: Sequence[int], by: str) -> None:
    """Mark what is saved and leave a tombstone for what is not; the first remover stands."""
    for comment_id in ids:
        connection.execute(
            "UPDATE comment SET removed_by = ? WHERE stream = ? AND id = ? AND removed_by = ''",
            (by, stream, comment_id),
        )
        connection.execute(
            "INSERT OR IGNORE INTO tombstone SELECT :stream, :id, :by"
            " WHERE NOT EXISTS (SELECT 1 FROM comment WHERE stream = :stream AND id = :id)",
            {"stream": stream, "id": comment_id, "by": by},
        )


def note_removed_user(connection: apsw.Connection, stream: str, user: str, upto: int, by: str) -> None:
    """From now on the user's comments up to the id are removed as they are saved."""
    connection.execute(
        "INSERT INTO removed_user VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET upto = excluded.upto, by = excluded.by WHERE excluded.upto > upto",
        (stream, user, upto, by),
    )


def remove_some_of_user(connection: apsw.Connection, stream: str, user: str, upto: int, by: str) -> bool:
    """Remove at most `CHUNK` of the user's saved comments; whether there may be more."""
    connection.execute(
        "UPDATE comment SET removed_by = :by WHERE stream = :stream AND id IN (SELECT id FROM comment"
        " WHERE user = :user AND id <= :upto AND +stream = :stream AND removed_by = '' LIMIT :chunk)",
        {"stream": stream, "user": user, "upto": upto, "by": by, "chunk": CHUNK},
    )
    return connection.changes() == CHUNK


def restore(connection: apsw.Connection, stream: str, comment_id: int) -> None:
    """Undo a removal."""
    connection.execute(
        "UPDATE comment SET removed_by = '' WHERE stream = ? AND id = ? AND removed_by <> ''", (stream, comment_id)
    )
    connection.execute("DELETE FROM tombstone WHERE stream = ? AND id = ?", (stream, comment_id))


def comment(connection: apsw.Connection, stream: str, comment_id: int) -> Kept | None:
    """One comment, removed or not."""
    found = _all(connection, "WHERE c.stream = ? AND c.id = ?", (stream, comment_id))
    return found[0] if found else None


def page(connection: apsw.Connection, stream: str, before: int | None, after: int | None, limit: int) -> list[Kept]:
    """Standing comments of the stream, newest first."""
    return _page(connection, "c.stream = ? AND c.removed_by = ''", stream, before, after, limit)


def by_user(connection: apsw.Connection, user: str, before: int | None, after: int | None, limit: int) -> list[Kept]:
    """The user's comments, newest first."""
    return _page(connection, "c.user = ?", user, before, after, limit)


def _page(
    connection: apsw.Connection, where: str, whose: str, before: int | None, after: int | None, limit: int
) -> list[Kept]:
    order = "DESC" if after is None else "ASC"
    found = _all(
        connection,
        f"WHERE {where} AND c.id > ? AND c.id < ? ORDER BY c.id {order} LIMIT ?",
        (whose, -1 if after is None else after, _HIGHEST if before is None else before, bounded(limit)),
    )
    return found if after is None else found[::-1]


def replies(connection: apsw.Connection, stream: str, parent_id: int, after: int | None, limit: int) -> list[Kept]:
    """Standing replies, oldest first."""
    return _all(
        connection,
        "WHERE +c.stream = ? AND c.parent = ? AND c.id > ? AND c.removed_by = '' ORDER BY c.id LIMIT ?",
        (stream, parent_id, -1 if after is None else after, bounded(limit)),
    )


def span(connection: apsw.Connection, stream: str, from_id: int, to_id: int, limit: int) -> list[Kept]:
    """Standing comments from one id to below another, oldest first."""
    return _all(
        connection,
        "WHERE c.stream = ? AND c.id >= ? AND c.id < ? AND c.removed_by = '' ORDER BY c.id LIMIT ?",
        (stream, from_id, to_id, bounded(limit)),
    )


def count(connection: apsw.Connection, stream: str) -> int:
    """How many comments stand."""
    row = connection.execute("SELECT standing FROM tally WHERE stream = ?", (stream,)).fetchone()
    return row[0] if row else 0


def note_erased(connection: apsw.Connection, user: str, upto: int) -> None:
    """Remember the erasure and where the user wrote, and drop the user's reasons."""
    about = {"user": user, "upto": upto, "until_ms": at_ms(upto)}
    connection.execute(
        "INSERT INTO erased VALUES (:user, :upto) ON CONFLICT DO UPDATE SET upto = max(upto, excluded.upto)", about
    )
    connection.execute(
        "INSERT OR IGNORE INTO erased_in SELECT DISTINCT user, stream FROM comment WHERE user = :user AND id <= :upto",
        about,
    )
    connection.execute("DELETE FROM report WHERE user = :user AND at_ms <= :until_ms", about)
    connection.execute("UPDATE audit SET why = '' WHERE by = :user AND at_ms <= :until_ms", about)


def erase_some(connection: apsw.Connection, user: str, upto: int) -> bool:
    """Forget at most `CHUNK` of the user's comments, of previews of them, of likes; whether there may be more."""
    connection.execute(
        "DELETE FROM comment WHERE (stream, id) IN (SELECT stream, id FROM comment WHERE user = ? AND id <= ? LIMIT ?)",
        (user, upto, CHUNK),
    )
    more = connection.changes() == CHUNK
    connection.execute(
        "UPDATE comment SET parent_text = '' WHERE (stream, id) IN (SELECT stream, id FROM comment"
        " WHERE parent_user = ? AND parent IS NOT NULL AND parent <= ? AND parent_text <> '' LIMIT ?)",
        (user, upto, CHUNK),
    )
    more = more or connection.changes() == CHUNK
    connection.execute(
        "DELETE FROM liking WHERE (stream, comment, user) IN"
        " (SELECT stream, comment, user FROM liking WHERE user = ? LIMIT ?)",
        (user, CHUNK),
    )
    return more or connection.changes() == CHUNK


def bounded(limit: int) -> int:
    """The limit within a page's bound."""
    return max(0, min(limit, PAGE_LIMIT))


def _columns(comment: Comment) -> dict[str, Any]:
    parent = comment.reply_to
    return {
        "stream": comment.stream,
        "id": comment.id,
        "user": comment.user.id,
        "who": _encode(comment.user),
        "text": comment.text,
        "parent": parent and parent.id,
        "parent_user": parent and parent.user,
        "parent_text": parent and parent.text,
    }


def _all(connection: apsw.Connection, where: str, values: Iterable[Any]) -> list[Kept]:
    return [_kept(*row) for row in connection.execute(_KEPT + where, tuple(values))]


def _kept(
    comment_id: int, stream: str, who: bytes, text: str, parent: int | None, parent_user: str, parent_text: str,
    likes: int, removed_by: str,
) -> Kept:  # fmt: skip
    reply_to = None if parent is None else Parent(parent, parent_user, parent_text)
    return Kept(Comment(comment_id, stream, _user.decode(who), text, reply_to), likes, removed_by)
