"""What the write service answers, and what is then kept."""

import asyncio
from functools import wraps
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from tests.tools import TurnedClock, run
from uproar.auth import Identity
from uproar.core import events as ev
from uproar.core.comment import Parent, User
from uproar.core.errors import Overloaded, Unavailable, Unconfirmed
from uproar.core.ids import IdMaker
from uproar.core.refusal import Refusal, Refused
from uproar.core.stream import Rules, Stream
from uproar.ledger.memory import MemoryLedger
from uproar.log.memory import MemoryLog
from uproar.observe.counters import Metrics
from uproar.persist.worker import Persist
from uproar.store import Ban
from uproar.store.memory import MemoryStore
from uproar.timeline.memory import MemoryTimeline
from uproar.wire.codec import encode
from uproar.wire.frames import Batch, Frame, shown
from uproar.write import service as module
from uproar.write.change import RulesChange, StreamChange
from uproar.write.service import WriteService

EXP = 4_000_000_000


def someone(name, *roles, **more):
    return Identity(name, name.title(), EXP, roles, **more)


ANN, BOB, EVE = someone("ann"), someone("bob"), someone("eve")
MOD, ADMIN, CREATOR = someone("mod", "moderator"), someone("root", "admin"), someone("cid", "creator")


class Faulty:
    """A part of which some methods fail: before they did anything, or (`late`) after they did; or it is slow."""

    def __init__(self, part):
        self.part = part
        self.faults = {}
        self.late = {}
        self.gate = None
        self.pause = False

    def __getattr__(self, name):
        method = getattr(self.part, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def call(*args, **kwargs):
            if self.gate:
                await self.gate.wait()
            if self.pause:
                await asyncio.sleep(0)
            if name in self.faults:
                raise self.faults[name]
            result = await method(*args, **kwargs)
            if name in self.late:
                raise self.late[name]
            return result

        return call


async def room(**options):
    """A write service over parts in memory, in which the stream `s` by `cid` stands."""
    clock = TurnedClock()
    parts = SimpleNamespace(clock=clock, store=Faulty(MemoryStore()), metrics=Metrics(), ids=IdMaker(1))
    parts.log = Faulty(MemoryLog(clock))
    parts.timeline = Faulty(MemoryTimeline(clock))
    parts.ledger = Faulty(MemoryLedger(clock, first=parts.log.part.first, load_ban=parts.store.banned))
    parts.service = service(parts, **options)
    await parts.store.put_stream(Stream("s", creator="cid"))
    return parts


def service(parts, **options):
    """Another write service over the same parts, as after a restart."""
    return WriteService(
        parts.log, parts.store, parts.timeline, parts.ledger, parts.clock, parts.ids, parts.metrics, **options
    )


def promise(test):
    """Runs an `async` test in a loop of its own."""

    @wraps(test)
    def runs(*args, **kwargs):
        run(test(*args, **kwargs))

    return runs


async def events(parts):
    """All that the log holds."""
    return [record.event for record in await parts.log.part.reader("test").read(10_000, 0)]


async def persist(parts):
    """What the log holds goes to the store."""
    records = await parts.log.part.reader("persist").read(10_000, 0)
    await Persist(parts.store).apply("", records)


async def show(parts, comment):
    """The comment is on the stream's timeline."""
    top = await parts.timeline.top("s")
    number = top.number + 1
    batch = Batch(f"{top.epoch}.{number}", comments=[shown(comment)])
    frame = Frame("s", top.epoch, number, top.checksum, top.upto + 1, parts.clock.now_ms(), encode(batch), b"", 1)
    assert await parts.timeline.extend(frame)


def refusal(answer):
    """Which refusal an answer is; None for one without a value."""
    assert answer is None or isinstance(answer, Refused), answer
    return answer and answer.refusal


# -- posting


@promise
async def test_an_acknowledged_comment_is_in_the_log_as_it_is_answered():
    parts = await room()
    answer = await parts.service.post(ANN, "s", "  hello\n", key="k")
    assert (answer.text, answer.stream, answer.user, answer.at) == (
        "hello",
        "s",
        User("ann", "Ann"),
        parts.clock.now_ms(),
    )
    assert await events(parts) == [ev.Posted("s", answer, "k")]


@promise
async def test_the_ack_waits_for_the_log():
    parts = await room()
    parts.log.gate = asyncio.Event()
    posting = asyncio.create_task(parts.service.post(ANN, "s", "hello"))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not posting.done()
    parts.log.gate.set()
    assert (await posting).text == "hello"


@pytest.mark.parametrize(
    ("who", "roles"),
    [
        (ANN, ()),
        (someone("cid"), ("creator",)),
        (someone("x", "creator@s"), ("creator",)),
        (someone("x", "creator"), ()),
        (someone("x", "moderator@s"), ("moderator",)),
        (someone("x", "moderator@t"), ()),
        (someone("cid", "moderator", "admin"), ("creator", "moderator", "admin")),
    ],
)
@promise
async def test_a_comment_shows_the_roles_that_its_author_holds_here(who, roles):
    parts = await room()
    assert (await parts.service.post(who, "s", "hello")).user.roles == roles


@pytest.mark.parametrize(
    ("who", "stream", "text", "reply_to", "expected"),
    [
        (None, "nowhere", "", None, Refusal.NOT_SIGNED_IN),
        (Identity("ann", "Ann", 1), "s", "hello", None, Refusal.BAD_TOKEN),
        (ANN, "nowhere", "", None, Refusal.NO_SUCH_STREAM),
        (ANN, "not a stream", "hello", None, Refusal.NO_SUCH_STREAM),
        (ANN, "s", " ", 5, Refusal.EMPTY),
        (ANN, "s", "\ud800", None, Refusal.UNPRINTABLE),
        (ANN, "s", "hello", 5, Refusal.NO_SUCH_COMMENT),
    ],
)
@promise
async def test_what_is_refused_is_not_kept(who, stream, text, reply_to, expected):
    parts = await room()
    assert refusal(await parts.service.post(who, stream, text, reply_to, key="k")) is expected
    assert await events(parts) == []
    assert parts.metrics.refusals.labels(expected.reason)._value.get() == 1


@promise
async def test_the_ledger_s_refusal_is_the_answer():
    parts = await room()
    for number in range(5):
        assert (await parts.service.post(ANN, "s", f"text {number}")).text
    assert await parts.service.post(ANN, "s", "more") == Refused(Refusal.TOO_FAST, 30_000)
    parts.clock.turn(30)
    assert (await parts.service.post(ANN, "s", "more")).text == "more"


@promise
async def test_a_good_reputation_may_say_more():
    parts = await room()
    await parts.store.set_reputation("ann", 0.95)
    for number in range(10):
        assert (await parts.service.post(ANN, "s", f"text {number}")).text
    assert refusal(await parts.service.post(ANN, "s", "more")) is Refusal.TOO_FAST


@promise
async def test_an_importer_has_no_limits_but_the_text_s():
    parts = await room()
    importer = someone("ann", "importer", since=EXP)
    for _ in range(40):
        assert (await parts.service.post(importer, "s", "same")).text == "same"
    assert refusal(await parts.service.post(importer, "s", "")) is Refusal.EMPTY


@promise
async def test_a_stream_is_made_by_its_first_post_where_streams_are_open():
    parts = await room(open_streams=True)
    comment = await parts.service.post(ANN, "new", "first")
    made = Stream("new", started_at=parts.clock.now_ms())
    assert await events(parts) == [ev.Changed("new", made), ev.Posted("new", comment)]
    assert await parts.store.stream("new") == made


# -- replies


@pytest.mark.parametrize("place", ["just said", "timeline", "store"])
@promise
async def test_a_reply_previews_its_parent_wherever_that_is(place):
    parts = await room()
    parent = await parts.service.post(BOB, "s", "x" * 100)
    if place == "timeline":
        await show(parts, parent)
    if place == "store":
        await persist(parts)
    if place != "just said":
        parts.service = service(parts)
    answer = await parts.service.post(ANN, "s", "indeed", parent.id)
    assert answer.reply_to == Parent(parent.id, "bob", "x" * 80)


@pytest.mark.parametrize("place", ["just said", "timeline", "store"])
@promise
async def test_nobody_replies_to_what_was_removed(place):
    parts = await room()
    parent = await parts.service.post(BOB, "s", "oops")
    if place == "timeline":
        await show(parts, parent)
    if place == "store":
        await persist(parts)
    assert await parts.service.remove(BOB, "s", parent.id) is None
    if place != "just said":
        parts.service = service(parts)
    assert refusal(await parts.service.post(ANN, "s", "indeed", parent.id)) is Refusal.NO_SUCH_COMMENT


@promise
async def test_a_parent_is_in_the_same_stream():
    parts = await room(open_streams=True)
    parent = await parts.service.post(BOB, "t", "hello")
    assert refusal(await parts.service.post(ANN, "s", "indeed", parent.id)) is Refusal.NO_SUCH_COMMENT


# -- keys


@promise
async def test_a_reply_that_was_not_kept_keeps_its_parent_when_it_is_sent_again():
    parts = await room()
    parent = await parts.service.post(BOB, "s", "parent")
    parts.log.faults["append"] = Unconfirmed("slow")
    await parts.service.post(ANN, "s", "darn", parent.id, key="k")
    parts.log.faults = {}
    await parts.service.put_stream(CREATOR, "s", StreamChange(rules=RulesChange(words=("darn",))))
    assert (await parts.service.post(ANN, "s", "darn", parent.id, key="k")).reply_to.text == "parent"


@pytest.mark.parametrize("place", ["just said", "timeline", "store", "log"])
@promise
async def test_a_retry_gives_the_first_comment_wherever_that_is(place):
    parts = await room()
    parent = await parts.service.post(BOB, "s", "parent")
    first = await parts.service.post(ANN, "s", "hello", parent.id, key="k")
    if place == "timeline":
        await show(parts, first)
    if place == "store":
        await persist(parts)
    if place in ("timeline", "store"):
        parts.service = service(parts)
    if place == "log":
        parts.ledger.part = MemoryLedger(parts.clock, first=parts.log.part.first, load_ban=parts.store.banned)
    for _ in range(20):
        assert await parts.service.post(ANN, "s", "hello", parent.id, key="k") == first
    assert len(await events(parts)) == 2
    assert [(await parts.service.post(ANN, "s", str(number))).text for number in range(4)] == ["0", "1", "2", "3"]


@promise
async def test_another_text_under_a_kept_key_is_no_message():
    parts = await room()
    await parts.service.post(ANN, "s", "hello", key="k")
    for text in ("other", "", "\ud800"):
        assert refusal(await parts.service.post(ANN, "s", text, key="k")) is Refusal.BAD_MESSAGE


@promise
async def test_a_kept_key_answers_before_stream_text_and_ban():
    parts = await room()
    first = await parts.service.post(ANN, "s", "darn", key="k")
    await parts.service.put_stream(CREATOR, "s", StreamChange(state="ended", rules=RulesChange(words=("darn",))))
    await parts.service.ban(MOD, "s", "ann")
    assert await parts.service.post(ANN, "s", "darn", key="k") == first
    assert refusal(await parts.service.post(ANN, "s", "darn", key="l")) is Refusal.STREAM_ENDED


@promise
async def test_a_retry_of_what_was_removed_since_finds_no_comment():
    parts = await room()
    first = await parts.service.post(ANN, "s", "hello", key="k")
    await parts.service.remove(MOD, "s", first.id)
    assert refusal(await parts.service.post(ANN, "s", "hello", key="k")) is Refusal.NO_SUCH_COMMENT


@promise
async def test_a_retry_of_what_was_erased_since_finds_no_comment():
    parts = await room()
    await parts.service.post(ANN, "s", "hello", key="k")
    await parts.service.erase(ANN, "ann")
    assert refusal(await parts.service.post(ANN, "s", "hello", key="k")) is Refusal.NO_SUCH_COMMENT


@promise
async def test_after_an_unconfirmed_first_attempt_the_retry_carries_the_same_id_again():
    parts = await room()
    parts.log.faults["append"] = Unconfirmed("slow")
    assert refusal(await parts.service.post(ANN, "s", "hello", key="k")) is Refusal.UNCONFIRMED
    fixed = await parts.ledger.known("s", "ann", "k")
    del parts.log.faults["append"]
    second = await parts.service.post(ANN, "s", "hello", key="k")
    assert second.id == fixed.id
    assert await events(parts) == [ev.Posted("s", second, "k", again=True)]


@promise
async def test_an_unconfirmed_first_attempt_that_was_kept_stays_one_comment():
    parts = await room()
    parts.log.late["append"] = Unconfirmed("slow")
    assert refusal(await parts.service.post(ANN, "s", "hello", key="k")) is Refusal.UNCONFIRMED
    del parts.log.late["append"]
    second = await parts.service.post(ANN, "s", "hello", key="k")
    assert [event.comment for event in await events(parts)] == [second]


@promise
async def test_a_first_attempt_that_was_not_kept_leaves_nothing_behind():
    parts = await room()
    parts.log.faults["append"] = Unavailable("down", 700)
    for number in range(9):
        answer = await parts.service.post(ANN, "s", "hello", key=f"k{number}")
        assert answer == Refused(Refusal.UNAVAILABLE, 700)
    parts.log.faults = {}
    assert (await parts.service.post(ANN, "s", "hello", key="k0")).text == "hello"
    assert (await parts.service.post(ANN, "s", "other", key="k1")).text == "other"
    assert len(await events(parts)) == 2


@promise
async def test_attempts_at_once_with_one_key_become_one_comment():
    parts = await room()
    answers = await asyncio.gather(*(parts.service.post(ANN, "s", "hello", key="k") for _ in range(5)))
    assert [event.comment for event in await events(parts)] == [answers[0]]
    assert answers == [answers[0]] * 5


@promise
async def test_a_retry_while_the_first_attempt_fails_is_acknowledged_under_the_id_that_is_kept():
    parts = await room()
    append, tries = parts.log.part.append, []

    async def failing_first(event):
        tries.append(event)
        if len(tries) > 1:
            return await append(event)
        for _ in range(20):
            await asyncio.sleep(0)
        raise Unavailable("down")

    parts.log.part.append = failing_first
    answers = await asyncio.gather(*(parts.service.post(ANN, "s", "hello", key="k") for _ in range(3)))
    assert refusal(answers[0]) is Refusal.UNAVAILABLE
    assert [event.comment for event in await events(parts)] == [answers[1]] == [answers[2]]


@promise
async def test_a_client_that_leaves_loses_nothing_and_doubles_nothing():
    parts = await room()
    parts.log.gate = asyncio.Event()
    posting = asyncio.create_task(parts.service.post(ANN, "s", "hello", key="k"))
    for _ in range(10):
        await asyncio.sleep(0)
    posting.cancel()
    await asyncio.gather(posting, return_exceptions=True)
    parts.log.gate.set()
    await parts.service.drain()
    first = (await events(parts))[0].comment
    assert await parts.service.post(ANN, "s", "hello", key="k") == first
    assert len(await events(parts)) == 1


FATES = st.lists(st.sampled_from(["fine", "down", "unconfirmed", "late", "gone", "restart"]), min_size=1, max_size=8)


@settings(max_examples=60)
@given(FATES)
def test_one_key_is_at_most_one_comment_whatever_happens(fates):
    async def main():
        parts = await room()
        acked = set()
        for fate in fates:
            parts.log.faults, parts.log.late = {}, {}
            if fate == "down":
                parts.log.faults["append"] = Unavailable("down")
            if fate == "unconfirmed":
                parts.log.faults["append"] = Unconfirmed("slow")
            if fate == "late":
                parts.log.late["append"] = Unconfirmed("slow")
            if fate == "restart":
                parts.ledger.part = MemoryLedger(parts.clock, first=parts.log.part.first)
                parts.service = service(parts)
            posting = asyncio.create_task(parts.service.post(ANN, "s", "hello", key="k"))
            if fate == "gone":
                await asyncio.sleep(0)
                posting.cancel()
                await asyncio.gather(posting, return_exceptions=True)
                await parts.service.drain()
                continue
            answer = await posting
            if not isinstance(answer, Refused):
                acked.add(answer)
        kept = {event.comment for event in await events(parts)}
        assert len(await events(parts)) <= 1
        assert acked <= kept

    run(main())


# -- outages


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        (Unavailable("x", 5), Refused(Refusal.UNAVAILABLE, 5)),
        (Overloaded("x", 6), Refused(Refusal.OVERLOADED, 6)),
        (Unconfirmed("x", 7), Refused(Refusal.UNCONFIRMED, 7)),
    ],
)
@promise
async def test_an_outage_is_an_answer(fault, expected):
    parts = await room()
    comment = await parts.service.post(ANN, "s", "hello")
    parts.log.faults["append"] = fault
    assert await parts.service.post(ANN, "s", "hello again") == expected
    assert await parts.service.like(ANN, "s", comment.id) == expected


@promise
async def test_a_bug_is_no_answer():
    parts = await room()
    parts.log.faults["append"] = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError):
        await parts.service.post(ANN, "s", "hello")


@promise
async def test_too_many_under_way_are_refused(monkeypatch):
    monkeypatch.setattr(module, "UNDER_WAY", 3)
    parts = await room()
    parts.log.gate = asyncio.Event()
    posting = [asyncio.create_task(parts.service.post(someone(f"u{number}"), "s", "x")) for number in range(3)]
    await asyncio.sleep(0)
    assert refusal(await parts.service.post(ANN, "s", "hello")) is Refusal.OVERLOADED
    parts.log.gate.set()
    assert {comment.text for comment in await asyncio.gather(*posting)} == {"x"}
    assert (await parts.service.post(ANN, "s", "hello")).text == "hello"


@promise
async def test_posting_goes_on_while_the_store_is_down():
    parts = await room()
    await parts.service.post(ANN, "s", "before")
    for name in ("stream", "reputation", "comment", "save"):
        parts.store.faults[name] = Unavailable("down")
    parts.clock.turn(90)
    assert (await parts.service.post(ANN, "s", "after")).text == "after"
    parts.clock.turn(600)
    assert refusal(await parts.service.post(ANN, "s", "much later")) is Refusal.UNAVAILABLE


# -- deeds


@pytest.mark.parametrize(
    ("who", "expected"),
    [
        (None, Refusal.NOT_SIGNED_IN),
        (EVE, Refusal.NOT_ALLOWED),
        (someone("x", "moderator@t"), Refusal.NOT_ALLOWED),
        (BOB, None),
        (MOD, None),
        (ADMIN, None),
        (someone("cid"), None),
        (someone("x", "moderator@s"), None),
        (someone("x", "creator@s"), None),
    ],
)
@promise
async def test_who_may_remove(who, expected):
    parts = await room()
    comment = await parts.service.post(BOB, "s", "hello")
    assert refusal(await parts.service.remove(who, "s", comment.id)) is expected
    assert (comment.id in (await parts.timeline.gone("s")).ids) == (expected is None)


DEEDS = {
    "restore": lambda service, who, comment: service.restore(who, "s", comment.id),
    "pin": lambda service, who, comment: service.pin(who, "s", comment.id),
    "unpin": lambda service, who, comment: service.unpin(who, "s", comment.id),
    "ban": lambda service, who, comment: service.ban(who, "s", "eve"),
    "unban": lambda service, who, comment: service.unban(who, "s", "eve"),
}


@pytest.mark.parametrize("deed", DEEDS)
@promise
async def test_who_may_keep_order(deed):
    parts = await room()
    comment = await parts.service.post(BOB, "s", "hello")
    answers = [
        refusal(await DEEDS[deed](parts.service, who, comment))
        for who in (None, BOB, someone("x", "moderator@t"), MOD, someone("x", "moderator@s"), ADMIN, CREATOR)
    ]
    assert answers == [Refusal.NOT_SIGNED_IN, Refusal.NOT_ALLOWED, Refusal.NOT_ALLOWED, None, None, None, None]
    assert len(await events(parts)) == 5


@pytest.mark.parametrize("deed", [*DEEDS, "remove", "like", "report"])
@promise
async def test_a_deed_needs_its_stream(deed):
    parts = await room()
    more = ["eve"] if "ban" in deed else [5]
    answer = await getattr(parts.service, deed)(ADMIN, "nowhere", *more)
    assert refusal(answer) is Refusal.NO_SUCH_STREAM


@pytest.mark.parametrize("deed", ["remove", "restore", "pin", "report"])
@promise
async def test_a_deed_needs_its_comment(deed):
    parts = await room()
    assert refusal(await getattr(parts.service, deed)(ADMIN, "s", 5)) is Refusal.NO_SUCH_COMMENT
    assert await events(parts) == []


@promise
async def test_a_removal_is_gone_everywhere_when_it_is_answered_and_comes_back_when_it_is_undone():
    parts = await room()
    comment = await parts.service.post(BOB, "s", "hello")
    await persist(parts)
    await parts.service.remove(MOD, "s", comment.id, "rude")
    assert (await parts.store.comment("s", comment.id)).removed_by == "mod"
    assert comment.id in (await parts.timeline.gone("s")).ids
    await parts.service.restore(MOD, "s", comment.id)
    assert (await parts.store.comment("s", comment.id)).removed_by == ""
    assert comment.id not in (await parts.timeline.gone("s")).ids
    assert (await events(parts))[1:] == [
        ev.Removed("s", comment.id, "mod", "rude"),
        ev.Restored("s", comment, "mod"),
    ]
    lines = [(line.by, line.deed, line.target, line.why) for line in await parts.store.audit("s", 10)]
    assert sorted(lines) == [("mod", "remove", str(comment.id), "rude"), ("mod", "restore", str(comment.id), "")]


@promise
async def test_an_author_s_own_removal_is_no_moderator_s_deed():
    parts = await room()
    comment = await parts.service.post(BOB, "s", "hello")
    await parts.service.remove(BOB, "s", comment.id)
    assert await parts.store.audit("s", 10) == []


@promise
async def test_what_the_store_knows_as_removed_stays_so_when_the_timeline_was_lost():
    parts = await room()
    comment = await parts.service.post(BOB, "s", "oops")
    await persist(parts)
    await parts.service.remove(BOB, "s", comment.id)
    parts.timeline.part = MemoryTimeline(parts.clock)
    assert refusal(await service(parts).post(ANN, "s", "indeed", comment.id)) is Refusal.NO_SUCH_COMMENT


@pytest.mark.parametrize(("part", "method"), [("store", "remove"), ("timeline", "take_down"), ("store", "note")])
@promise
async def test_a_removal_that_is_logged_but_not_everywhere_is_unconfirmed_and_its_repeat_finishes_it(part, method):
    parts = await room()
    comment = await parts.service.post(BOB, "s", "hello")
    getattr(parts, part).faults[method] = Unavailable("down")
    assert refusal(await parts.service.remove(MOD, "s", comment.id)) is Refusal.UNCONFIRMED
    getattr(parts, part).faults = {}
    await persist(parts)
    assert (await parts.store.comment("s", comment.id)).removed_by == "mod"
    assert await parts.service.remove(MOD, "s", comment.id) is None


@promise
async def test_likes_and_reports_go_to_the_log():
    parts = await room()
    comment = await parts.service.post(BOB, "s", "hello")
    assert await parts.service.like(ANN, "s", comment.id) is None
    assert await parts.service.like(ANN, "s", comment.id, False) is None
    assert await parts.service.like(ANN, "s", comment.id + 1) is None
    assert await parts.service.report(ANN, "s", comment.id, "rude") is None
    assert (await events(parts))[1:] == [
        ev.Liked("s", "ann", comment.id, True),
        ev.Liked("s", "ann", comment.id, False),
        ev.Reported("s", "ann", comment.id, "rude", parts.clock.now_ms()),
    ]


@promise
async def test_a_pin_ends_at_its_time():
    parts = await room()
    comment = await parts.service.post(BOB, "s", "hello")
    until_ms = parts.clock.now_ms() + 5_000
    assert await parts.service.pin(MOD, "s", comment.id, until_ms) is None
    assert await parts.store.pinned("s") == [comment.id]
    await parts.service.unpin_expired()
    assert await parts.store.pinned("s") == [comment.id]
    parts.clock.turn(5)
    await parts.service.unpin_expired()
    assert await parts.store.pinned("s") == []
    assert (await events(parts))[1:] == [
        ev.Pinned("s", comment, "mod", until_ms),
        ev.Unpinned("s", comment.id, ""),
    ]
    assert refusal(await parts.service.pin(MOD, "s", comment.id, until_ms)) is Refusal.BAD_MESSAGE


@promise
async def test_a_stream_has_so_many_pins_and_no_more(monkeypatch):
    monkeypatch.setattr(module, "PINS", 2)
    parts = await room()
    first, second, third = [await parts.service.post(BOB, "s", text) for text in "abc"]
    for comment in (first, second, second):
        assert await parts.service.pin(MOD, "s", comment.id) is None
    assert refusal(await parts.service.pin(MOD, "s", third.id)) is Refusal.BAD_MESSAGE
    assert await parts.service.unpin(MOD, "s", first.id) is None
    assert await parts.service.pin(MOD, "s", third.id) is None


@promise
async def test_a_banned_user_posts_nothing_more_until_it_is_lifted():
    parts = await room()
    await parts.service.post(EVE, "s", "before")
    assert await parts.service.ban(MOD, "s", "eve", why="spam") is None
    assert refusal(await parts.service.post(EVE, "s", "after")) is Refusal.BANNED
    assert await parts.store.banned("s", "eve") == Ban("eve", None, "spam")
    parts.ledger.part = MemoryLedger(parts.clock, load_ban=parts.store.banned)
    assert refusal(await parts.service.post(EVE, "s", "after")) is Refusal.BANNED
    assert await parts.service.unban(MOD, "s", "eve") is None
    assert (await parts.service.post(EVE, "s", "after")).text == "after"


@promise
async def test_a_time_out_ends():
    parts = await room()
    await parts.service.ban(MOD, "s", "eve", 60)
    assert await parts.service.post(EVE, "s", "after") == Refused(Refusal.TIMED_OUT, 60_000)
    parts.clock.turn(60)
    assert (await parts.service.post(EVE, "s", "after")).text == "after"


@promise
async def test_a_ban_that_removes_takes_down_what_was_said_and_not_what_is_said_later():
    parts = await room()
    before = await parts.service.post(EVE, "s", "before")
    await persist(parts)
    await parts.service.ban(MOD, "s", "eve", 1, remove=True)
    parts.clock.turn(1)
    after = await parts.service.post(EVE, "s", "after")
    gone = await parts.timeline.gone("s")
    assert [gone.covers(comment.id, "eve") for comment in (before, after)] == [True, False]
    assert (await parts.store.comment("s", before.id)).removed_by == "mod"


@pytest.mark.parametrize("stored", [True, False])
@promise
async def test_a_ban_takes_down_what_another_writer_whose_clock_is_ahead_numbered(stored):
    parts = await room()
    parts.ids = IdMaker(2)
    before = await parts.service.post(EVE, "s", "before")
    if stored:
        await persist(parts)
        parts.ledger.part = MemoryLedger(parts.clock)
    parts.clock.turn(-30)
    behind = service(parts)
    await behind.ban(MOD, "s", "eve", 1, remove=True)
    await behind.unban(MOD, "s", "eve")
    assert (await parts.timeline.gone("s")).covers(before.id, "eve")
    assert await behind.post(EVE, "s", "after") == Refused(Refusal.UNAVAILABLE, 30_001)
    parts.clock.turn(31)
    after = await behind.post(EVE, "s", "after")
    assert not (await parts.timeline.gone("s")).covers(after.id, "eve")


@pytest.mark.parametrize(
    ("user", "seconds", "expected"),
    [
        ("cid", None, Refusal.NOT_ALLOWED),
        ("no user", None, Refusal.BAD_MESSAGE),
        ("eve", 0, Refusal.BAD_MESSAGE),
        ("eve", 1, None),
    ],
)
@promise
async def test_who_may_be_banned(user, seconds, expected):
    parts = await room()
    assert refusal(await parts.service.ban(MOD, "s", user, seconds)) is expected


# -- erasure


@pytest.mark.parametrize(
    ("who", "expected"), [(None, Refusal.NOT_SIGNED_IN), (EVE, Refusal.NOT_ALLOWED), (MOD, Refusal.NOT_ALLOWED)]
)
@promise
async def test_who_may_not_erase(who, expected):
    parts = await room()
    assert refusal(await parts.service.erase(who, "ann")) is expected


@pytest.mark.parametrize("who", [ANN, ADMIN])
@promise
async def test_after_an_erasure_no_part_but_the_log_holds_the_text(who):
    parts = await room(open_streams=True, log_kept_ms=1000)
    stored = await parts.service.post(ANN, "s", "secret one")
    await persist(parts)
    newer = await parts.service.post(ANN, "t", "secret two")
    await show(parts, stored)
    assert await parts.service.erase(who, "ann") == parts.clock.now_ms() + 1000
    assert {event.stream for event in await events(parts) if isinstance(event, ev.Erased)} == {"s", "t"}
    await persist(parts)
    for comment in (stored, newer):
        assert await parts.store.comment(comment.stream, comment.id) is None
        assert (await parts.timeline.snapshot(comment.stream, 100)).comments == []
        answer = await parts.service.post(BOB, comment.stream, f"what? {comment.id}", comment.id)
        assert refusal(answer) is Refusal.NO_SUCH_COMMENT
    assert "secret" not in str(parts.service._comments._recent._entries)
    assert (await parts.service.post(ANN, "s", "secret one")).text == "secret one"


@promise
async def test_an_erased_comment_that_another_writer_still_remembers_is_not_restored():
    parts = await room()
    elsewhere = service(parts)
    comment = await elsewhere.post(ANN, "s", "secret")
    await parts.service.erase(ANN, "ann")
    assert refusal(await elsewhere.restore(MOD, "s", comment.id)) is Refusal.NO_SUCH_COMMENT


@promise
async def test_an_erasure_that_was_cut_short_is_finished_by_its_repeat():
    parts = await room(open_streams=True)
    for stream in ("s", "t"):
        await parts.service.post(ANN, stream, "secret")
    parts.timeline.faults["cut"] = Unavailable("down")
    assert refusal(await parts.service.erase(ANN, "ann")) is Refusal.UNCONFIRMED
    parts.timeline.faults = {}
    assert isinstance(await parts.service.erase(ANN, "ann"), int)
    assert {event.stream for event in await events(parts) if isinstance(event, ev.Erased)} == {"s", "t"}


# -- streams


@pytest.mark.parametrize(
    ("who", "stream", "creator", "expected"),
    [
        (None, "s", UNSET, Refusal.NOT_SIGNED_IN),
        (ANN, "s", UNSET, Refusal.NOT_ALLOWED),
        (MOD, "s", UNSET, Refusal.NOT_ALLOWED),
        (someone("x", "creator"), "s", UNSET, Refusal.NOT_ALLOWED),
        (someone("cid"), "s", UNSET, "cid"),
        (someone("cid"), "s", "cid", "cid"),
        (someone("cid"), "s", "ann", Refusal.NOT_ALLOWED),
        (someone("cid"), "s", "", Refusal.NOT_ALLOWED),
        (someone("x", "creator@s"), "s", UNSET, "cid"),
        (someone("x", "creator@s"), "s", "x", Refusal.NOT_ALLOWED),
        (ADMIN, "s", UNSET, "cid"),
        (ADMIN, "s", "ann", "ann"),
        (ADMIN, "s", "no user", Refusal.BAD_MESSAGE),
        (ANN, "new", UNSET, Refusal.NOT_ALLOWED),
        (CREATOR, "new", UNSET, "cid"),
        (CREATOR, "new", "cid", "cid"),
        (CREATOR, "new", "ann", Refusal.NOT_ALLOWED),
        (someone("x", "creator@new"), "new", UNSET, "x"),
        (someone("x", "creator@new"), "newer", UNSET, Refusal.NOT_ALLOWED),
        (ADMIN, "new", UNSET, ""),
        (CREATOR, "not a stream", UNSET, Refusal.BAD_MESSAGE),
    ],
)
@promise
async def test_who_may_make_and_change_a_stream_and_whose_it_is_then(who, stream, creator, expected):
    parts = await room()
    answer = await parts.service.put_stream(who, stream, StreamChange(creator=creator, title=" Title "))
    if isinstance(answer, Refused):
        assert answer.refusal is expected
        assert await events(parts) == []
        return
    now, made = answer
    assert (now.creator, now.title, made) == (expected, "Title", stream != "s")
    assert await events(parts) == [ev.Changed(stream, now)]
    assert await parts.store.stream(stream) == await parts.service.stream(stream) == now


@promise
async def test_a_stream_opened_by_a_join_is_taken_by_the_first_who_may_create():
    parts = await room(open_streams=True)
    assert (await parts.service.open_stream("new")).creator == ""
    assert (await parts.service.put_stream(CREATOR, "new", StreamChange()))[0].creator == "cid"
    other = someone("x", "creator")
    assert refusal(await parts.service.put_stream(other, "new", StreamChange())) is Refusal.NOT_ALLOWED


@promise
async def test_many_who_join_at_once_open_one_stream():
    parts = await room(open_streams=True)
    parts.store.pause = True
    opened = await asyncio.gather(*(parts.service.open_stream("new") for _ in range(5)))
    assert opened == [opened[0]] * 5
    assert await events(parts) == [ev.Changed("new", opened[0])]


@promise
async def test_one_address_opens_so_many_streams_a_minute_and_others_go_on():
    parts = await room(open_streams=True, streams_per_min=2)
    service, here = parts.service, "8.8.8.8"
    opened = [await service.open_stream(f"new{number}", here) for number in range(3)]
    assert (opened[0].id, opened[1].id, refusal(opened[2])) == ("new0", "new1", Refusal.TOO_FAST)
    assert opened[2].retry_after_ms == 60_001
    assert refusal(await service.post(ANN, "new2", "hello", address=here)) is Refusal.TOO_FAST
    assert (await service.open_stream("new1", here)).id == "new1"
    assert (await service.open_stream("new2", "9.9.9.9")).id == "new2"
    assert [(await service.open_stream(f"own{number}")).id for number in range(3)] == ["own0", "own1", "own2"]
    parts.clock.turn(60)
    assert (await service.post(ANN, "new3", "hello", address=here)).text == "hello"


@promise
async def test_a_stream_is_not_opened_where_streams_are_not_open_nor_under_an_impossible_name():
    closed, opened = await room(), await room(open_streams=True)
    assert await closed.service.open_stream("new") is None
    assert await opened.service.open_stream("not a stream") is None


@promise
async def test_another_s_change_is_seen_after_a_second():
    parts = await room()
    await parts.service.stream("s")
    await parts.store.put_stream(Stream("s", creator="cid", state="ended"))
    parts.clock.turn(0.9)
    assert (await parts.service.post(ANN, "s", "hello")).text == "hello"
    parts.clock.turn(0.1)
    assert refusal(await parts.service.post(ANN, "s", "hello!")) is Refusal.STREAM_ENDED


@promise
async def test_what_a_change_does_not_name_stays():
    parts = await room()
    await parts.service.put_stream(CREATOR, "s", StreamChange(title="T", rules=RulesChange(slow_ms=5, links="refuse")))
    now, _ = await parts.service.put_stream(CREATOR, "s", StreamChange(state="ended", rules=RulesChange(slow_ms=0)))
    assert now == Stream("s", "T", "cid", 0, "ended", Rules(links="refuse"))


@promise
async def test_a_slow_reading_hides_no_own_change():
    parts = await room()
    reads, asked, answer = [], asyncio.Event(), asyncio.Event()

    async def stream(name):
        found = await MemoryStore.stream(parts.store.part, name)
        reads.append(name)
        if len(reads) == 1:
            asked.set()
            await answer.wait()
        return found

    parts.store.part.stream = stream
    reading = asyncio.create_task(parts.service.stream("s"))
    await asked.wait()
    now, _ = await parts.service.put_stream(CREATOR, "s", StreamChange(title="new"))
    answer.set()
    assert await reading == await parts.service.stream("s") == now
