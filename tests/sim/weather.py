"""Bad luck for parts: every call is slow, some fail before or after they were done, frames are lost, processes end."""

import asyncio
from collections import deque
from inspect import iscoroutinefunction
from random import Random

from uproar.core.errors import Unavailable, Unconfirmed
from uproar.timeline.memory import MemoryTimeline

WRITES = frozenset(
    [
        "append",
        "save",
        "remove",
        "remove_user",
        "restore",
        "erase",
        "like",
        "react",
        "pin",
        "unpin",
        "put_stream",
        "ban",
        "unban",
        "note",
        "report",
        "extend",
        "take_down",
        "put_back",
        "cut",
        "forget",
        "lift",
        "settle",
        "standing",
    ]
)


class Weather:
    """How bad the day is; one dice decides everything."""

    def __init__(self, dice: Random) -> None:
        self.dice = dice
        self.fails = dice.choice((0.0, 0.01, 0.05))
        self.slow_s = dice.choice((0.001, 0.01, 0.05))
        self.lost = dice.choice((0.0, 0.1, 0.3))

    def clear(self) -> None:
        """From now on nothing goes wrong."""
        self.fails = self.lost = 0.0
        self.slow_s = 0.001

    async def hold(self) -> None:
        """A call is on its way."""
        luck = self.dice.random()
        if luck < 0.3:
            await asyncio.sleep(0)
        elif luck < 0.98:
            await asyncio.sleep(luck * self.slow_s)
        else:
            await asyncio.sleep(self.slow_s * 20)

    def strikes(self) -> bool:
        """Whether this call fails here."""
        return self.dice.random() < self.fails


class Plug:
    """What a process hangs on: once it is pulled nothing of the process goes on, nor hears anything."""

    def __init__(self) -> None:
        self.pulled = False
        self._stopped: list[asyncio.Future[None]] = []  # else what waits for ever is thought to be lost

    def pull(self) -> None:
        """The process ends at once, in the middle of whatever it does."""
        self.pulled = True

    async def hold(self) -> None:
        """Go on, or never."""
        if self.pulled:
            stopped = asyncio.get_running_loop().create_future()
            self._stopped.append(stopped)
            await stopped


class Shaky:
    """A part behind bad weather, as one process has it; all else is the part's own."""

    def __init__(self, part, weather: Weather, plug: Plug) -> None:
        self._part = part
        self._weather = weather
        self._plug = plug

    def __getattr__(self, name):
        found = getattr(self._part, name)
        if not iscoroutinefunction(found):
            return found
        weather, plug, writes = self._weather, self._plug, name in WRITES

        async def shaken(*args, **kwargs):
            await weather.hold()
            await plug.hold()
            if weather.strikes():
                raise (Unconfirmed if name == "append" and weather.dice.random() < 0.3 else Unavailable)(name)
            answer = await found(*args, **kwargs)
            if writes:
                await weather.hold()
                await plug.hold()
                if weather.strikes():
                    raise Unconfirmed(name)
            return answer

        setattr(self, name, shaken)
        return shaken

    def reader(self, group):
        """A reader behind the same weather."""
        return Shaky(self._part.reader(group), self._weather, self._plug)

    def subscribe(self, stream, on_frame):
        """Frames come late and in order, and some are lost."""
        weather, plug = self._weather, self._plug
        late_s = weather.dice.random() * weather.slow_s
        waiting: deque = deque()
        listens = True

        def hear(frame) -> None:
            if not plug.pulled and weather.dice.random() >= weather.lost:
                waiting.append(frame)
                asyncio.get_running_loop().call_later(late_s, tell)

        def tell() -> None:
            if listens and not plug.pulled:
                on_frame(waiting.popleft())

        leave = self._part.subscribe(stream, hear)

        def left() -> None:
            nonlocal listens
            listens = False
            leave()

        return left


class Forgetful(MemoryTimeline):
    """A timeline that may lose all that it holds; who listens goes on listening."""

    def lose(self) -> None:
        """As after a crash of the process that holds it."""
        self._lines.clear()
