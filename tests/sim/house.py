"""The whole system, unchanged, on its in-memory kinds: what outlasts a process, and the processes that come and go."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from tests.sim.loop import SteppingClock, VirtualTimeLoop
from tests.sim.viewer import Fan
from tests.sim.weather import Forgetful, Plug, Shaky, Weather
from uproar.assembly.house import plan_of
from uproar.assembly.parts import PRIME_MS
from uproar.auth import Keys
from uproar.core.errors import Unavailable
from uproar.fanout.worker import Fanout
from uproar.gateway.hub import Hub, Timing
from uproar.gateway.outbox import Lag
from uproar.ledger.memory import MemoryLedger
from uproar.log.consume import Worker, consume
from uproar.log.memory import MemoryLog
from uproar.observe.counters import Metrics
from uproar.persist.worker import Persist
from uproar.presence.memory import MemoryPresence
from uproar.read.service import ReadService
from uproar.settings import Settings
from uproar.store.memory import MemoryStore
from uproar.write.service import WriteService
from uproar.write.worker import LeasedIds, upkeep

GATEWAYS = 2
DRAIN_S = 2.0
PATIENCE_S = 10.0
KEYS = Keys(b"secret" * 8)
METRICS = Metrics()


class Gateway:
    """A hub with its write and read services, on a plug of its own."""

    def __init__(self, house: "House", life: "Life", name: str) -> None:
        dice, clock = house.dice, house.clock
        self.plug, parts = life.plugged()
        log, store, timeline, ledger, presence = (
            parts[part] for part in ("log", "store", "timeline", "ledger", "presence")
        )
        self.ids = LeasedIds(store, clock, name)
        self.write = WriteService(log, store, timeline, ledger, clock, self.ids, METRICS)
        self.read = ReadService(store, timeline, presence, clock)
        lag = Lag(catch_up_bytes=dice.choice((1500, 256 << 10)), lag_close_s=dice.choice((3.0, 30.0)))
        timing = Timing(ring_s=dice.choice((2.0, 60.0)), drain_s=DRAIN_S)
        self.hub = Hub(timeline, presence, self.write, log.append, KEYS, clock, METRICS, timing, lag)
        self.viewers: list[Fan] = []
        self.untold: list[Fan] = []
        house.begin(self.hub.live())
        house.begin(upkeep([self.ids.renew, self.write.unpin_expired, self.write.sweep]))

    def kill(self) -> None:
        """It ends in the middle of whatever it does; its viewers notice."""
        self.plug.pull()
        for viewer in self.viewers:
            viewer.lose()

    async def drain(self) -> None:
        """It ends as asked to: viewers are told when to come back, and what is under way comes to its end."""
        with suppress(Unavailable):
            await self.hub.drain()
        self.untold = [viewer for viewer in self.viewers if not viewer.socket.closed]
        await self.write.drain()
        self.kill()


class Life:
    """One run of a process, from its start to its end: ledger, presence, gateways and workers go with it."""

    def __init__(self, house: "House", ledger: MemoryLedger, number: int) -> None:
        self.number = number
        self.over = False
        self.stop = asyncio.Event()
        self.ledger = ledger
        self._house = house
        self._parts = {"log": house.log, "store": house.store, "timeline": house.timeline}
        self._parts |= {"ledger": ledger, "presence": MemoryPresence(house.clock)}
        self._plugs: list[Plug] = []
        self._named = 0
        self.workers: dict[str, asyncio.Task[None]] = {}
        self.gateways = [self.gateway() for _ in range(GATEWAYS)]
        for name in ("fanout", "persist"):
            self.work(name)

    def plugged(self) -> tuple[Plug, dict[str, Any]]:
        """A plug, and all parts as whatever hangs on it has them."""
        plug = Plug()
        plug.pulled = self.over
        self._plugs.append(plug)
        return plug, {name: Shaky(part, self._house.weather, plug) for name, part in self._parts.items()}

    def gateway(self) -> Gateway:
        """Another gateway."""
        self._named += 1
        return Gateway(self._house, self, f"gateway-{self.number}-{self._named}")

    def work(self, name: str) -> None:
        """A worker begins."""
        house, (_, parts) = self._house, self.plugged()
        worker: Worker = Persist(parts["store"])
        if name == "fanout":
            stream_of = parts["store"].stream
            worker = Fanout(parts["timeline"], parts["presence"], stream_of, house.plan, house.clock, METRICS)
        self.workers[name] = house.begin(consume(parts["log"], worker, house.clock, self.stop, house.dice))

    def kill(self) -> None:
        """Everything ends at once, wherever it is."""
        self.over = True
        for gateway in self.gateways:
            gateway.kill()
        for plug in self._plugs:
            plug.pull()

    async def drain(self) -> None:
        """Everything ends as asked to, gateways first."""
        await asyncio.gather(*(gateway.drain() for gateway in self.gateways))
        self.stop.set()
        if self.workers:
            await asyncio.wait(self.workers.values(), timeout=PATIENCE_S)
        self.kill()


class House:
    """What outlasts a process, log, store and timeline, and the one that runs, if one does."""

    def __init__(self, loop: VirtualTimeLoop, clock: SteppingClock, dice: Random, weather: Weather) -> None:
        self.loop = loop
        self.clock = clock
        self.dice = dice
        self.weather = weather
        self.plan = plan_of(Settings())
        self.log, self.store = MemoryLog(clock), MemoryStore()
        self.timeline = Forgetful(clock, self.store.likes)
        self.lives: list[Life] = []
        self.open = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def life(self) -> Life:
        """The newest run of the process."""
        return self.lives[-1]

    async def start(self) -> None:
        """The process starts: its ledger is primed from the log."""
        ledger = MemoryLedger(self.clock, first=self.log.first, load_ban=self.store.banned)
        ledger.prime(await self.log.since(self.clock.now_ms() - PRIME_MS))
        self.lives.append(Life(self, ledger, len(self.lives)))
        self.open.set()

    async def gateway(self) -> Gateway:
        """Some gateway, as soon as there is one."""
        while not self.open.is_set():
            await self.open.wait()  # it may have ended again until this goes on
        return self.dice.choice(self.life.gateways)

    def begin(self, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Something that goes on beside; its failure is kept."""
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.loop.failures.append(repr(task.exception()))

    # -- what befalls it

    async def restart(self, pause: Callable[[], Coroutine[Any, Any, None]], *, graceful: bool) -> None:
        """The process ends, by force or as asked to, and another starts after a pause."""
        self.open.clear()
        if graceful:
            await self.life.drain()
        self.life.kill()
        await pause()
        await self.start()

    def replace_gateway(self, at: int) -> Gateway:
        """Another gateway takes the place of this one, which is left to be ended."""
        life = self.life
        old, life.gateways[at] = life.gateways[at], life.gateway()
        return old

    async def replace_worker(self, name: str, pause: Callable[[], Coroutine[Any, Any, None]], *, overlap: bool) -> None:
        """A worker ends, and another begins, after a pause or already before; a role has one successor."""
        life = self.life
        old = life.workers.pop(name, None)
        if old is None:
            return
        if overlap:
            life.work(name)
            await pause()
            old.cancel()
            return
        old.cancel()
        await asyncio.wait([old], timeout=PATIENCE_S)  # its process may end meanwhile
        await pause()
        life.work(name)
