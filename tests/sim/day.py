"""A bad day from one seed: the whole system, unchanged, on its in-memory kinds, with viewers, posters, moderators."""

import asyncio
from collections.abc import Callable
from random import Random

import msgspec

from tests.sim.invariants import OK, Attempt, Ban, Record, Screen, Truth, judge
from tests.sim.loop import SteppingClock, VirtualTimeLoop, run
from tests.sim.weather import Shaky, Weather
from uproar.assembly import plan_of
from uproar.auth import Identity, Keys
from uproar.core.comment import Comment
from uproar.core.position import parse
from uproar.fanout.worker import Fanout
from uproar.gateway.hub import Hub, Timing
from uproar.gateway.outbox import Lag
from uproar.gateway.room import Viewer
from uproar.ledger.memory import MemoryLedger
from uproar.log.consume import consume
from uproar.log.memory import MemoryLog
from uproar.observe.counters import Metrics
from uproar.persist.worker import Persist
from uproar.presence.memory import MemoryPresence
from uproar.settings import Settings
from uproar.store.memory import MemoryStore
from uproar.timeline.memory import MemoryTimeline
from uproar.wire.codec import encode
from uproar.wire.frames import Like, Post, React
from uproar.wire.websocket import Fail, Limits, Op, Reader
from uproar.write.change import RulesChange, StreamChange
from uproar.write.service import WriteService
from uproar.write.worker import LeasedIds, upkeep

STREAMS = ("s0", "s1")
FANS = [f"fan{number}" for number in range(6)]
IMPORTERS = ["importer0", "importer1"]
DAY_S = 12.0
CALM_S = 25.0
LIMIT, SPAN_S = 5, 30.0
PATIENCE_S = 1.0
HISTORY = 200
BIG = Limits(1 << 20, 64, 1 << 22)
PLAN = plan_of(Settings())
METRICS = Metrics()

Parts = dict[str, object]
Plant = Callable[["Day"], None]


def somebody(name: str, *roles: str) -> Identity:
    """A person with a token that holds all day."""
    return Identity(name, name.title(), 9_000_000_000, roles)


MODERATOR = somebody("mod", "moderator", "admin")


class Socket:
    """A transport in memory: while it is stuck, what is written waits."""

    def __init__(self, viewer: "Fan") -> None:
        self._viewer = viewer
        self._waiting = bytearray()
        self.stuck = False
        self.closed = False

    def write(self, data: bytes) -> None:
        if self.closed:
            return
        if not self.stuck:
            self._viewer.receive(data)
            return
        first = not self._waiting
        self._waiting += data
        if first:
            self._viewer.hub.paused(self._viewer)

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return len(self._waiting)

    def drain(self) -> None:
        """The other side reads again."""
        self.stuck = False
        waiting, self._waiting = bytes(self._waiting), bytearray()
        if waiting and not self.closed:
            self._viewer.receive(waiting)
            self._viewer.hub.resumed(self._viewer)


class Fan(Viewer):
    """One connection of a screen."""

    __slots__ = ("answers", "doubled", "hub", "number", "reader", "screen", "socket")

    def __init__(self, hub: Hub, screen: Screen, deflated: bool, number: int) -> None:
        super().__init__()
        self.number = number
        self.doubled = False
        self.hub = hub
        self.screen = screen
        self.deflated = deflated
        self.socket = self.transport = Socket(self)
        self.reader = Reader(BIG, deflate=deflated, from_client=False)
        self.answers: dict[str, asyncio.Future] = {}

    def __hash__(self) -> int:
        """By number: sets of viewers have one order in every run of a seed."""
        return self.number

    def receive(self, data: bytes) -> None:
        """Bytes arrived; where frames are doubled on purpose twice."""
        self._read(data)
        if self.doubled:
            self._read(data)

    def _read(self, data: bytes) -> None:
        for message in self.reader.feed(data):
            if isinstance(message, Fail):
                self.screen.record.breaks("I4", f"{self.screen.name} cannot read: {message}")
            elif message.op is Op.PING:
                self.pinged = False
            elif message.op is Op.TEXT:
                self._told(msgspec.json.decode(message.data))

    def _told(self, message: dict) -> None:
        waiting = self.answers.get(message.get("ref", ""))
        if waiting and not waiting.done():
            waiting.set_result(message)
        self.screen.told(message)

    def end(self, code: int, reason: str) -> None:
        """The server closes."""
        self.lose()

    def lose(self) -> None:
        """The connection is no more."""
        if not self.socket.closed:
            self.socket.closed = True
            self.hub.gone(self)


class Gateway:
    """A process with its hub and write service; `kill` ends it at once."""

    def __init__(self, day: "Day", name: str) -> None:
        parts = day.parts
        self.ids = LeasedIds(parts["store"], day.clock, name)
        wired = [parts[part] for part in ("log", "store", "timeline", "ledger")]
        self.write = WriteService(*wired, day.clock, self.ids, METRICS)
        lag = Lag(catch_up_bytes=day.dice.choice((1500, 256 << 10)), lag_close_s=day.dice.choice((3.0, 30.0)))
        timing = Timing(ring_s=day.dice.choice((2.0, 60.0)))
        keys, append = Keys(b"secret" * 8), parts["log"].append
        timeline, presence = parts["timeline"], parts["presence"]
        self.hub = Hub(timeline, presence, self.write, append, keys, day.clock, METRICS, timing, lag)
        chores = [self.ids.renew, self.write.unpin_expired]
        self.fans: list[Fan] = []
        self._tasks = [day.begin(self.hub.live()), day.begin(upkeep(chores))]

    def kill(self) -> None:
        """Nothing of it goes on; its viewers notice."""
        for task in self._tasks:
            task.cancel()
        for fan in self.fans:
            fan.lose()


class Day:
    """One day, from its seed; `plant` spoils a part on purpose."""

    def __init__(self, seed: int, plant: Plant = lambda day: None) -> None:
        self.dice = Random(seed)
        self.loop = VirtualTimeLoop()
        self.clock = SteppingClock(self.loop)
        self.record = Record()
        self.weather = Weather(self.dice)
        self.stop = asyncio.Event()
        self.tasks: set[asyncio.Task] = set()
        self.screens: list[Screen] = []
        self.over = False
        self.steps = self.dice.random() < 0.5  # a clock that stepped back numbers a ban below what it should take down
        self.twice = False
        self.connections = 0
        self._plant = plant

    def live(self) -> list[str]:
        """Live through it; what was broken."""
        return run(self.loop, self._live())

    # -- the house

    def _build(self) -> None:
        self.log, self.store = MemoryLog(self.clock), MemoryStore()
        self.timeline = MemoryTimeline(self.clock, self.store.likes)
        self.ledger = MemoryLedger(self.clock, first=self.log.first, load_ban=self.store.banned)
        self._plant(self)
        parts = {"log": self.log, "store": self.store, "timeline": self.timeline, "ledger": self.ledger}
        parts["presence"] = MemoryPresence(self.clock)
        self.parts = {name: Shaky(part, self.weather) for name, part in parts.items()}

    def begin(self, coroutine) -> asyncio.Task:
        """Something that goes on beside."""
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception():
            self.loop.failures.append(repr(task.exception()))

    def _fanout(self) -> asyncio.Task:
        parts = self.parts
        worker = Fanout(parts["timeline"], parts["presence"], parts["store"].stream, PLAN, self.clock, METRICS)
        return self.begin(consume(parts["log"], worker, self.clock, self.stop, self.dice))

    def _persist(self) -> asyncio.Task:
        worker = Persist(self.parts["store"], self.clock)
        return self.begin(consume(self.parts["log"], worker, self.clock, self.stop, self.dice))

    async def _live(self) -> list[str]:
        self._build()
        calm, self.weather.fails = self.weather.fails, 0.0
        self.gateways = [Gateway(self, f"gateway{number}") for number in range(2)]
        self.workers = {"fanout": self._fanout(), "persist": self._persist()}
        await asyncio.sleep(1.5)
        rules = StreamChange(rules=RulesChange(duplicates="off"))
        for stream in STREAMS:
            await self.gateways[0].write.put_stream(MODERATOR, stream, rules)
        self.weather.fails = calm
        people = [self._watch(number) for number in range(6)]
        people += [self._talk(name) for name in (*FANS, *IMPORTERS)]
        people += [self._moderate(), self._fate(), self._fate()]
        acting = [self.begin(one) for one in people]
        await asyncio.sleep(DAY_S)
        self.over = True
        self.weather.clear()
        await asyncio.wait(acting)
        await asyncio.sleep(CALM_S)
        return await self._judge()

    async def _judge(self) -> list[str]:
        for failure in self.loop.failures:
            self.record.breaks("bug", failure)
        for letter in await self.log.dead_letters():
            self.record.breaks("bug", f"buried: {letter}")
        for group in ("fanout", "persist"):
            if await self.log.lag(group):
                self.record.breaks("I1", f"{group} never caught up")
        truths = {stream: await self._truth(stream) for stream in STREAMS}
        return judge(self.record, self.screens, truths, LIMIT, SPAN_S)

    async def _truth(self, stream: str) -> Truth:
        snapshot = await self.timeline.snapshot(stream, 1000)
        comments, pinned = (
            {comment["id"]: comment for comment in msgspec.json.decode(encode(list(shown)))}
            for shown in (snapshot.comments, snapshot.pinned)
        )
        kept = await self.store.page(stream, before=None, after=None, limit=1000)
        removed = {
            str(attempt.id)
            for attempt in self.record.attempts
            if attempt.outcome == OK and (found := await self.store.comment(stream, attempt.id)) and found.removed_by
        }
        standing = {str(one.comment.id): one.comment.text for one in kept}
        likes = {str(one.comment.id): one.likes for one in kept if one.likes}
        reactions = dict(snapshot.reactions)
        return Truth(stream, str(snapshot.position), comments, pinned, reactions, standing, likes, removed)

    # -- people

    def now(self) -> float:
        """Seconds since the day began."""
        return self.loop.time()

    async def _pause(self, most_s: float) -> None:
        await asyncio.sleep(self.dice.random() * most_s)

    def _gateway(self) -> Gateway:
        return self.dice.choice(self.gateways)

    async def _watch(self, number: int) -> None:
        """Connect, read, get stuck, leave, come back; at the end stay."""
        dice = self.dice
        screen = Screen(self.record, STREAMS[number % 2], f"screen{number}")
        self.screens.append(screen)
        name = FANS[number]
        while not self.over:
            fan = self._connect(screen, name)
            for _ in range(dice.randrange(8)):
                await self._pause(0.8)
                if fan.socket.closed or self.over:
                    break
                await self._act(fan, name)
            if not self.over:
                fan.lose()
                await self._pause(1.5 if dice.random() < 0.9 else 4.0)
        fan.socket.drain()
        self.begin(self._stay(fan, screen, name))

    async def _stay(self, fan: Fan, screen: Screen, name: str) -> None:
        while True:
            if fan.socket.closed:
                fan = self._connect(screen, name)
            await asyncio.sleep(0.3)

    def _connect(self, screen: Screen, name: str) -> Fan:
        gateway, dice = self._gateway(), self.dice
        self.connections += 1
        fan = Fan(gateway.hub, screen, dice.random() < 0.5, self.connections)
        fan.doubled = self.twice
        gateway.fans.append(fan)
        position = screen.position if dice.random() < 0.85 else ""
        history = HISTORY if dice.random() < 0.8 else dice.randrange(5)
        screen.connects(position, history, self.now())
        gateway.hub.join(fan, screen.stream, parse(position), history, somebody(name))
        return fan

    async def _act(self, fan: Fan, name: str) -> None:
        luck, screen = self.dice.random(), fan.screen
        if luck < 0.15:
            fan.socket.stuck = not fan.socket.stuck
            if not fan.socket.stuck:
                fan.socket.drain()
                await self._pause(0.3)
        elif fan.socket.stuck and luck < 0.4:
            fan.socket.drain()
        elif luck < 0.5:
            fan.hub.heard(fan, _op(React({"❤": self.dice.randrange(1, 5)})))
        elif luck < 0.8 and screen.comments:
            liked = self.dice.choice(sorted(screen.comments))
            fan.hub.heard(fan, _op(Like(liked, self.dice.random() < 0.7)))
        else:
            await self._post_here(fan, name)

    async def _post_here(self, fan: Fan, name: str) -> None:
        """Say something over the socket; its ack shows it."""
        ref = f"{name}-here-{len(self.record.attempts)}"
        attempt = self._attempt(fan.screen.stream, name, ref)
        answer = fan.answers[ref] = self.loop.create_future()
        fan.hub.heard(fan, _op(Post(ref, attempt.text)))
        await asyncio.wait([answer], timeout=PATIENCE_S)
        attempt.ended_s = self.now()
        if not answer.done():
            return
        message = answer.result()
        if message["type"] == "refused":
            attempt.outcome = message["code"]
            return
        attempt.outcome, attempt.id = OK, int(message["comment"]["id"])
        if message["comment"]["text"] != attempt.text:
            self.record.breaks("I8", f"{name} is shown {message['comment']['text']} for {attempt.text}")

    def _attempt(self, stream: str, user: str, key: str) -> Attempt:
        attempt = Attempt(stream, user, key, f"{key} says", self.now())
        self.record.attempts.append(attempt)
        return attempt

    async def _talk(self, name: str) -> None:
        """Say things, each until it is answered; now and then again with the same key."""
        who = somebody(name, "importer") if name in IMPORTERS else somebody(name)
        said = 0
        while not self.over:
            await self._pause(1.0 if name in IMPORTERS else 3.0)
            stream, key = self.dice.choice(STREAMS), f"{name}-{said}"
            said += 1
            answers = self.dice.choice((None, None, *self.screens))
            known = sorted(answers.comments) if answers and answers.stream == stream else ()
            reply_to = int(self.dice.choice(known)) if known else None
            for _ in range(4):
                outcome = await self._try(who, stream, key, reply_to)
                if outcome not in ("unknown", 501, 502, 503) and self.dice.random() < 0.9:
                    break
                await self._pause(1.0)

    async def _try(self, who: Identity, stream: str, key: str, reply_to: int | None) -> str | int:
        attempt = self._attempt(stream, who.id, key)
        post = self.begin(self._gateway().write.post(who, stream, attempt.text, reply_to, key))
        await asyncio.wait([post], timeout=PATIENCE_S)
        attempt.ended_s = self.now()
        if post.done() and not post.cancelled():
            answer = post.result()
            if isinstance(answer, Comment):
                attempt.outcome, attempt.id = OK, answer.id
            else:
                attempt.outcome = answer.refusal.code
        elif self.dice.random() < 0.5:
            post.cancel()
        return attempt.outcome

    async def _moderate(self) -> None:
        """Remove, restore, pin, unpin, ban and unban."""
        removed: list[tuple[str, int]] = []
        while not self.over:
            await self._pause(0.6)
            screen, dice = self.dice.choice(self.screens), self.dice
            write, stream = self._gateway().write, screen.stream
            luck = dice.random()
            if luck < 0.2 and removed:
                stream, comment_id = removed.pop(dice.randrange(len(removed)))
                self.record.restored.add(comment_id)
                await write.restore(MODERATOR, stream, comment_id)
            elif luck < 0.3:
                await self._ban(write, stream)
            elif screen.comments:
                comment_id = int(dice.choice(sorted(screen.comments)))
                if luck < 0.6 and comment_id not in self.record.touched:
                    await self._remove(write, stream, comment_id)
                    removed.append((stream, comment_id))
                elif luck < 0.8:
                    until_ms = self.clock.now_ms() + 3000 if dice.random() < 0.5 else None
                    await write.pin(MODERATOR, stream, comment_id, until_ms)
                elif screen.pinned:
                    await write.unpin(MODERATOR, stream, int(dice.choice(sorted(screen.pinned))))

    async def _remove(self, write: WriteService, stream: str, comment_id: int) -> None:
        self.record.touched.add(comment_id)
        if await write.remove(MODERATOR, stream, comment_id, "rude") is None:
            self.record.removed_s[comment_id] = self.now()

    async def _ban(self, write: WriteService, stream: str) -> None:
        user, remove = self.dice.choice(FANS), not self.steps and self.dice.random() < 0.3
        if remove:
            self.record.unruly.add((stream, user))
        if await write.ban(MODERATOR, stream, user, None, "rude", remove) is not None:
            return
        ban = Ban(stream, user, self.now())
        self.record.bans.append(ban)
        if self.dice.random() < 0.5:
            self.begin(self._unban(write, ban))

    async def _unban(self, write: WriteService, ban: Ban) -> None:
        await self._pause(4.0)
        self._lift(ban)
        await write.unban(MODERATOR, ban.stream, ban.user)
        self._lift(ban)

    def _lift(self, ban: Ban) -> None:
        """A ban that came while the unban was under way may be lifted too."""
        for other in self.record.bans:
            if (other.stream, other.user) == (ban.stream, ban.user):
                other.until_s = min(other.until_s, self.now())

    async def _fate(self) -> None:
        """Workers and gateways end, two fan-outs overlap, clocks step."""
        while not self.over:
            await self._pause(5.0)
            luck = self.dice.random()
            if luck < 0.3:
                await self._again("fanout", self._fanout, overlap=self.dice.random() < 0.4)
            elif luck < 0.45:
                await self._again("persist", self._persist, overlap=False)
            elif luck < 0.7:
                at = self.dice.randrange(2)
                self.gateways[at].kill()
                self.gateways[at] = Gateway(self, f"gateway{at}-{self.now()}")
            elif luck < 0.85 and self.steps:
                self.clock.off_ms += self.dice.choice((-60_000, 60_000))

    async def _again(self, name: str, make: Callable[[], asyncio.Task], *, overlap: bool) -> None:
        old = self.workers.pop(name, None)
        if old is None:
            return  # somebody else is at it: a role has one successor
        if overlap:
            self.workers[name] = make()
            await self._pause(1.0)
            old.cancel()
            return
        old.cancel()
        await asyncio.wait([old])
        await self._pause(0.5)
        self.workers[name] = make()


def _op(op: Post | Like | React) -> bytes:
    return encode(op)
