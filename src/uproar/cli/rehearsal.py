"""One replay: posts go out at their time, viewers watch, and in the end what was acknowledged is looked for."""

import asyncio
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from uproar.cli.client import Address
from uproar.cli.crowd import Crowd, judge
from uproar.cli.importer import Importer
from uproar.cli.poster import Posters, Told
from uproar.cli.recording import Said
from uproar.cli.rest import history
from uproar.core.errors import Unavailable
from uproar.wire.frames import Post

OPEN_S: Final = 60.0
LAST_S: Final = 10.0  # for what is under way when the last post has left
FRESH_S: Final = 1.0  # an acknowledged comment is in history by then
LOOK_S: Final = 0.2
PERCENTILES: Final = (50, 95, 99)


class Figures(Struct):
    """What came of it; `post_to_display_ms` by percentile, over all pairs of a comment and a viewer."""

    posted: int
    acknowledged: int
    refused: dict[str, int]
    unanswered: int
    seconds: float
    posts_per_s: float
    viewers: int
    viewers_complete: int
    unseen: int
    repeated: int
    out_of_order: int
    faults: int
    missing_in_history: int
    post_to_display_ms: dict[int, int]

    @property
    def whole(self) -> bool:
        """Nothing that was acknowledged is missing anywhere, and every post was answered."""
        missing = self.unanswered or self.unseen or self.repeated or self.faults or self.missing_in_history
        return not missing and self.viewers_complete == self.viewers


class Rehearsal:
    """Runs once. `shown`: with a progress bar."""

    def __init__(self, address: Address, stream: str, importer: Importer, viewers: int, *, shown: bool) -> None:
        self._address, self._stream, self._importer, self._viewers = address, stream, importer, viewers
        self._sent_s: dict[str, float] = {}  # by comment id
        self._refused: Counter[str] = Counter()
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(None),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not shown,
        )

    async def run(self, said: Sequence[Said], speed: float) -> Figures:
        """Post all of it and look for it. Raises `NotLetIn` and `Unavailable`."""
        crowd = Crowd(self._address, self._stream, self._viewers)
        posters = Posters(self._address, self._stream, self._importer.token, self._told)
        try:
            await self._settle(posters, crowd)
            with self._progress:
                seconds = await self._post(posters, said, speed)
                await self._last(crowd, len(said))
        finally:
            crowd.close()
            posters.close()
        await asyncio.sleep(FRESH_S)
        missing = await asyncio.to_thread(self._missing)
        return self._figures(crowd, len(said), seconds, missing)

    async def _settle(self, posters: Posters, crowd: Crowd) -> None:
        try:
            async with asyncio.timeout(OPEN_S):
                await posters.settle()
                await crowd.settle()
        except TimeoutError:
            raise Unavailable(f"not everybody was let in within {OPEN_S:.0f} s") from None

    async def _post(self, posters: Posters, said: Iterable[Said], speed: float) -> float:
        """Each at its time, or as soon after it as the server takes it; how many seconds it took."""
        loop, run = asyncio.get_running_loop(), secrets.token_hex(6)
        task = self._progress.add_task("posted", total=None)
        begin = loop.time()
        for number, one in enumerate(said):
            early_s = begin + one.t_ms / 1000 / speed - loop.time()
            if early_s > 0:
                self._progress.update(task, completed=number)
                await asyncio.sleep(early_s)
            await posters.post(one.user, Post(f"{run}-{number}", one.text))
        return loop.time() - begin

    async def _last(self, crowd: Crowd, posted: int) -> None:
        """Until all is answered and seen, or time is up."""
        for _ in range(round(LAST_S / LOOK_S)):
            if self._all_seen(crowd, posted):
                return
            await asyncio.sleep(LOOK_S)

    def _all_seen(self, crowd: Crowd, posted: int) -> bool:
        answered = len(self._sent_s) + self._refused.total() == posted
        return answered and judge(crowd.chain, crowd.viewers, self._sent_s).complete == self._viewers

    def _told(self, told: Told) -> None:
        if told.id:
            self._sent_s[told.id] = told.sent_s
        else:
            self._refused[told.reason] += 1

    def _missing(self) -> int:
        """How many of the acknowledged the history lacks."""
        if not self._sent_s:
            return 0
        return len(self._sent_s.keys() - set(history(self._address, self._stream, min(map(int, self._sent_s)))))

    def _figures(self, crowd: Crowd, posted: int, seconds: float, missing: int) -> Figures:
        verdict = judge(crowd.chain, crowd.viewers, self._sent_s)
        acknowledged, refused = len(self._sent_s), self._refused.total()
        return Figures(
            posted=posted,
            acknowledged=acknowledged,
            refused=dict(self._refused),
            unanswered=posted - acknowledged - refused,
            seconds=round(seconds, 3),
            posts_per_s=round(posted / seconds, 1) if seconds else 0.0,
            viewers=self._viewers,
            viewers_complete=verdict.complete,
            unseen=verdict.unseen if self._viewers else 0,
            repeated=verdict.repeated,
            out_of_order=crowd.chain.out_of_order,
            faults=verdict.faults,
            missing_in_history=missing,
            post_to_display_ms=percentiles(crowd.chain.delays_ms(self._sent_s)),
        )


def percentiles(counts: Counter[int]) -> dict[int, int]:
    """The nearest-rank percentiles of counted values; none of nothing."""
    found: dict[int, int] = {}
    total, seen = counts.total(), 0
    for value in sorted(counts):
        seen += counts[value]
        for of in PERCENTILES:
            if of not in found and seen * 100 >= of * total:
                found[of] = value
    return found
