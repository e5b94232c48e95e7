"""One replay: posts go out at their time, viewers watch, and in the end what was acknowledged is looked for."""

import asyncio
import secrets
import signal
from collections import Counter
from collections.abc import Sequence
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from uproar.cli.client import Address
from uproar.cli.crowd import Crowd, judge
from uproar.cli.figures import Figures, percentiles
from uproar.cli.importer import Importer
from uproar.cli.poster import Posters, Told
from uproar.cli.recording import Said
from uproar.cli.rest import history
from uproar.core.errors import Unavailable
from uproar.core.refusal import Refusal
from uproar.wire.frames import Post

OPEN_S: Final = 60.0
LAST_S: Final = 10.0  # for what is under way when the last post has left
FRESH_S: Final = 1.0  # an acknowledged comment is in history by then
LOOK_S: Final = 0.2
INTERRUPTED: Final = "interrupted"
STRANGERS: Final = frozenset((Refusal.NOT_SIGNED_IN.reason, Refusal.BAD_TOKEN.reason))
"""Refusals that all later posts would get too."""


class Rehearsal:
    """Runs once. `shown`: with a progress bar."""

    def __init__(self, address: Address, stream: str, importer: Importer, viewers: int, *, shown: bool) -> None:
        self._address, self._stream, self._importer, self._viewers = address, stream, importer, viewers
        self._sent_s: dict[str, float] = {}  # by comment id
        self._refused: Counter[str] = Counter()
        self._posted, self._seconds, self._stopped = 0, 0.0, ""
        self._playing: asyncio.Future[None] | None = None
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not shown,
        )

    async def run(self, said: Sequence[Said], speed: float) -> Figures:
        """Post all of it and look for it, until interrupted (SIGINT). Raises `NotLetIn` and `Unavailable`."""
        crowd = Crowd(self._address, self._stream, self._viewers)
        posters = Posters(self._address, self._stream, self._importer.token, self._told)
        self._playing = asyncio.ensure_future(self._play(posters, crowd, said, speed))
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._interrupt)
        try:
            await asyncio.wait([self._playing])
            if not self._playing.cancelled():
                self._playing.result()
            await self._last(crowd)
        finally:
            crowd.close()
            posters.close()
        return self._figures(crowd, await self._missing())

    def _interrupt(self) -> None:
        """The first time what was posted is still looked for; the second time nothing holds us."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        self._stop(INTERRUPTED)

    def _stop(self, why: str) -> None:
        self._stopped = self._stopped or why
        if self._playing is not None:
            self._playing.cancel()

    async def _play(self, posters: Posters, crowd: Crowd, said: Sequence[Said], speed: float) -> None:
        await self._settle(posters, crowd)
        with self._progress:
            await self._post(posters, said, speed)

    async def _settle(self, posters: Posters, crowd: Crowd) -> None:
        try:
            async with asyncio.timeout(OPEN_S):
                await posters.settle()
                await crowd.settle()
        except TimeoutError:
            raise Unavailable(f"not everybody was let in within {OPEN_S:.0f} s") from None

    async def _post(self, posters: Posters, said: Sequence[Said], speed: float) -> None:
        """Each at its time, or as soon after it as the server takes it."""
        loop, run = asyncio.get_running_loop(), secrets.token_hex(6)
        task = self._progress.add_task("posted", total=len(said))
        begin = loop.time()
        for one in said:
            early_s = begin + one.t_ms / 1000 / speed - loop.time()
            if early_s > 0:
                self._progress.update(task, completed=self._posted)
                await asyncio.sleep(early_s)
            await posters.post(one.user, Post(f"{run}-{self._posted}", one.text))
            self._posted += 1
            self._seconds = loop.time() - begin
        self._progress.update(task, completed=self._posted)

    async def _last(self, crowd: Crowd) -> None:
        """Until all is answered and seen, or time is up."""
        for _ in range(round(LAST_S / LOOK_S)):
            if self._all_seen(crowd):
                return
            await asyncio.sleep(LOOK_S)

    def _all_seen(self, crowd: Crowd) -> bool:
        answered = len(self._sent_s) + self._refused.total() == self._posted
        return answered and judge(crowd.chain, crowd.viewers, self._sent_s).complete == self._viewers

    def _told(self, told: Told) -> None:
        if told.id:
            self._sent_s[told.id] = told.sent_s
            return
        self._refused[told.reason] += 1
        if told.reason in STRANGERS:
            self._stop(told.reason)

    async def _missing(self) -> int:
        """How many of the acknowledged the history lacks."""
        if not self._sent_s:
            return 0
        await asyncio.sleep(FRESH_S)
        return len(self._sent_s.keys() - await asyncio.to_thread(self._kept))

    def _kept(self) -> set[str]:
        return set(history(self._address, self._stream, min(map(int, self._sent_s))))

    def _figures(self, crowd: Crowd, missing: int) -> Figures:
        verdict = judge(crowd.chain, crowd.viewers, self._sent_s)
        acknowledged, refused = len(self._sent_s), self._refused.total()
        return Figures(
            posted=self._posted,
            acknowledged=acknowledged,
            refused=dict(self._refused),
            unanswered=self._posted - acknowledged - refused,
            seconds=round(self._seconds, 3),
            posts_per_s=round(self._posted / self._seconds, 1) if self._seconds else 0.0,
            viewers=self._viewers,
            viewers_complete=verdict.complete,
            unseen=verdict.unseen if self._viewers else 0,
            repeated=verdict.repeated,
            out_of_order=crowd.chain.out_of_order,
            faults=verdict.faults,
            missing_in_history=missing,
            post_to_display_ms=percentiles(crowd.chain.delays_ms(self._sent_s)),
            stopped=self._stopped,
        )
