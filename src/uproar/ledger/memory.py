"""The ledger in memory: all of one process's writers share it."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from math import inf
from typing import NamedTuple, Protocol, TypeVar

from xxhash import xxh64_intdigest

from uproar.core.aging import Aging
from uproar.core.clock import Clock
from uproar.core.events import Banned, Erased, Event, Posted
from uproar.core.ids import at_ms
from uproar.core.refusal import Refusal, Refused
from uproar.ledger import Ask, Known, Limit

KEY_MS = 600_000
TEXTS_MS = 3_600_000
"""A user's texts in a stream are remembered for an hour after the last: as long as the longest slow mode."""
OWN_TEXTS = 10
ALL_TEXTS = 100
IDS_MS = 3_600_000
"""An hour covers every clock that is wrong by less."""
HOLD_MS = 10_000
BAN_MS = 60_000
"""So long it is remembered what the store knows of a ban, or that it knows none: the ledger is told of each new one."""

KEYS = 500_000
STRANGE_MS = 10_000  # for so long a key that the log does not know is not asked for again
PEOPLE = 100_000
"""Users, and users by stream, that are remembered at once; one more forgets who was quiet for longest."""
STREAMS = 2_000


class _Said(NamedTuple):
    """A post that was counted, at a time of the ledger's clock; `digest` is None once it was erased."""

    at_ms: int
    id: int
    digest: int | None


class _Ids(NamedTuple):
    """Of a user: the highest id that was accepted, the one that the next must be above, and when that may come."""

    newest: int = 0
    floor: int = 0
    held_until_ms: int = 0


class _Mute(NamedTuple):
    """Banned until this time since 1970; None: for good."""

    until_ms: int | None


class Ban(Protocol):
    """What the store tells of a ban."""

    @property
    def until_ms(self) -> int | None:
        """When it ends, in milliseconds since 1970 (None: never)."""


First = Callable[[str, str, str], Awaitable[tuple[int, int] | None]]
LoadBan = Callable[[str, str], Awaitable[Ban | None]]
_Here = tuple[str, str]
_Row = tuple[_Said, ...]
_K = TypeVar("_K")

_NOT_MUTED = _Mute(0)


class MemoryLedger:
    """Counts in tables of the process; see the port for what it promises. Its clock ticks in whole milliseconds.

    `first(stream, user, key)` is the (comment id, digest) that the log keeps under a key, asked while keys from before
    this process may be in use. `load_ban(stream, user)` is what the store knows of a ban; it is told of one first.
    """

    def __init__(self, clock: Clock, first: First | None = None, load_ban: LoadBan | None = None) -> None:
        self._clock = clock
        self._first = first
        self._load_ban = load_ban
        self._ban_ms = BAN_MS if load_ban else inf  # nobody else could tell of it later
        self._keys: Aging[tuple[str, str, str], Known] = Aging(KEYS)
        self._bans: Aging[_Here, _Mute] = Aging(PEOPLE)
        self._here: Aging[_Here, _Row] = Aging(PEOPLE)
        self._everywhere: Aging[str, _Row] = Aging(PEOPLE)
        self._texts: Aging[str, deque[tuple[str, int]]] = Aging(STREAMS)
        self._ids: Aging[str, _Ids] = Aging(PEOPLE)
        self._strange: Aging[tuple[str, str, str], bool] = Aging(KEYS)
        self._began_ms = self._now_ms()

    async def standing(self, ask: Ask) -> Known | Refused | None:
        """Judge, and if all pass count, note the text and fix the key."""
        known = await self.known(ask.stream, ask.user, ask.key)
        if known:
            return known
        await self._learn_ban(ask.stream, ask.user)
        return self._stand(ask)

    async def recall(self, stream: str, user: str, key: str) -> None:
        """Ask the log for the key and the store for a ban, where this does not know them yet."""
        await self.known(stream, user, key)
        await self._learn_ban(stream, user)

    async def known(self, stream: str, user: str, key: str) -> Known | None:
        """What the key is fixed to."""
        if not key:
            return None
        now, whole = self._now_ms(), (stream, user, key)
        known = self._keys.get(whole, now)
        if known or self._first is None or now >= self._began_ms + KEY_MS or self._strange.get(whole, now):
            return known
        first = await self._first(stream, user, key)
        if first is None:
            self._strange.put(whole, True, now, now + STRANGE_MS)
            return None
        return Known(*first)

    async def release(self, ask: Ask) -> None:
        """Take back what `standing` counted and fixed."""
        now, here = self._now_ms(), (ask.stream, ask.user)
        self._keys.pop((*here, ask.key))
        _keep(self._here, here, _without(self._here.get(here, now), ask.id), now, TEXTS_MS)
        everywhere = _without(self._everywhere.get(ask.user, now), ask.id)
        _keep(self._everywhere, ask.user, everywhere, now, ask.everywhere.span_ms)
        texts = self._texts.get(ask.stream, now)
        if texts and (ask.user, ask.digest) in texts:
            texts.remove((ask.user, ask.digest))

    async def lift(self, user: str, upto: int) -> int:
        """Raise the user's floor; returns it."""
        return self._lift(user, upto, HOLD_MS)

    async def settle(self, user: str, floor: int) -> None:
        """The user may post again, above the floor."""
        now = self._now_ms()
        ids = self._ids.get(user, now)
        if ids and ids.floor == floor:
            self._ids.put(user, ids._replace(held_until_ms=0), now, now + IDS_MS)

    async def ban(self, stream: str, user: str, until_ms: int | None) -> None:
        """Muted from now on."""
        now = self._now_ms()
        end = inf if until_ms is None else now + until_ms - self._clock.now_ms()
        self._bans.put((stream, user), _Mute(until_ms), now, min(end, now + self._ban_ms))

    async def unban(self, stream: str, user: str) -> None:
        """Muted no more."""
        now = self._now_ms()
        self._bans.put((stream, user), _NOT_MUTED, now, now + BAN_MS)

    async def forget(self, user: str) -> Sequence[str]:
        """Drop the digests of the user's texts; the streams where the user wrote in the last hour."""
        now = self._now_ms()
        theirs = [(here, said) for here, said in self._here.items(now) if here[1] == user]
        for here, said in theirs:
            _keep(self._here, here, tuple(one._replace(digest=None) for one in said), now, TEXTS_MS)
        for _, texts in self._texts.items(now):
            others = [said for said in texts if said[0] != user]
            texts.clear()
            texts.extend(others)
        return sorted(stream for (stream, _), _ in theirs)

    def prime(self, events: Iterable[Event]) -> None:
        """Count what the log kept in its last minute, oldest first: limits and floors hold over a restart."""
        behind_ms = self._clock.now_ms() - self._now_ms()
        for event in events:
            match event:
                case Posted(comment=comment):
                    digest = xxh64_intdigest(comment.text.encode())
                    ask = Ask(event.stream, comment.user.id, comment.id, digest)
                    self._count(ask, comment.at - behind_ms, self._now_ms())
                    self._accept(ask, self._now_ms())
                case Banned(user=user, upto=upto) | Erased(user=user, upto=upto) if upto:
                    self._lift(user, upto)

    def _lift(self, user: str, upto: int, hold_ms: int = 0) -> int:
        now = self._now_ms()
        ids = self._ids.get(user, now) or _Ids()
        lifted = _Ids(ids.newest, max(upto, ids.newest, ids.floor), now + hold_ms)
        self._ids.put(user, lifted, now, now + IDS_MS)
        return lifted.floor

    async def sweep(self) -> None:
        """Let go of all that has ended, also where nobody posts any more."""
        now = self._now_ms()
        tables = (self._keys, self._strange, self._bans, self._here, self._everywhere, self._texts, self._ids)
        for table in tables:
            table.sweep(now)

    def _now_ms(self) -> int:
        return round(self._clock.now() * 1000)

    async def _learn_ban(self, stream: str, user: str) -> None:
        here = (stream, user)
        if self._load_ban is None or self._bans.get(here, self._now_ms()):
            return
        ban = await self._load_ban(stream, user)
        if self._bans.get(here, self._now_ms()):
            return  # told while the store was asked: that is newer
        if ban and not _is_over(ban.until_ms, self._clock.now_ms()):
            await self.ban(stream, user, ban.until_ms)
        else:
            await self.unban(stream, user)

    def _stand(self, ask: Ask) -> Known | Refused | None:
        """One step: nothing else runs between judging and counting."""
        now = self._now_ms()
        key = (ask.stream, ask.user, ask.key)
        known = self._keys.get(key, now) if ask.key else None
        if known:
            return known
        refused = self._judge(ask, now)
        if refused:
            return refused
        if ask.key:
            self._keys.put(key, Known(ask.id, ask.digest), now, now + KEY_MS)
        self._accept(ask, now)
        if not ask.unlimited:
            self._count(ask, now, now)
        return None

    def _judge(self, ask: Ask, now: int) -> Refused | None:
        floored = _floored(ask, self._ids.get(ask.user, now) or _Ids(), now)
        if floored:
            return floored
        mute = self._bans.get((ask.stream, ask.user), now) or _NOT_MUTED
        banned = _banned(mute, self._clock.now_ms())
        if banned or ask.unlimited:
            return banned
        here = self._here.get((ask.stream, ask.user), now) or ()
        everywhere = self._everywhere.get(ask.user, now) or ()
        return (
            _too_new(ask)
            or _wait(Refusal.TOO_FAST, _limit_wait_ms(here, ask.here, now))
            or _wait(Refusal.TOO_FAST_EVERYWHERE, _limit_wait_ms(everywhere, ask.everywhere, now))
            or _wait(Refusal.SLOW_MODE, _limit_wait_ms(here, Limit(1, ask.slow_ms), now))
            or self._repeated(ask, here, now)
        )

    def _repeated(self, ask: Ask, here: _Row, now: int) -> Refused | None:
        if ask.duplicates == "own":
            digests: Iterable[int | None] = (said.digest for said in here[-OWN_TEXTS:])
        elif ask.duplicates == "all":
            digests = (digest for _, digest in self._texts.get(ask.stream, now) or ())
        else:
            digests = ()
        return Refused(Refusal.REPEATED) if ask.digest in digests else None

    def _accept(self, ask: Ask, now: int) -> None:
        ids = self._ids.get(ask.user, now) or _Ids()
        self._ids.put(ask.user, ids._replace(newest=max(ask.id, ids.newest)), now, now + IDS_MS)

    def _count(self, ask: Ask, at: int, now: int) -> None:
        said, here = _Said(at, ask.id, ask.digest), (ask.stream, ask.user)
        row = (*(self._here.get(here, now) or ()), said)
        _keep(self._here, here, row[-max(OWN_TEXTS, ask.here.posts) :], now, TEXTS_MS)
        row = (*(self._everywhere.get(ask.user, now) or ()), said)
        _keep(self._everywhere, ask.user, row[-ask.everywhere.posts :], now, ask.everywhere.span_ms)
        texts = self._texts.get(ask.stream, now)
        texts = deque(maxlen=ALL_TEXTS) if texts is None else texts
        texts.append((ask.user, ask.digest))
        self._texts.put(ask.stream, texts, now, at + TEXTS_MS)


def _floored(ask: Ask, ids: _Ids, now: int) -> Refused | None:
    behind_ms = at_ms(ids.floor) - at_ms(ask.id) + 1 if ask.id <= ids.floor else 0
    return _wait(Refusal.UNAVAILABLE, max(behind_ms, ids.held_until_ms - now))


def _banned(mute: _Mute, now_ms: int) -> Refused | None:
    if mute.until_ms is None:
        return Refused(Refusal.BANNED)
    return _wait(Refusal.TIMED_OUT, mute.until_ms - now_ms)


def _is_over(until_ms: int | None, now_ms: int) -> bool:
    return until_ms is not None and until_ms <= now_ms


def _too_new(ask: Ask) -> Refused | None:
    if ask.account_age_s is None:
        return None
    return _wait(Refusal.TOO_NEW, (ask.min_account_age_s - ask.account_age_s) * 1000)


def _limit_wait_ms(said: _Row, limit: Limit, now: int) -> int:
    """How long until one more fits into the window: until the last but `count` leaves it."""
    return said[-limit.posts].at_ms + limit.span_ms - now if len(said) >= limit.posts else 0


def _wait(refusal: Refusal, wait_ms: int) -> Refused | None:
    return Refused(refusal, wait_ms) if wait_ms > 0 else None


def _keep(table: Aging[_K, _Row], key: _K, row: _Row, now: int, span_ms: int) -> None:
    """Posts, oldest first, are kept for a span after the last one."""
    if row:
        table.put(key, row, now, row[-1].at_ms + span_ms)
    else:
        table.pop(key)


def _without(row: _Row | None, comment_id: int) -> _Row:
    return tuple(said for said in row or () if said.id != comment_id)
