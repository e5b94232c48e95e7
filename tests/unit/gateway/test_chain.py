"""One compression context for all viewers of a stream: whoever comes, stalls, skips, resumes or leaves reads it."""

from collections import deque
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools import run
from tests.unit.gateway.test_hub import BIG, House, settle
from uproar.core.position import Position
from uproar.gateway.budget import Budget
from uproar.gateway.chain import AGE_MS, FEWEST_FRAMES, FRAMES, Chain
from uproar.gateway.outbox import Lag
from uproar.gateway.viewer import ALONE, CHAINED, NO_SLOT, PLAIN, Viewer
from uproar.wire.codec import read_message
from uproar.wire.deflate import Inflater, inflate_alone
from uproar.wire.frames import Batch, Joined, Skipped
from uproar.wire.websocket import Message, Reader

LIMIT = 1 << 20


def links(chain, count, *, now_ms=0, inside=1, waiting=0):
    return [chain.add(b"a comment like any other", now_ms, inside, waiting) for _ in range(count)]


def starts(given):
    return [at for at, link in enumerate(given) if link.starts]


def test_a_frame_refers_to_those_before_it_and_the_first_one_to_nothing():
    first, second = links(Chain(Budget()), 2)
    assert inflate_alone(first.data, LIMIT) == b"a comment like any other"
    assert len(second.data) < len(first.data) / 2
    inflater = Inflater()
    assert [inflater.read(link.data, LIMIT) for link in (first, second)] == [b"a comment like any other"] * 2


def test_it_starts_anew_after_so_many_frames():
    assert starts(links(Chain(Budget()), 2 * FRAMES)) == [0, FRAMES]


def test_it_starts_anew_after_so_long():
    chain = Chain(Budget())
    links(chain, 1)
    assert starts(links(chain, 1, now_ms=AGE_MS - 1) + links(chain, 1, now_ms=AGE_MS)) == [1]


def test_it_starts_anew_early_for_a_crowd_that_waits():
    assert starts(links(Chain(Budget()), FEWEST_FRAMES + 1, inside=8, waiting=1)) == [0, FEWEST_FRAMES]
    assert starts(links(Chain(Budget()), FEWEST_FRAMES + 1, inside=9, waiting=1)) == [0]


def test_there_is_none_while_nobody_reads_it_and_it_starts_anew_afterwards():
    chain = Chain(Budget())
    links(chain, 2)
    assert links(chain, 1, inside=0) == [None]
    assert starts(links(chain, 2, inside=0, waiting=1)) == [0]


def test_no_more_run_at_once_than_may_and_one_that_ends_makes_room():
    budget = Budget(chains=1)
    one, other = Chain(budget), Chain(budget)
    assert links(one, 1) != [None]
    assert links(other, 1) == [None]
    one.stop()
    one.stop()
    assert links(other, 1) != [None]
    assert links(one, 1) == [None]


class Reads(Viewer):
    """A viewer that inflates as a browser does, and whose socket can be full."""

    def __init__(self, deflated=True, context=True):
        super().__init__()
        self.transport = self
        self.deflated, self.context = deflated, context
        self.stuck, self.over = False, False
        self.waiting = deque()
        self.told = []
        inflate = Inflater().read if context else inflate_alone
        self.reader = Reader(BIG, deflate=deflated, from_client=False, inflate=inflate)

    def write(self, data):
        if not self.stuck:
            return self.read(data)
        self.waiting.append(data)
        if len(self.waiting) == 1:
            self.hub.paused(self)
        return None

    def read(self, data):
        for one in self.reader.feed(data):
            assert isinstance(one, Message), one
            self.told.append(read_message(one.data))

    def drain(self):
        self.stuck = False
        if self.waiting:
            self.read(b"".join(self.waiting))
            self.waiting.clear()
            self.hub.resumed(self)

    def is_closing(self):
        return self.over

    def get_write_buffer_size(self):
        return sum(map(len, self.waiting))

    def end(self, code, reason):
        self.over = True


def texts_by_position(told):
    return {one.position: [c.text for c in one.comments] for one in told if isinstance(one, Batch)}


async def watch(house, position=None, **agreed):
    viewer = Reads(**agreed)
    viewer.hub = house.hub
    house.hub.join(viewer, "s", position, 50, None)
    await settle()
    return viewer


def test_a_viewer_is_in_the_chain_from_its_next_start_on():
    async def go():
        house = House()
        first = await watch(house)
        assert first.form == ALONE
        await house.frame("a")
        assert first.form == CHAINED
        second, old, plain = (
            await watch(house),
            await watch(house, context=False),
            await watch(house, deflated=False, context=False),
        )
        for number in range(FEWEST_FRAMES):
            await house.frame(f"the {number}")
            assert second.form == (ALONE if number < FEWEST_FRAMES - 1 else CHAINED)
        await house.frame("last")
        assert (first.form, second.form, old.form, plain.form) == (CHAINED, CHAINED, ALONE, PLAIN)
        for viewer in (second, old, plain):
            assert viewer.told[1:] == first.told[2:]
        assert house.number("uproar_deliveries_total", form="chained") == FEWEST_FRAMES + 1 + 1 + 1 + 1

    run(go())


def test_who_drains_gets_what_it_missed_in_the_chain_and_stays_in_it():
    async def go():
        house = House()
        viewer = await watch(house)
        await house.frame("a")
        viewer.stuck = True
        for text in "bcd":
            await house.frame(text)
        viewer.drain()
        await house.frame("e")
        assert viewer.form == CHAINED
        assert [one.comments[0].text for one in viewer.told[1:]] == list("abcde")

    run(go())


def test_who_skips_gets_frames_alone_until_the_chain_starts_anew():
    async def go():
        house = House(lag=Lag(catch_up_bytes=600))
        viewer, other = await watch(house), await watch(house)
        await house.frame("a")
        viewer.stuck = True
        for _ in range(4):
            await house.frame(Random(4).randbytes(400).hex())
            await house.frame(Random(5).randbytes(400).hex())
        viewer.drain()
        assert (viewer.form, other.form) == (ALONE, CHAINED)
        assert isinstance(viewer.told[-1], Skipped)
        await house.frame("f")
        assert viewer.told[-1] == other.told[-1]

    run(go())


def test_who_missed_what_is_gone_now_gets_it_encoded_anew_and_frames_alone_from_then_on():
    async def go():
        house = House()
        viewer, other = await watch(house), await watch(house)
        await house.frame("a")
        viewer.stuck = True
        await house.frame("its socket is full")
        await house.frame("taken down", "b")
        await house.timeline.take_down("s", (300,), {})
        await house.frame("c", changes_gone=True)
        viewer.drain()
        await house.frame("d")
        assert (viewer.form, other.form) == (ALONE, CHAINED)
        told = [[comment.text for comment in one.comments] for one in viewer.told[1:]]
        assert told == [["a"], ["its socket is full"], ["b"], ["c"], ["d"]]

    run(go())


def test_a_start_among_frames_that_wait_takes_in_who_waits_for_it():
    async def go():
        house = House(one_a_turn=True)
        first = await watch(house)
        await house.frame("a")
        second = await watch(house)
        for number in range(FEWEST_FRAMES + 2):
            await house.frame(f"the {number}", turns=0)
        await settle(50)
        assert (first.form, second.form) == (CHAINED, CHAINED)
        assert second.told[1:] == first.told[2:]

    run(go())


TEXTS = st.lists(st.text("ab 😀", min_size=1, max_size=30), min_size=1, max_size=4)
VIEWER = st.integers(0, 20)
Step = st.one_of(
    st.tuples(st.just("frame"), TEXTS),
    st.tuples(st.just("frame"), TEXTS),
    st.tuples(st.just("frame at once"), TEXTS),
    st.tuples(st.just("join"), st.sampled_from([(True, True), (True, False), (False, False)])),
    st.tuples(st.just("resume"), st.integers(0, 5)),
    st.tuples(st.just("stick"), VIEWER),
    st.tuples(st.just("drain"), VIEWER),
    st.tuples(st.just("leave"), VIEWER),
    st.tuples(st.just("remove"), st.integers(0, 1)),
    st.tuples(st.just("begin anew"), st.none()),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(Step, min_size=8, max_size=60), st.sampled_from([600, 1 << 20]), st.booleans())
def test_whoever_comes_stalls_skips_resumes_or_leaves_reads_every_frame_right(steps, catch_up_bytes, one_a_turn):
    async def go():
        house = House(lag=Lag(catch_up_bytes=catch_up_bytes), one_a_turn=one_a_turn)
        here, all_of_them, said, at = [], [], {}, None

        async def frame(*texts, **of_it):
            position = await house.frame(*texts, **of_it)
            said[str(position)] = texts
            return position

        here += [await watch(house), await watch(house)]
        await frame("they are in the chain")
        all_of_them += here
        for kind, what in steps:
            viewer = here[what % len(here)] if here and isinstance(what, int) else None
            if kind == "frame":
                at = await frame(*what)
            elif kind == "frame at once":
                at = await frame(*what, turns=0)
            elif kind == "join":
                here.append(await watch(house, deflated=what[0], context=what[1]))
                all_of_them.append(here[-1])
            elif kind == "resume" and at is not None:
                position = Position(at.epoch, max(0, at.number - what))
                here.append(await watch(house, position))
                all_of_them.append(here[-1])
            elif kind == "stick" and viewer:
                viewer.stuck = True
            elif kind == "drain" and viewer:
                viewer.drain()
                await settle()
            elif kind == "leave" and viewer:
                here.remove(viewer)
                house.hub.gone(viewer)
                viewer.stuck = True
            elif kind == "remove" and at is not None:
                await house.timeline.take_down("s", (max(1, house.made - what) * 100,), {})
                at = await frame(changes_gone=True)
            elif kind == "begin anew" and at is not None:
                await house.timeline.renew("s", at.epoch)
                at = await frame("a new chain")
                await settle()
        for viewer in here:
            viewer.drain()
        await settle()
        await frame("they are in the chain no less", turns=200)
        at = await frame("they are in the chain to the end", turns=200)
        for viewer in all_of_them:
            for position, texts in texts_by_position(viewer.told).items():
                assert set(texts) <= set(said[position])
        for viewer in here:
            assert viewer.told[-1].position == str(at)
            assert viewer.slot != NO_SLOT
            assert isinstance(viewer.told[0], Joined)

    run(go())
