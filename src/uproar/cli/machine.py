"""What `uproar doctor` asks of the machine: each check looks at one thing and says what it found."""

import errno
import os
import resource
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import apsw

from uproar.cli.finding import BROKEN, OK, WARNING, Finding, State
from uproar.cli.holding import existing, held
from uproar.settings import Settings

PYTHON: Final = (3, 11)
SQLITE: Final = (3, 51, 3)  # earlier ones can lose a commit when the WAL is reset (sqlite.org/wal.html)
VIEWERS: Final = 10_000  # what one gateway is built for
OWN_DESCRIPTORS: Final = 100
LITTLE_BYTES: Final = 1 << 30
NO_BYTES: Final = 100 << 20
SLOW_SYNC_S: Final = 0.02
SYNCS: Final = 9


def python(settings: Settings, data: Path) -> Finding:
    """The interpreter's version."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON:
        return Finding(BROKEN, f"Python {found}", "Install Python 3.11 or later.")
    return Finding(OK, f"Python {found}")


def event_loop(settings: Settings, data: Path) -> Finding:
    """Whether uvloop is installed."""
    try:
        return Finding(OK, f"uvloop {version('uvloop')}")
    except PackageNotFoundError:
        return Finding(BROKEN, "uvloop is missing", "Install the requirements again: make install.")


def sqlite(settings: Settings, data: Path) -> Finding:
    """The SQLite library's version."""
    found = apsw.sqlite_lib_version()
    if tuple(map(int, found.split("."))) < SQLITE:
        return Finding(BROKEN, f"SQLite {found} can lose commits", "Install a later apsw: make install.")
    return Finding(OK, f"SQLite {found}")


def descriptors(settings: Settings, data: Path) -> Finding:
    """How many viewers the hard limit of open files leaves room for; a server raises its own to that."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    room = VIEWERS if most == resource.RLIM_INFINITY else max(0, most - OWN_DESCRIPTORS)
    if room >= VIEWERS:
        return Finding(OK, f"open files: room for {VIEWERS:,} viewers and more")
    mend = f"Raise the hard limit (ulimit -Hn) to {VIEWERS + OWN_DESCRIPTORS}."
    return Finding(WARNING, f"open files: {most:,}, room for {room:,} viewers", mend)


def disk(settings: Settings, data: Path) -> Finding:
    """Free space where the data are or will be."""
    free = shutil.disk_usage(existing(data)).free
    what = f"disk: {free / (1 << 30):,.1f} GiB free"
    if free < NO_BYTES:
        return Finding(BROKEN, what, "Free some space: without it posts are refused.")
    if free < LITTLE_BYTES:
        return Finding(WARNING, what, "Free some space, or choose another --data.")
    return Finding(OK, what)


def ports(settings: Settings, data: Path) -> Finding:
    """Whether the two ports are free."""
    wanted = [(settings.host, settings.port, "port"), (settings.admin_host, settings.admin_port, "admin_port")]
    taken = [(port, name, fault) for host, port, name in wanted if (fault := _port_fault(host, port))]
    if not taken:
        return Finding(OK, f"ports {settings.port} and {settings.admin_port} are free")
    port, name, fault = taken[0]
    with held(data) as free:
        state: State = BROKEN if free else WARNING
    return Finding(state, f"port {port}: {fault}", f"End what uses it, or choose another {name}.")


def sync(settings: Settings, data: Path) -> Finding:
    """How long the disk takes to keep a page: every ack waits for that."""
    try:
        took_s = statistics.median(_sync_times_s(existing(data)))
    except OSError as fault:
        return Finding(BROKEN, f"the disk keeps nothing: {fault.strerror}", "Choose another --data.")
    what = f"the disk keeps a page in {took_s * 1_000:.2f} ms"
    if took_s > SLOW_SYNC_S:
        return Finding(WARNING, what, "Every ack waits for that: choose a --data on a faster disk.")
    return Finding(OK, what)


MACHINE: Final[tuple[Callable[[Settings, Path], Finding], ...]] = (
    python,
    event_loop,
    sqlite,
    descriptors,
    disk,
    ports,
    sync,
)


def _port_fault(host: str, port: int) -> str | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as fault:
        return "in use" if fault.errno == errno.EADDRINUSE else str(fault.strerror)
    return None


def _sync_times_s(directory: Path) -> list[float]:
    with tempfile.TemporaryFile(dir=directory) as file:
        return [_sync_s(file.fileno()) for _ in range(SYNCS)]


def _sync_s(descriptor: int) -> float:
    start_s = time.perf_counter()
    os.write(descriptor, bytes(4_096))
    os.fdatasync(descriptor)
    return time.perf_counter() - start_s
