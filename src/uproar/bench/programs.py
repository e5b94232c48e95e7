"""The C programs at work: `load`'s viewers before a server, and the floor beside it."""

import asyncio
import json
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import IO, Any

from uproar.bench.compiled import program
from uproar.bench.cores import LOAD_CPU, SERVER_CPU

FOREVER_S = 1e6
SETTLING_S = 2  # the last viewers' `joined`, or a peer's greetings, are still under way

Figures = dict[str, Any]  # what a program tells, as its source names it


class Crowd:
    """The viewers of one `load`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def all_up(self) -> None:
        """Wait until every viewer watches."""
        await self.until(lambda figures: figures["seconds"] > 0)

    async def until(self, true: Callable[[Figures], bool]) -> Figures:
        """The first figures, told every second, of which this is true."""
        while not true(figures := await self._figures()):
            pass
        return figures

    async def end(self) -> Figures:
        """What was seen until now; the viewers leave."""
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        return await self.told()

    async def told(self) -> Figures:
        """What was seen in the end, when their time is up."""
        figures = await self._figures()
        while line := await self._lines.readline():
            figures = json.loads(line)
        return figures

    async def _figures(self) -> Figures:
        line = await self._lines.readline()
        if not line:
            raise RuntimeError(f"The viewers ended too soon. {await self._complaint()}")
        figures: Figures = json.loads(line)
        return figures

    async def _complaint(self) -> str:
        assert self._process.stderr is not None
        return (await self._process.stderr.read()).decode()

    @property
    def _lines(self) -> asyncio.StreamReader:
        assert self._process.stdout is not None
        return self._process.stdout


@asynccontextmanager
async def watching(port: int, path: str, *, cpu: int | None = None, **options: object) -> AsyncIterator[Crowd]:
    """Viewers of `path`, all of them up; `options` are those of `load.c`, by their names there."""
    command = [str(program("load")), f"127.0.0.1:{port}", path, "--progress", *_flags({"seconds": FOREVER_S} | options)]
    async with running(cpu, *command, stdout=PIPE, stderr=PIPE) as process:
        crowd = Crowd(process)
        await crowd.all_up()
        yield crowd


async def floor(viewers: int, frame_bytes: int, rate: float, seconds: float) -> tuple[Figures, Figures]:
    """What the floor cost, and what its viewers saw; pinned as a server and its viewers are."""
    command = [str(program("floor")), *map(str, (0, viewers, frame_bytes, rate, seconds))]
    async with running(SERVER_CPU, *command, stdout=PIPE, stderr=PIPE) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        listening = (await process.stderr.readline()).decode()
        if not listening.startswith("listening on "):
            raise RuntimeError(f"the floor cannot listen: {listening}")
        port = int(listening.rpartition(":")[2])
        async with watching(port, "/", cpu=LOAD_CPU, viewers=viewers) as crowd:
            cost = json.loads(await process.stdout.readline())
            return cost, await crowd.end()


@asynccontextmanager
async def running(
    cpu: int | None, *command: str, family: bool = False, **pipes: IO[bytes] | int
) -> AsyncIterator[Process]:
    """A program on one core, or any; ended at the end, with all that it started where that may be a `family`."""
    pin = () if cpu is None else ("taskset", "-c", str(cpu))
    process = await asyncio.create_subprocess_exec(*pin, *command, start_new_session=family, **pipes)  # type: ignore[arg-type]
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):  # one that has just ended; `process.kill` would take its status away
            if family:
                os.killpg(process.pid, signal.SIGKILL)
            elif process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
        await process.wait()


def _flags(options: dict[str, object]) -> list[str]:
    """`stop_at=3, deflate=True, header=("A: 1", "B: 2")` -> `--stop-at 3 --deflate --header A: 1 --header B: 2`."""
    flags = []
    for name, values in options.items():
        for value in values if isinstance(values, tuple) else (values,):
            flags += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])
    return flags
