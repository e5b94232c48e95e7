"""What befalls the house on a day: processes end and start, clocks step, the timeline forgets."""

import asyncio

from tests.sim.house import DRAIN_S, GATEWAYS, Gateway
from tests.sim.people import People
from uproar.wire.closes import Close

CLOCK_STEP_MS = 60_000


class Fate:
    """One of them is enough for a bad day; two may meet."""

    def __init__(self, people: People, *, steps: bool) -> None:
        self._people = people
        self._house = people.house
        self._record = people.record
        self._steps = steps

    async def live(self) -> None:
        """Strike now and then until the day is over, never while the process is down."""
        while not self._people.over:
            await self._people.pause(5.0)
            await self._house.open.wait()
            await self._strike(self._house.dice.random())

    async def _strike(self, luck: float) -> None:
        house, dice, pause = self._house, self._house.dice, self._pause
        if luck < 0.2:
            await house.replace_worker("fanout", pause, overlap=dice.random() < 0.4)
        elif luck < 0.3:
            await house.replace_worker("persist", pause, overlap=False)
        elif luck < 0.45:
            self._some_gateway().kill()
        elif luck < 0.6:
            house.begin(self._drain(self._some_gateway()))
        elif luck < 0.7:
            await self._restart(graceful=dice.random() < 0.4)
        elif luck < 0.77:
            self._record.timeline_lost_s = self._people.now()
            house.timeline.lose()
        elif luck < 0.9 and self._steps:
            self._record.clock_stepped = True
            house.clock.off_ms += dice.choice((-CLOCK_STEP_MS, CLOCK_STEP_MS))

    async def _restart(self, *, graceful: bool) -> None:
        record = self._record
        record.limits_lost |= self._steps
        ended = self._house.life.gateways
        await self._house.restart(self._pause, graceful=graceful)
        for gateway in ended:
            self._judge(gateway)

    def _some_gateway(self) -> Gateway:
        return self._house.replace_gateway(self._house.dice.randrange(GATEWAYS))

    async def _drain(self, gateway: Gateway) -> None:
        await gateway.drain()
        self._judge(gateway)

    def _judge(self, gateway: Gateway) -> None:
        """A gateway that is asked to end tells everyone when to come back."""
        for viewer in gateway.untold:
            self._record.breaks("drain", f"{viewer.screen.name} was told nothing")
        for viewer in gateway.viewers:
            if viewer.bye.get("code") == Close.SHUTDOWN and not 0 < viewer.bye["retry_after_ms"] <= DRAIN_S * 1000:
                self._record.breaks("drain", f"{viewer.screen.name} was told {viewer.bye}")

    async def _pause(self) -> None:
        await asyncio.sleep(self._house.dice.random())
