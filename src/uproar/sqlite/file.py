"""The database file: made whole, opened for writing or reading, and refused when it is damaged or not ours."""

import os
from pathlib import Path
from typing import Final

import apsw

from uproar.core.errors import Misconfigured

WAL_BYTES = 16 << 20  # what a slow reader let it grow beyond this is given back
CACHE_KIB = 16 << 10
PAGE_BYTES = 4096
BUSY_MS = 1000  # for a stranger who holds the file, as a shell with an open transaction does

FORMAT: Final = 2
APPLICATION: Final = 0x7570726F  # "upro": tells our files from others'


def open_writer(path: Path) -> apsw.Connection:
    """The file opened for its one writer, made where there is none; `Misconfigured` when it is damaged or not ours."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        elif path.stat().st_size == 0:
            raise apsw.NotADBError("it is empty")
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        _set_up(connection)
        _check(path, connection)
        truncate_wal(connection)
    except (apsw.NotADBError, apsw.CorruptError) as error:
        sentence = f"{path} is not a whole database of uproar ({error}); put back a copy, or move it away to begin anew"
        raise Misconfigured(sentence) from error
    except (apsw.Error, OSError) as error:
        raise Misconfigured(
            f"{path} cannot be opened for writing ({error}); see who owns it and what else has it open"
        ) from error
    return connection


def _make(path: Path) -> None:
    """Make the file beside its place and move it there whole: an empty one can only be a damaged one."""
    if path.with_name(path.name + "-wal").exists():
        raise apsw.NotADBError("its write-ahead log is there without it")
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    connection = apsw.Connection(str(fresh))
    connection.pragma("page_size", PAGE_BYTES)
    connection.pragma("application_id", APPLICATION)
    connection.pragma("user_version", FORMAT)
    connection.pragma("journal_mode", "wal")
    connection.close()
    fresh.rename(path)
    _sync_directory(path.parent)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _set_up(connection: apsw.Connection) -> None:
    connection.set_busy_timeout(BUSY_MS)
    connection.pragma("synchronous", "full")
    connection.pragma("secure_delete", "on")
    connection.pragma("journal_size_limit", WAL_BYTES)
    connection.pragma("cache_size", -CACHE_KIB)


def _check(path: Path, connection: apsw.Connection) -> None:
    """What can be seen without reading the whole file: header, length, whose it is, its format and its tables."""
    if connection.pragma("application_id") != APPLICATION:
        raise apsw.NotADBError("another program made it")
    if (found := connection.pragma("user_version")) != FORMAT:
        raise Misconfigured(
            f"{path} has format {found}, this version of uproar reads {FORMAT}; run the one that wrote it"
        )
    connection.execute("SELECT count(*) FROM sqlite_schema").fetchall()


def open_reader(path: Path) -> apsw.Connection:
    """A connection that only reads."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    connection.set_busy_timeout(BUSY_MS)
    return connection


def truncate_wal(connection: apsw.Connection) -> None:
    """Move the write-ahead log into the file and cut it to nothing."""
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
