"""A file that is not a whole database of ours is not opened."""

import os
from pathlib import Path

import apsw
import pytest

from tests.tools import run
from uproar.core.errors import Misconfigured
from uproar.sqlite import Database


@pytest.fixture
def path(tmp_path):
    return tmp_path / "uproar.db"


def done(connection, statement):
    connection.execute(statement)


def made(path):
    async def main():
        database = Database(path)
        await database.write(lambda c: done(c, "CREATE TABLE number (n)"))
        for _ in range(10):
            await database.write(lambda c: done(c, "INSERT INTO number VALUES (zeroblob(8000))"))
        await database.close()

    run(main())


def of_another_program(path):
    path.unlink()
    apsw.Connection(str(path)).execute("CREATE TABLE theirs (n)")


def of_another_format(path):
    apsw.Connection(str(path)).pragma("user_version", 99)


def only_its_wal(path):
    path.unlink()
    Path(f"{path}-wal").write_bytes(b"x" * 5000)


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("hello " * 1000),
    "half a page": lambda path: os.truncate(path, 2000),
    "half a file": lambda path: os.truncate(path, 40960),
    "header": lambda path: path.write_bytes(b"X" + path.read_bytes()[1:]),
    "another program's": of_another_program,
    "another format": of_another_format,
    "only its log": only_its_wal,
    "a directory": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_not_a_whole_database_of_ours_is_refused_with_a_sentence(damage, path):
    made(path)
    DAMAGES[damage](path)
    with pytest.raises(Misconfigured, match=r"uproar\.db .*"):
        Database(path)
