"""A checker that never cries is worthless: faults planted on purpose are found."""

from itertools import count

import pytest
import structlog

from tests.sim.day import Day
from tests.sim.viewer import Fan
from uproar.core.errors import Unavailable
from uproar.core.events import Posted
from uproar.gateway.hub import Hub
from uproar.ledger.memory import MemoryLedger
from uproar.log.memory import MemoryLog
from uproar.read.service import ReadService
from uproar.store import Lease
from uproar.store.memory import MemoryStore
from uproar.timeline import Gone
from uproar.timeline.line import Line
from uproar.timeline.memory import MemoryTimeline
from uproar.write import checks

SEEDS = range(8)


@pytest.fixture(autouse=True)
def _quiet():
    """A bad day has much to log."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


async def nothing(*_):
    """What should be done is not."""


def ack_before_append(house):
    """Every tenth event is answered and not kept."""
    append, number = MemoryLog.append, count()

    async def hasty(self, event):
        return 1 if next(number) % 10 == 9 else await append(self, event)

    house.setattr(MemoryLog, "append", hasty)


def refused_and_kept(house):
    """Every tenth event is kept, and whoever asked is told that it was not."""
    append, number = MemoryLog.append, count()

    async def two_faced(self, event):
        offset = await append(self, event)
        if next(number) % 10 == 9:
            raise Unavailable("not kept")
        return offset

    house.setattr(MemoryLog, "append", two_faced)


def key_forgotten(house):
    """Neither ledger nor log know keys."""
    standing, append = MemoryLedger.standing, MemoryLog.append

    async def forgetting(self, ask):
        return await standing(self, ask._replace(key=""))

    async def unkeyed(self, event):
        keyed = isinstance(event, Posted)
        return await append(self, Posted(event.stream, event.comment, "", event.again) if keyed else event)

    house.setattr(MemoryLedger, "known", nothing)
    house.setattr(MemoryLedger, "standing", forgetting)
    house.setattr(MemoryLog, "append", unkeyed)


def frame_duplicated(house):
    """Whatever is written to sockets arrives twice."""
    receive = Fan.receive

    def twice(self, data):
        receive(self, data)
        receive(self, data)

    house.setattr(Fan, "receive", twice)


def resume_skips_a_frame(house):
    """Who comes back is told that nothing is missing, and the first missed frame is."""
    since = MemoryTimeline.since

    async def holed(self, stream, position):
        frames = await since(self, stream, position)
        return frames and frames[1:]

    house.setattr(MemoryTimeline, "since", holed)


def publish_skipped(house):
    """Every fifth frame is said to be in the chain and is not."""
    extend, number = MemoryTimeline.extend, count()

    async def skipping(self, frame):
        return True if next(number) % 5 == 4 else await extend(self, frame)

    house.setattr(MemoryTimeline, "extend", skipping)


def nothing_is_gone(house):
    """Snapshots, resumes and pages are not redacted: a removal is known to the log alone until its frame comes."""
    house.setattr(Line, "gone", Gone())
    house.setattr(MemoryTimeline, "take_down", nothing)
    house.setattr(MemoryStore, "remove", nothing)


def own_comments_left_out(house):
    """Who looks for what they wrote finds every second comment alone."""
    by_user = ReadService.by_user

    async def sampled(self, user, **asked):
        page = await by_user(self, user, **asked)
        return type(page)(page.comments[::2], page.next)

    house.setattr(ReadService, "by_user", sampled)


def number_leased_twice(house):
    """All writers have one number, and begin at one time."""

    async def lease(self, holder, now_ms, span_ms):
        return Lease(0, 1_790_000_100_000, 1_790_000_200_000)

    house.setattr(MemoryStore, "lease", lease)


def ban_forgotten(house):
    """Nobody is muted."""
    house.setattr(MemoryLedger, "ban", nothing)


def limit_forgotten(house):
    """Everybody may say everything."""
    standing = MemoryLedger.standing

    async def generous(self, ask):
        return await standing(self, ask._replace(unlimited=True))

    house.setattr(MemoryLedger, "standing", generous)


def limit_never_ends(house):
    """The window is an hour, not half a minute."""
    house.setattr(checks, "_HERE_MS", 3_600_000)


def words_remembered(house):
    """An erasure leaves the store's comments where they are."""

    async def forgetful(self, user, upto):
        return sorted(set(self._authors.get(user, {}).values()))

    house.setattr(MemoryStore, "erase", forgetful)


def page_skips(house):
    """A page ends one comment early."""
    page = ReadService.page

    async def short(self, stream, **asked):
        whole = await page(self, stream, **asked)
        return type(whole)(whole.comments[:-1], whole.next)

    house.setattr(ReadService, "page", short)


def drained_in_silence(house):
    """A hub that is asked to end says nothing."""
    house.setattr(Hub, "drain", nothing)


@pytest.mark.parametrize(
    ("plant", "cries"),
    [
        (ack_before_append, "I1"),
        (refused_and_kept, "I2"),
        (key_forgotten, "I3"),
        (frame_duplicated, "I4"),
        (resume_skips_a_frame, "I5"),
        (publish_skipped, "I6"),
        (nothing_is_gone, "I7"),
        (own_comments_left_out, "I8"),
        (number_leased_twice, "I9"),
        (ban_forgotten, "I10"),
        (limit_forgotten, "I11"),
        (limit_never_ends, "I11"),
        (words_remembered, "I12"),
        (page_skips, "pages"),
        (drained_in_silence, "drain"),
    ],
)
def test_a_planted_fault_is_found(monkeypatch, plant, cries):
    plant(monkeypatch)
    assert any(line.startswith(f"{cries}:") for seed in SEEDS for line in Day(seed).live())


def test_a_seed_is_the_same_day_every_time():
    first, second = Day(1), Day(1)
    assert first.live() == second.live()
    assert first.record.attempts == second.record.attempts
    assert first.dice.getstate() == second.dice.getstate()
