"""What a room keeps of frames."""

from msgspec.structs import replace

from uproar.core.comment import Comment, User
from uproar.gateway.budget import Budget
from uproar.gateway.chain import AGE_MS
from uproar.gateway.ring import Kept
from uproar.gateway.room import Room
from uproar.gateway.viewer import ALONE, CHAINED, Viewer
from uproar.timeline import Gone
from uproar.wire.codec import encode, read_batch
from uproar.wire.deflate import deflate_alone
from uproar.wire.frames import Batch, Frame, shown


def kept(*ids):
    comments = [shown(Comment(number, "s", User("u", "U"), str(number))) for number in ids]
    plain = encode(Batch("e.1", comments=comments))
    return Kept(Frame("s", "e", 1, 0, 1, 0, plain, deflate_alone(plain)))


def left(one, gone):
    return [comment.text for comment in read_batch(one.without(gone).frame.plain).comments]


def test_a_frame_is_given_without_what_is_gone_encoded_once_for_all_who_ask():
    one, gone = kept(1, 2), Gone(1, frozenset({1}))
    assert left(one, gone) == ["2"]
    assert one.without(gone) is one.without(Gone(1, frozenset({1})))
    assert one.without(Gone()) is one
    assert one.without(Gone(1, frozenset({9}))) is one


def test_the_same_version_of_another_chain_s_losses_is_another_loss():
    one = kept(1, 2)
    assert left(one, Gone(2, frozenset({9}))) == ["1", "2"]
    assert left(one, Gone(2, frozenset({1}))) == ["2"]


def test_an_erasure_takes_the_frames_so_far_out_of_the_ring_once_they_are_sent():
    room = Room("s")
    room.begin("e", 0)
    for number in (1, 2, 3):
        room.keep(replace(kept(number).frame, number=number), 0)
    room.sent = 2
    room.learn(Gone(1, erased={"u": 9}, epoch="e"))
    assert [one.frame.number for one in room.ring] == [3]
    room.sent = 3
    room.keep(replace(kept(4).frame, number=4), 0)
    room.learn(Gone(2, erased={"u": 9}, epoch="e"))
    assert [one.frame.number for one in room.ring] == [4]
    assert room.after(2) is None


def chained():
    viewer = Viewer()
    viewer.deflated = viewer.context = True
    viewer.form = CHAINED
    return viewer


def test_who_comes_back_where_the_chain_was_broken_meanwhile_gets_frames_alone():
    room, viewer, other = Room("s"), chained(), chained()
    room.begin("e", 0)
    room.keep(kept(1).frame, 0)  # and nobody reads the chain
    room.place(viewer)
    assert viewer.form == ALONE
    room.keep(replace(kept(2).frame, number=2), 0)
    room.sent = 1
    room.place(other)
    assert other.form == CHAINED


def test_the_rings_of_all_rooms_share_what_they_may_hold():
    budget = Budget(rings_bytes=10_000)
    budget.rooms = 2
    room = Room("s", 60, budget)
    room.begin("e", 0)
    for number in range(1, 30):
        room.keep(replace(kept(number).frame, number=number), 0)
        room.sent = number
    room.trim(0)
    assert 2_500 < room.ring.held_bytes <= 5_000
    budget.rooms = 10_000
    room.trim(0)
    assert len(room.ring) == 1


def test_frames_leave_the_ring_with_time_though_no_new_ones_come():
    room = Room("s", 60)
    room.begin("e", 0)
    for number in (1, 2, 3):
        room.keep(replace(kept(number).frame, number=number, at_ms=number), 0)
    room.sent = 3
    room.trim(60_002)
    assert [one.frame.number for one in room.ring] == [2, 3]


def test_a_stream_that_is_quiet_gives_its_compressor_back_and_its_viewers_wait_for_the_next_start():
    budget = Budget(chains=1)
    room, viewer = Room("s", 60, budget), chained()
    room.begin("e", 0)
    viewer.form = ALONE
    room.place(viewer)
    room.keep(kept(1).frame, 0)
    room.sent = 1
    room.promote()
    room.trim(AGE_MS - 1)
    assert (viewer.form, budget.take_chain()) == (CHAINED, False)
    room.trim(AGE_MS)
    assert (viewer.form, budget.take_chain()) == (ALONE, True)
    budget.give_chain()
    assert room.keep(replace(kept(2).frame, number=2), AGE_MS).starts
