"""Who is there on a day: viewers that come and go, people who talk, a moderator, readers of pages."""

import asyncio
from collections.abc import Coroutine
from random import Random
from typing import Any

from tests.sim.canary import holds
from tests.sim.house import Gateway, House
from tests.sim.reader import Walk
from tests.sim.record import NEVER, OK, UNKNOWN, Attempt, Ban, Loss, Record
from tests.sim.screen import Screen
from tests.sim.viewer import Fan
from uproar.auth import Identity
from uproar.core.comment import Comment
from uproar.core.position import parse
from uproar.wire.codec import encode
from uproar.wire.frames import Like, Post, React

STREAMS = ("s0", "s1")
FANS = [f"fan{number}" for number in range(6)]
IMPORTERS = ["importer0", "importer1"]
PATIENCE_S = 1.0
TRIES = 30
MODERATOR_PATIENCE_S = 5.0
HISTORY = 200


def somebody(name: str, *roles: str) -> Identity:
    """A person with a token that holds all day."""
    return Identity(name, name.title(), 9_000_000_000, roles)


MODERATOR = somebody("mod", "moderator", "admin")


class People:
    """Everyone, and what they noted of the day."""

    def __init__(self, house: House, record: Record) -> None:
        self.house = house
        self.record = record
        self.screens: list[Screen] = []
        self.over = False
        self._connections = 0

    @property
    def _dice(self) -> Random:
        return self.house.dice

    def now(self) -> float:
        """Seconds since the day began."""
        return self.house.loop.time()

    async def pause(self, most_s: float) -> None:
        """Do nothing for a while."""
        await asyncio.sleep(self._dice.random() * most_s)

    def everyone(self) -> list[Coroutine[Any, Any, None]]:
        """What each of them does until the day is over."""
        watching = [self._watch(number) for number in range(len(FANS))]
        talking = [self._talk(name) for name in (*FANS, *IMPORTERS)]
        return [*watching, *talking, self._moderate(), self._erase(), self._read(), self._read()]

    # -- viewers

    async def _watch(self, number: int) -> None:
        """Connect, read, get stuck, leave, come back; at the end stay."""
        dice, name = self._dice, FANS[number]
        screen = Screen(self.record, STREAMS[number % len(STREAMS)], f"screen{number}")
        self.screens.append(screen)
        while not self.over:
            fan = self._connect(await self.house.gateway(), screen, name)
            for _ in range(dice.randrange(8)):
                await self.pause(0.8)
                if fan.socket.closed or self.over:
                    break
                await self._act(fan, name)
            if not self.over:
                fan.lose()
                await self.pause(1.5 if dice.random() < 0.9 else 4.0)
                await asyncio.sleep(screen.wait_s)
        fan.socket.drain()
        self.house.begin(self._stay(fan, screen, name))

    async def _stay(self, fan: Fan, screen: Screen, name: str) -> None:
        while True:
            if fan.socket.closed:
                await asyncio.sleep(screen.wait_s)
                fan = self._connect(await self.house.gateway(), screen, name)
            await asyncio.sleep(0.3)

    def _connect(self, gateway: Gateway, screen: Screen, name: str) -> Fan:
        dice = self._dice
        self._connections += 1
        fan = Fan(gateway.hub, screen, dice.random() < 0.5, self._connections)
        gateway.viewers.append(fan)
        position = screen.position if dice.random() < 0.85 else ""
        history = HISTORY if dice.random() < 0.8 else dice.randrange(5)
        screen.connects(position, history, self.now())
        gateway.hub.join(fan, screen.stream, parse(position), history, somebody(name))
        return fan

    async def _act(self, fan: Fan, name: str) -> None:
        luck, screen = self._dice.random(), fan.screen
        if luck < 0.15:
            fan.socket.stuck = not fan.socket.stuck
            if not fan.socket.stuck:
                fan.socket.drain()
                await self.pause(0.3)
        elif fan.socket.stuck and luck < 0.4:
            fan.socket.drain()
        elif luck < 0.5:
            fan.hub.heard(fan, encode(React({"❤": self._dice.randrange(1, 5)})))
        elif luck < 0.8 and screen.comments:
            liked = self._dice.choice(sorted(screen.comments))
            fan.hub.heard(fan, encode(Like(liked, self._dice.random() < 0.7)))
        else:
            await self._post_here(fan, name)

    async def _post_here(self, fan: Fan, name: str) -> None:
        """Say something over the socket; its ack shows it."""
        ref = f"{name}-here-{len(self.record.attempts)}"
        attempt = self._attempt(fan.screen.stream, name, ref)
        answer = fan.answers[ref] = self.house.loop.create_future()
        fan.hub.heard(fan, encode(Post(ref, attempt.text)))
        await asyncio.wait([answer], timeout=PATIENCE_S)
        attempt.ended_s = self.now()
        if not answer.done():
            return
        message = answer.result()
        if message["type"] == "refused":
            attempt.outcome = message["code"]
            return
        attempt.outcome, attempt.id = OK, int(message["comment"]["id"])
        self._shown_own(attempt, message["comment"]["text"])

    # -- who talks

    def _attempt(self, stream: str, user: str, key: str) -> Attempt:
        attempt = Attempt(stream, user, key, f"{key} says", self.now())
        self.record.attempts.append(attempt)
        return attempt

    def _shown_own(self, attempt: Attempt, text: str) -> None:
        if text != attempt.text:
            self.record.breaks("I8", f"{attempt.user} is shown {text} for {attempt.text}")

    async def _talk(self, name: str) -> None:
        """Say things, each until it is answered; now and then again with the same key."""
        who = somebody(name, "importer") if name in IMPORTERS else somebody(name)
        said = 0
        while not self.over:
            await self.pause(1.0 if name in IMPORTERS else 3.0)
            stream, key = self._dice.choice(STREAMS), f"{name}-{said}"
            said += 1
            answers = self._dice.choice((None, None, *self.screens))
            known = sorted(answers.comments) if answers and answers.stream == stream else ()
            reply_to = int(self._dice.choice(known)) if known else None
            for _ in range(4):
                outcome = await self.say(who, stream, key, reply_to)
                if outcome not in (UNKNOWN, 501, 502, 503) and self._dice.random() < 0.9:
                    break
                await self.pause(1.0)

    async def say(self, who: Identity, stream: str, key: str, reply_to: int | None = None) -> str | int:
        """Say something once; how it was answered."""
        gateway = await self.house.gateway()
        attempt = self._attempt(stream, who.id, key)
        post = self.house.begin(gateway.write.post(who, stream, attempt.text, reply_to, key))
        await asyncio.wait([post], timeout=PATIENCE_S)
        attempt.ended_s = self.now()
        if post.done() and not post.cancelled():
            answer = post.result()
            if isinstance(answer, Comment):
                attempt.outcome, attempt.id = OK, answer.id
                self._shown_own(attempt, answer.text)
            else:
                attempt.outcome = answer.refusal.code
        elif self._dice.random() < 0.5:
            post.cancel()
        return attempt.outcome

    # -- who keeps order

    async def _ask(self, deed: Coroutine[Any, Any, Any]) -> Any:
        """The answer; `UNKNOWN` when none comes."""
        task = self.house.begin(deed)
        await asyncio.wait([task], timeout=MODERATOR_PATIENCE_S)
        return task.result() if task.done() else UNKNOWN

    async def _moderate(self) -> None:
        """Remove, restore, pin, unpin, ban and unban."""
        removed: list[tuple[str, int]] = []
        while not self.over:
            await self.pause(0.6)
            write = (await self.house.gateway()).write
            dice = self._dice
            screen, luck = dice.choice(self.screens), dice.random()
            stream = screen.stream
            if luck < 0.2 and removed:
                stream, comment_id = removed.pop(dice.randrange(len(removed)))
                self.record.restored.add(comment_id)
                await self._ask(write.restore(MODERATOR, stream, comment_id))
            elif luck < 0.3:
                await self._ban(stream)
            elif screen.comments:
                comment_id = int(dice.choice(sorted(screen.comments)))
                if luck < 0.6 and comment_id not in self.record.touched:
                    await self._remove(stream, comment_id)
                    removed.append((stream, comment_id))
                elif luck < 0.8:
                    until_ms = self.house.clock.now_ms() + 3000 if dice.random() < 0.5 else None
                    await self._ask(write.pin(MODERATOR, stream, comment_id, until_ms))
                elif screen.pinned:
                    await self._ask(write.unpin(MODERATOR, stream, int(dice.choice(sorted(screen.pinned)))))

    async def _remove(self, stream: str, comment_id: int) -> None:
        self.record.touched.add(comment_id)
        asked_s = self.now()
        write = (await self.house.gateway()).write
        if await self._ask(write.remove(MODERATOR, stream, comment_id, "rude")) is None:
            self.record.losses[comment_id] = Loss(asked_s, self.now())

    async def _ban(self, stream: str) -> None:
        user, remove = self._dice.choice(FANS), self._dice.random() < 0.3
        write = (await self.house.gateway()).write
        if remove:
            self.record.unruly.add((stream, user))
        ban = Ban(stream, user, self.now())
        self.record.bans.append(ban)
        if await self._ask(write.ban(MODERATOR, stream, user, None, "rude", remove)) is not None:
            return
        ban.from_s = self.now()
        for attempt in self.record.accepted(user, ban.asked_s, stream) if remove else ():
            self.record.losses.setdefault(attempt.id, Loss(ban.asked_s, ban.from_s))
        if self._dice.random() < 0.5:
            self.house.begin(self._unban(ban))

    async def _unban(self, ban: Ban) -> None:
        await self.pause(4.0)
        write = (await self.house.gateway()).write
        self._lift(ban)
        await write.unban(MODERATOR, ban.stream, ban.user)
        self._lift(ban)

    def _lift(self, ban: Ban) -> None:
        """A ban that was asked for while the unban was under way may be lifted too."""
        for other in self.record.bans:
            if (other.stream, other.user) == (ban.stream, ban.user):
                other.until_s = min(other.until_s, self.now())

    async def _erase(self) -> None:
        """Now and then somebody wants to be forgotten."""
        while not self.over:
            await self.pause(12.0)
            if not self.over:
                await self._forget(self._dice.choice(FANS))

    async def _forget(self, user: str) -> None:
        """Ask until it is answered: what was not may be half done."""
        asked_s = self.now()
        self.record.forgotten[user] = NEVER
        answer = None
        for _ in range(TRIES):
            answer = await self._ask((await self.house.gateway()).write.erase(MODERATOR, user))
            if isinstance(answer, int):
                break
            await self.pause(1.0)
        self.record.forgotten[user] = self.now()
        if not isinstance(answer, int):
            return self.record.breaks("I12", f"{user} was never erased: {answer}")
        for attempt in self.record.accepted(user, asked_s):
            self.record.losses[attempt.id] = Loss(asked_s, self.now(), "I12")
            self.record.restored.discard(attempt.id)
        return self._find_words(user, asked_s)

    def _find_words(self, user: str, asked_s: float) -> None:
        """What was erased is nowhere but in the log."""
        house, texts = self.house, [attempt.text for attempt in self.record.accepted(user, asked_s)]
        for part in (house.store, house.timeline, house.life.ledger):
            for text in holds(part, texts):
                self.record.breaks("I12", f"{type(part).__name__} holds {text}, erased at {self.now()}")

    # -- who reads pages

    async def _read(self) -> None:
        """Walk through pages, of all kinds and both ways."""
        while not self.over:
            await self.pause(2.0)
            read = (await self.house.gateway()).read
            walk = Walk(self.record, self.house, read, self._dice.randrange(1, 8), PATIENCE_S)
            luck, stream = self._dice.random(), self._dice.choice(STREAMS)
            if luck < 0.6:
                await walk.page(stream, upwards=luck < 0.2)
            elif luck < 0.75:
                await walk.replies(stream)
            elif luck < 0.9:
                await walk.by_user(self._dice.choice(FANS))
            else:
                await walk.replay(stream)
