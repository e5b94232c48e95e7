"""What `uproar doctor` asks of the data directory: each check looks at one thing, and changes nothing."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import apsw

from uproar.cli import secret
from uproar.cli.finding import BROKEN, OK, WARNING, Finding
from uproar.core.errors import Misconfigured
from uproar.settings import Settings

LOCK: Final = "lock"
CLOCK_START_S: Final = 1_735_689_600  # 2025: no clock that is right shows an earlier time
CLOCK_STEP_S: Final = 60


def directory(settings: Settings, data: Path) -> Finding:
    """Whether the data directory can be used, by this user alone."""
    if not data.exists():
        return _can_be_made(data)
    if not data.is_dir() or not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        return Finding(BROKEN, f"{data} is no directory of ours", f"Choose another --data, or: chown $(id -u) {data}.")
    if data.stat().st_mode & 0o022:
        return Finding(WARNING, f"{data} may be written by others", f"chmod go-w {data}")
    return Finding(OK, f"{data} is ours")


def key(settings: Settings, data: Path) -> Finding:
    """Whether the secret is there, and nobody else's to read."""
    if settings.secret:
        return Finding(OK, "the secret is configured")
    file = data / secret.FILE
    if not file.exists():
        return Finding(OK, "the secret will be made at first start")
    if file.stat().st_mode & 0o077:
        return Finding(BROKEN, f"{file} is open to others on this machine", f"chmod 600 {file}")
    return Finding(OK, f"{file} is ours alone")


def public_keys(settings: Settings, data: Path) -> Finding:
    """Whether the configured public keys can be used."""
    if not settings.jwt_keys:
        return Finding(OK, "no public keys are configured")
    try:
        found = secret.read_public(settings)
    except Misconfigured as fault:
        return Finding(BROKEN, str(fault), "Mend that file, or leave jwt_keys empty.")
    return Finding(OK, f"{settings.jwt_keys} holds {len(found)} usable keys")


def database(settings: Settings, data: Path) -> Finding:
    """Whether the kept data are whole; not asked while a server holds them."""
    with held(data) as free:
        if not free:
            return Finding(
                WARNING, f"a server holds {data}: its databases were not looked at", "Stop it to check them."
            )
        wrong = next(filter(None, map(_fault, _databases(data))), None)
    if wrong:
        return Finding(BROKEN, wrong, "Put the last backup back; keep the damaged file aside.")
    return Finding(OK, "the kept data are whole" if _databases(data) else "nothing is kept yet")


def clock(settings: Settings, data: Path) -> Finding:
    """Whether the clock can be right: not before this was written, not before the data were."""
    now_s = time.time()
    newest_s = max((file.stat().st_mtime for file in _files(data)), default=0.0)
    if now_s < CLOCK_START_S:
        return Finding(
            BROKEN, f"the clock says {time.strftime('%Y-%m-%d')}", "Set the clock: tokens and ids depend on it."
        )
    if now_s < newest_s - CLOCK_STEP_S:
        return Finding(WARNING, f"the clock is {newest_s - now_s:.0f} s behind the data", "Set the clock, and run NTP.")
    return Finding(OK, f"the clock says {time.strftime('%Y-%m-%d %H:%M:%S %Z')}")


HOLDING: Final[tuple[Callable[[Settings, Path], Finding], ...]] = (directory, key, public_keys, database, clock)


@contextmanager
def held(data: Path) -> Iterator[bool]:
    """Whether no server holds the directory; while inside, none can take it."""
    file = data / LOCK
    if not file.exists() or not os.access(file, os.R_OK):
        yield True
        return
    with file.open("rb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def existing(path: Path) -> Path:
    """The directory itself, or the nearest one above it that is there."""
    return next(place for place in (path, *path.absolute().parents) if place.is_dir())


def _can_be_made(data: Path) -> Finding:
    parent = existing(data)
    if os.access(parent, os.W_OK | os.X_OK):
        return Finding(OK, f"{data} will be made")
    return Finding(BROKEN, f"{data} cannot be made: {parent} is not ours to write", "Choose another --data.")


def _files(data: Path) -> list[Path]:
    return [file for file in data.iterdir() if file.is_file()] if os.access(data, os.R_OK) and data.is_dir() else []


def _databases(data: Path) -> list[Path]:
    return [file for file in _files(data) if file.suffix == ".db"]


def _fault(file: Path) -> str | None:
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READONLY)
        try:
            answer = next(connection.execute("PRAGMA quick_check(1)"))[0]
        finally:
            connection.close()
    except apsw.Error as fault:
        return f"{file} is damaged: {fault}"
    return None if answer == "ok" else f"{file} is damaged: {answer}"
