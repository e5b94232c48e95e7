"""Runs a profile: its rounds one after the other, each in a folder of its own, off the server's core."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import Final

from msgspec.structs import asdict, replace

from uproar.bench.cores import SERVER_CPU, require
from uproar.bench.installed import NotHere
from uproar.bench.lines import Figures, Line, Report, Result, Round, Setup, is_figure
from uproar.bench.machine import machine, measured_version
from uproar.bench.profile import CannotMeasure, Profile, Wish
from uproar.bench.registry import PEERS
from uproar.bench.wording import contestant
from uproar.core.errors import Misconfigured
from uproar.native import RingSender, open_sender

Told = Callable[[Line], None]
TOO_SMALL: Final = "it came to 0 or less, below what this size can tell."


async def measured(profile: Profile, wish: Wish, told: Told) -> Result:
    """All rounds; `told` gets each line as it comes. What is wished and cannot be had is left out, and why is said."""
    setup = profile.setup(wish)
    result = Result(profile.name, setup, [], profile.unheeded(wish))
    try:
        require(2, "one for the server and one for its viewers")
        result.absent.update(_absent(setup))
        setup = _without(setup, result.absent)
        with _off_the_servers_core():
            for number in range(1, setup.rounds + 1 if setup.senders else 1):
                await _round(profile, Round(**asdict(setup), number=number), result, told)
    except CannotMeasure as why:
        result.absent[profile.name] = str(why)
    return replace(result, setup=setup)


def report_of(results: Sequence[Result]) -> Report:
    """With where and when it was measured."""
    at = datetime.now(UTC).isoformat(timespec="minutes")
    return Report(measured_version(), at, machine(), list(results))


async def _round(profile: Profile, setup: Round, result: Result, told: Told) -> None:
    with tempfile.TemporaryDirectory(prefix="uproar-bench-") as folder:
        async for who, case, figures in profile.measure(setup, Path(folder)):
            if isinstance(figures, str):
                result.absent[contestant(who, case)] = f"Round {setup.number}: {figures}"
                continue
            if any(isfinite(value) and not is_figure(name, value) for name, value in figures.items()):
                result.absent[f"cost of {contestant(who, case)}"] = f"Round {setup.number}: {TOO_SMALL}"
            result.lines.append(Line(who, case, setup.number, _told(figures)))
            told(result.lines[-1])


def _told(figures: Figures) -> Figures:
    """Those that tell something: there is no percentile of nothing."""
    return {name: float(value) for name, value in figures.items() if is_figure(name, value)}


def senders(wish: Iterable[str]) -> tuple[str, ...]:
    """The forms of uproar that are meant; `auto` is the one that a server takes here by itself."""
    return tuple(dict.fromkeys(_form_of(form) if form == "auto" else form for form in wish))


def _form_of(wish: str) -> str:
    """How a server sends here with this `sender`. Raises `Misconfigured` where it cannot."""
    sender = open_sender(wish).sender
    if isinstance(sender, RingSender):
        sender.close()
    return sender.name if sender else "python"


def _absent(setup: Setup) -> dict[str, str]:
    """The senders and peers that cannot be had here, and why; the other peers are installed when this is answered."""
    why = {}
    for name in setup.senders:
        try:
            _form_of(name)
        except Misconfigured as fault:
            why[name] = str(fault)
    for name in setup.peers:
        try:
            PEERS[name].made()
        except NotHere as fault:
            why[name] = str(fault)
    return why


def _without(setup: Setup, absent: dict[str, str]) -> Setup:
    def here(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in absent)

    return replace(setup, senders=here(setup.senders), peers=here(setup.peers))


@contextmanager
def _off_the_servers_core() -> Iterator[None]:
    """This process, which posts, leaves the server's core to the server."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - {SERVER_CPU} or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
