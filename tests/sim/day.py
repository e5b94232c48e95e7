"""A bad day from one seed: the whole house, everyone in it, and what befalls them; then calm, and judgement."""

import asyncio
from random import Random

import msgspec

from tests.sim.canary import holds
from tests.sim.fate import Fate
from tests.sim.house import House
from tests.sim.invariants import Truth, judge
from tests.sim.loop import SteppingClock, VirtualTimeLoop, run
from tests.sim.people import FANS, HISTORY, MODERATOR, PATIENCE_S, STREAMS, People, somebody
from tests.sim.reader import Walk
from tests.sim.record import OK, Record
from tests.sim.weather import Weather
from uproar.fanout.plan import Plan, Row
from uproar.store import PAGE_LIMIT
from uproar.wire.codec import encode
from uproar.write.change import RulesChange, StreamChange

DAY_S = 12.0
CALM_S = 33.0  # by then what was said before has left the limits' window
SETTLED_S = 2.0
PATIENT_S = 120.0
LIMIT, SPAN_S = 5, 30.0


SAMPLED = Plan((Row(0.5, 2, 0, 2),), (), ())  # of each half second the best two comments, however few there are


class Day:
    """One day, from its seed."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.loop = VirtualTimeLoop()
        self.record = Record()
        self.weather = Weather(self.dice)
        self.steps = self.dice.random() < 0.5
        self.house = House(self.loop, SteppingClock(self.loop), self.dice, self.weather)
        self.record.sampled = self.dice.random() < 0.2
        if self.record.sampled:
            self.house.plan = SAMPLED
        self.people = People(self.house, self.record)

    def live(self) -> list[str]:
        """Live through it; what was broken."""
        return run(self.loop, self._live())

    async def _live(self) -> list[str]:
        house, people = self.house, self.people
        calm, self.weather.fails = self.weather.fails, 0.0
        await house.start()
        await asyncio.sleep(1.5)
        rules = StreamChange(rules=RulesChange(duplicates="off"))
        for stream in STREAMS:
            await house.life.gateways[0].write.put_stream(MODERATOR, stream, rules)
        self.weather.fails = calm
        fates = [Fate(people, steps=self.steps).live() for _ in range(2)]
        acting = [house.begin(one) for one in (*people.everyone(), *fates)]
        await asyncio.sleep(DAY_S)
        people.over = True
        self.weather.clear()
        _, hanging = await asyncio.wait(acting, timeout=PATIENT_S)
        if hanging:
            self.record.breaks("bug", f"never answered: {hanging}")
        await asyncio.sleep(CALM_S)
        await self._say_more()
        await asyncio.sleep(SETTLED_S)
        return await self._judge()

    async def _say_more(self) -> None:
        """Everybody says one more thing, and is answered as if nothing had happened."""
        for name in FANS:
            for stream in STREAMS:
                outcome = await self.people.say(somebody(name), stream, f"{name}-{stream}-calm")
                self.record.calm.append((name, stream, outcome))

    async def _judge(self) -> list[str]:
        for failure in self.loop.failures:
            self.record.breaks("bug", failure)
        for letter in await self.house.log.dead_letters():
            self.record.breaks("bug", f"buried: {letter}")
        for group in ("fanout", "persist"):
            if await self.house.log.lag(group):
                self.record.breaks("I1", f"{group} never caught up")
        self._find_words()
        truths = {stream: await self._truth(stream) for stream in STREAMS}
        own = {name: await self._walk().by_user(name) for name in FANS}
        return judge(self.record, self.people.screens, truths, own, LIMIT, SPAN_S)

    def _find_words(self) -> None:
        """What was erased is in no gateway's memory either."""
        losses = self.record.losses
        erased = [one.text for one in self.record.attempts if one.id in losses and losses[one.id].invariant == "I12"]
        for gateway in self.house.life.gateways if erased else ():
            for part in (gateway.hub, gateway.write, gateway.read):
                for text in holds(part, erased):
                    self.record.breaks("I12", f"{type(part).__name__} holds {text} after all")

    def _walk(self) -> Walk:
        return Walk(self.record, self.house, self.house.life.gateways[0].read, HISTORY, PATIENCE_S)

    async def _truth(self, stream: str) -> Truth:
        house = self.house
        snapshot = await house.timeline.snapshot(stream, PAGE_LIMIT)
        comments, pinned = (
            {comment["id"]: comment for comment in msgspec.json.decode(encode(list(shown)))}
            for shown in (snapshot.comments, snapshot.pinned)
        )
        kept = await house.store.page(stream, before=None, after=None, limit=PAGE_LIMIT)
        removed = {
            str(attempt.id)
            for attempt in self.record.attempts
            if attempt.outcome == OK and (found := await house.store.comment(stream, attempt.id)) and found.removed_by
        }
        standing = {str(one.comment.id): one.comment.text for one in kept}
        likes = {str(one.comment.id): one.likes for one in kept if one.likes}
        reactions = dict(snapshot.reactions)
        return Truth(stream, str(snapshot.position), comments, pinned, reactions, standing, likes, removed)
