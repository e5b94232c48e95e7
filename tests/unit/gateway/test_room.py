"""What a room keeps of frames."""

from msgspec.structs import replace

from uproar.core.comment import Comment, User
from uproar.gateway.room import Kept, Room
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
