"""The hub with viewers whose sockets are in memory: who gets what, when, and in which order."""

import asyncio

from tests.tools import TurnedClock, run
from uproar.auth import Identity, Keys, make_token
from uproar.core.comment import Comment, User
from uproar.core.errors import Unavailable
from uproar.core.position import Position
from uproar.core.stream import Rules, Stream
from uproar.gateway.hub import Hub, Timing
from uproar.gateway.outbox import Lag
from uproar.gateway.sending.service import SLICE_S, TURNS, through_transports
from uproar.gateway.slots import FREE_SLOTS
from uproar.gateway.viewer import NO_SLOT, Viewer
from uproar.observe.counters import Metrics
from uproar.presence.memory import MemoryPresence
from uproar.timeline.memory import MemoryTimeline
from uproar.wire.codec import encode, read_message
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Ack, Aside, Batch, ForYou, Frame, Joined, Skipped, Welcome, shown
from uproar.wire.websocket import Limits, Message, Op, Reader

SECRET = b"a secret that is long enough for HS256"
BIG = Limits(1 << 20, 100, 1 << 20)


class Screen(Viewer):
    """A viewer, its transport, and what it was told."""

    def __init__(self, deflated=False):
        super().__init__()
        self.transport = self
        self.deflated = deflated
        self.told = []
        self.writes = 0
        self.code = None
        self._reader = Reader(BIG, deflate=deflated, from_client=False)

    def write(self, data):
        self.writes += 1
        for one in self._reader.feed(data):
            if isinstance(one, Message) and one.op is Op.TEXT:
                self.told.append(read_message(one.data))

    def is_closing(self):
        return self.code is not None

    def get_write_buffer_size(self):
        return 0

    def end(self, code, reason):
        self.code = code

    def kinds(self):
        return [type(one) for one in self.told]


class Writes:
    """A write path that says yes."""

    def __init__(self):
        self.posted = []

    async def stream(self, stream):
        return Stream(stream, rules=Rules())

    async def post(self, who, stream, text, reply_to=None, key=""):
        self.posted.append((who.id if who else None, text))
        return Comment(7, stream, User(who.id, who.name), text)


class HeldTimeline(MemoryTimeline):
    """Tops and snapshots are told once `go` is set; `read` counts snapshots; while it is `down` there are no tops."""

    def __init__(self, clock):
        super().__init__(clock)
        self.go, self.read, self.down = asyncio.Event(), 0, False
        self.go.set()

    async def top(self, stream):
        if self.down:
            raise Unavailable("down")
        found = await super().top(stream)
        await self.go.wait()
        return found

    async def snapshot(self, stream, limit):
        self.read += 1
        found = await super().snapshot(stream, limit)
        await self.go.wait()
        return found


class House:
    """A hub on memory kinds."""

    def __init__(self, lag=Lag(), rooms=10, one_a_turn=False):
        self.clock = TurnedClock()
        self.timeline = HeldTimeline(self.clock)
        self.writes = Writes()
        keys = Keys(SECRET)
        presence = MemoryPresence(self.clock)
        self.metrics = Metrics()
        given = (self.timeline, presence, self.writes, self._append, keys, self.clock, self.metrics)
        write = self._one_a_turn if one_a_turn else through_transports
        self.hub = Hub(*given, Timing(rest_s=0), lag, rooms, write)
        self.appended = []
        self.made = 0

    def _one_a_turn(self, slots, at, data):
        """So slow that every viewer takes a slice of its own."""
        self.clock.turn(SLICE_S)
        slots.transports[at].write(data)
        return 1

    async def _append(self, event):
        self.appended.append(event)
        return len(self.appended)

    async def frame(self, *texts, asides=(), changes_gone=False, turns=20):
        """The next frame of the stream, with these comments."""
        top = await self.timeline.top("s")
        number = top.number + 1
        self.made += 1
        comments = [shown(Comment(self.made * 100 + n, "s", User("u", "U"), text)) for n, text in enumerate(texts)]
        plain = encode(Batch(f"{top.epoch}.{number}", comments=comments))
        frame = Frame(
            "s",
            top.epoch,
            number,
            top.checksum,
            number,
            self.clock.now_ms(),
            plain,
            deflate_alone(plain),
            asides=asides,
            changes_gone=changes_gone,
        )
        assert await self.timeline.extend(frame)
        await settle(turns)
        return Position(top.epoch, number)

    def number(self, name, **labels):
        return self.metrics.registry.get_sample_value(name, labels)

    async def watch(self, position=None, **screen):
        viewer = Screen(**screen)
        self.hub.join(viewer, "s", position, 50, None)
        await settle()
        return viewer


async def settle(turns=20):
    for _ in range(turns):
        await asyncio.sleep(0)


def token(user):
    return make_token(Identity(user, user, 4_000_000_000), SECRET, 1_700_000_000)


def op(**fields):
    return encode(fields)


def test_everyone_gets_each_batch_once_in_one_write_plain_or_deflated():
    async def main():
        house = House()
        plain, deflated = await house.watch(), await house.watch(deflated=True)
        await house.frame("a", "b")
        await house.frame("c")
        for viewer in (plain, deflated):
            assert viewer.kinds() == [Joined, Batch, Batch]
            assert [c.text for batch in viewer.told[1:] for c in batch.comments] == ["a", "b", "c"]
            assert viewer.writes == 3

    run(main())


def test_joined_comes_first_whatever_a_viewer_says_before_it():
    async def main():
        house = House()
        viewer = Screen()
        house.hub.join(viewer, "s", None, 50, None)
        house.hub.heard(viewer, op(op="auth", token=token("ann")))
        house.hub.heard(viewer, op(op="post", ref="r", text="early"))
        await settle()
        assert viewer.kinds() == [Joined, Welcome, Ack] or viewer.kinds() == [Joined, Ack, Welcome]
        assert house.writes.posted == [("ann", "early")]

    run(main())


def test_who_a_post_is_by_is_settled_when_it_is_heard():
    async def main():
        house = House()
        viewer = await house.watch()
        for user in ("ann", "bob"):
            house.hub.heard(viewer, op(op="auth", token=token(user)))
            house.hub.heard(viewer, op(op="post", ref=user, text=f"by {user}"))
        await settle()
        assert house.writes.posted == [("ann", "by ann"), ("bob", "by bob")]

    run(main())


def test_a_viewer_back_with_its_position_gets_what_it_missed_and_no_snapshot():
    async def main():
        house = House()
        await house.watch()
        position = await house.frame("seen")
        await house.frame("missed 1")
        await house.frame("missed 2")
        back = await house.watch(position)
        await house.frame("live")
        joined, *batches = back.told
        assert (joined.recovered, joined.position, joined.comments) == (True, str(position), [])
        assert [batch.comments[0].text for batch in batches] == ["missed 1", "missed 2", "live"]

    run(main())


def test_a_position_of_another_chain_is_not_recovered():
    async def main():
        house = House()
        await house.frame("old")
        back = await house.watch(Position("other", 1))
        assert not back.told[0].recovered
        assert [comment.text for comment in back.told[0].comments] == ["old"]

    run(main())


def test_a_lagging_viewer_is_not_written_to_and_catches_up_in_one_write():
    async def main():
        house = House()
        viewer, other = await house.watch(), await house.watch()
        house.hub.paused(viewer)
        for text in "abc":
            await house.frame(text)
        assert viewer.writes == 1
        assert other.writes == 4
        house.hub.resumed(viewer)
        assert viewer.writes == 2
        assert [batch.comments[0].text for batch in viewer.told[1:]] == ["a", "b", "c"]

    run(main())


def test_a_viewer_that_missed_too_much_is_told_what_it_skipped():
    async def main():
        house = House(Lag(catch_up_bytes=10))
        viewer = await house.watch()
        house.hub.paused(viewer)
        for text in "abc":
            position = await house.frame(text)
        house.hub.resumed(viewer)
        await house.frame("d")
        _, skipped, batch = viewer.told
        assert isinstance(skipped, Skipped)
        assert (skipped.frames, skipped.comments, skipped.position) == (3, 3, str(position))
        assert batch.comments[0].text == "d"

    run(main())


def test_every_frame_that_a_viewer_skipped_is_counted():
    async def main():
        house = House(Lag(catch_up_bytes=10))
        viewers = [await house.watch() for _ in range(2)]
        for viewer in viewers:
            house.hub.paused(viewer)
        for text in "abc":
            await house.frame(text)
        for viewer in viewers:
            viewer.lagging = False
            viewer.room.lagging.pop(viewer)
            viewer.room.waiting.append(viewer)
        await house.frame("d")
        assert house.number("uproar_skipped_total") == 2 * 4

    run(main())


def test_deliveries_are_those_of_viewers_not_of_empty_slots():
    async def main():
        house = House()
        viewers = [await house.watch() for _ in range(3)]
        await house.watch(deflated=True)
        house.hub.gone(viewers[1])
        await house.frame("a")
        told = [house.number("uproar_deliveries_total", form=form) for form in ("plain", "alone")]
        assert told == [2, 1]

    run(main())


def test_between_two_slices_others_get_on_by_several_steps():
    async def go():
        house = House(one_a_turn=True)
        viewers = [await house.watch() for _ in range(3)]
        await house.frame("a", turns=0)
        have = []
        for _ in range(4 * TURNS):
            await asyncio.sleep(0)
            have.append(sum(Batch in viewer.kinds() for viewer in viewers))
        assert have[-1] == 3
        assert have.count(1) == TURNS - 1  # it began in the turn before
        assert have.count(2) == TURNS

    run(go())


def test_after_a_crowd_its_slots_are_given_back_and_the_rest_are_served():
    async def main():
        house = House()
        viewers = [await house.watch() for _ in range(FREE_SLOTS + 4)]
        for viewer in viewers[2:-1]:
            house.hub.gone(viewer)
        await house.frame("a")
        assert [len(slots) for slots in viewers[0].room.forms] == [3, 0, 0]
        house.hub.gone(viewers[0])
        await house.frame("b")
        assert [len(viewer.told) for viewer in (viewers[0], viewers[1], viewers[-1])] == [2, 3, 3]

    run(main())


def test_words_that_look_like_a_removal_ask_nothing_of_the_timeline():
    async def main():
        house = House()
        viewer = await house.watch()
        await house.frame('"removed":["1"] "restored":[]')
        assert viewer.room.losses_told == 0

    run(main())


def test_a_viewer_that_leaves_leaves_its_slot_and_its_room():
    async def main():
        house = House()
        viewers = [await house.watch() for _ in range(5)]
        for viewer in viewers[:3]:
            house.hub.gone(viewer)
            house.hub.gone(viewer)
        await house.frame("a")
        assert [len(viewer.told) for viewer in viewers] == [1, 1, 1, 2, 2]
        assert house.hub.viewers == house.hub._rooms.by_stream["s"].viewers == 2

    run(main())


def test_who_leaves_before_the_room_is_open_holds_no_place():
    async def main():
        house = House(rooms=1)
        house.timeline.go.clear()
        viewer = await house.watch()
        assert not house.hub.has_place("other")
        house.hub.gone(viewer)
        assert house.hub.has_place("other")
        house.hub.join(Screen(), "other", None, 50, None)
        house.timeline.go.set()
        await settle()
        assert (viewer.told, house.hub.viewers) == ([], 1)
        assert "s" not in house.timeline._listeners

    run(main())


def test_who_comes_while_the_timeline_is_down_is_sent_away_to_come_back():
    async def main():
        house = House()
        house.timeline.down = True
        viewer = await house.watch()
        assert (viewer.code, house.hub.viewers) == (4003, 0)
        house.timeline.down = False
        assert (await house.watch()).kinds() == [Joined]

    run(main())


def test_a_viewer_whose_socket_was_full_when_it_came_is_served_once_it_drained():
    async def main():
        house = House()
        viewer = Screen()
        house.hub.paused(viewer)
        house.hub.join(viewer, "s", None, 50, None)
        await settle()
        await house.frame("a")
        assert viewer.kinds() == [Joined]
        house.hub.resumed(viewer)
        await house.frame("b")
        assert [batch.comments[0].text for batch in viewer.told[1:]] == ["a", "b"]

    run(main())


def test_a_socket_that_is_full_and_drains_before_joined_is_not_ready_until_then():
    async def main():
        house = House()
        house.timeline.go.clear()
        viewer = await house.watch()
        house.hub.paused(viewer)
        house.hub.resumed(viewer)
        assert viewer.slot == NO_SLOT
        house.timeline.go.set()
        await settle()
        await house.frame("a")
        assert viewer.kinds() == [Joined, Batch]

    run(main())


def test_whoever_is_being_told_joined_is_not_told_it_twice():
    async def main():
        house = House()
        viewer = await house.watch()
        for _ in range(2):
            house.hub._again(viewer, viewer.room)
        await settle()
        await house.frame("a")
        assert viewer.kinds() == [Joined, Joined, Batch]

    run(main())


def test_a_removed_comment_is_in_no_resume_from_the_ring():
    async def main():
        house = House()
        await house.watch()
        position = await house.frame("seen")
        await house.frame("bad")
        await house.timeline.take_down("s", [200], {})
        back = await house.watch(position)
        assert [batch.comments for batch in back.told[1:]] == [[]]

    run(main())


def test_a_removed_comment_is_in_no_snapshot_for_who_comes_after_the_removal():
    async def main():
        house = House()
        await house.watch()
        await house.frame("bad")
        house.timeline.go.clear()
        before = await house.watch()
        await house.timeline.take_down("s", [100], {})
        after = [await house.watch() for _ in range(50)]
        house.timeline.go.set()
        await settle()
        assert before.told[0].comments
        assert [viewer.told[0].comments for viewer in after] == [[]] * 50
        assert house.timeline.read == 3

    run(main())


def test_reactions_are_flushed_once_and_again_unchanged_until_kept():
    async def main():
        house = House()
        viewer = await house.watch()
        house.hub.heard(viewer, op(op="react", counts={"👍": 2}))
        house.hub.heard(viewer, op(op="react", counts={"👍": 3}))
        await settle()
        await house.hub.flush()
        await house.hub.flush()
        assert [(event.number, event.counts) for event in house.appended] == [(1, {"👍": 5})]

    run(main())


def test_draining_tells_everyone_a_time_of_their_own():
    async def main():
        house = House()
        viewers = [await house.watch() for _ in range(4)]
        await house.hub.drain()
        waits = [viewer.told[-1].retry_after_ms for viewer in viewers]
        assert sorted(waits) == [2500, 5000, 7500, 10_000]
        assert {viewer.code for viewer in viewers} == {4000}

    run(main())


def reply(text, user="ann"):
    return Aside(user, encode(ForYou(shown(Comment(5, "s", User("u", "U"), text)))))


def for_me(viewer):
    return [message.comment.text for message in viewer.told if isinstance(message, ForYou)]


def test_what_is_for_one_user_reaches_that_user_alone_and_once():
    async def main():
        house = House()
        ann, bob, nobody = [await house.watch() for _ in range(3)]
        house.hub.heard(ann, op(op="auth", token=token("ann")))
        house.hub.heard(bob, op(op="auth", token=token("bob")))
        await settle()
        await house.frame("shown", asides=(reply("one"), reply("two")))
        house.hub.heard(ann, op(op="auth", token=token("ann")))
        await settle()
        assert [for_me(viewer) for viewer in (ann, bob, nobody)] == [["one", "two"], [], []]

    run(main())


def test_what_was_for_a_user_while_away_follows_the_welcome():
    async def main():
        house = House()
        await house.watch()
        position = await house.frame("seen", asides=(reply("seen"),))
        await house.frame("missed", asides=(reply("missed"),))
        back = await house.watch(position)
        assert for_me(back) == []
        house.hub.heard(back, op(op="auth", token=token("ann")))
        await settle()
        assert for_me(back) == ["missed"]
        assert back.kinds()[-2:] == [Welcome, ForYou]

    run(main())
