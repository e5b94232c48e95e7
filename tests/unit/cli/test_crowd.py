"""What viewers saw of what was acknowledged."""

from collections import Counter

import pytest

from uproar.cli.crowd import Chain, Viewer, judge
from uproar.core.comment import User
from uproar.wire.codec import encode
from uproar.wire.frames import Batch, Joined, PosterRules, Shown, Skipped

RULES = PosterRules(500, 0, (), "live")
ANN = User("ann", "Ann")


def joined(position, recovered=False):
    return Joined("s", position, recovered, [], [], 1, {}, RULES)


def batch(number, *ids, epoch="e"):
    return Batch(f"{epoch}.{number}", comments=[Shown(str(each), ANN, "hi", 0) for each in ids])


def saw(chain, *messages, at=0.0):
    viewer = Viewer(chain, lambda: at)
    for message in messages:
        viewer.take(message)
    return viewer


WHOLE = (joined("e.0"), batch(1, 11), batch(2, 12), batch(3, 13))


@pytest.mark.parametrize(
    ("messages", "complete"),
    [
        (WHOLE, True),
        ((joined("e.0"), batch(1, 11), batch(2, 12), joined("e.2", recovered=True), batch(3, 13)), True),
        ((*WHOLE, joined("f.0"), batch(1, epoch="f")), True),
        ((joined("e.1"), batch(2, 12), batch(3, 13)), False),
        ((joined("e.0"), batch(1, 11), batch(3, 13)), False),
        ((joined("e.0"), batch(1, 11), batch(2, 12)), False),
        ((joined("e.0"), batch(1, 11), Skipped("e.2", 1, 1), batch(3, 13)), False),
        ((joined("e.0"), batch(1, 11), batch(2, 12), batch(2, 12), batch(3, 13)), False),
        ((joined("e.0"), batch(1, 11), joined("e.2"), batch(3, 13)), False),
    ],
)
def test_a_viewer_is_complete_with_every_frame_once(messages, complete):
    chain = Chain()
    viewers = [saw(chain, *WHOLE), saw(chain, *messages)]
    assert judge(chain, viewers, ["11", "12", "13"]).complete == 1 + complete


def test_frames_without_an_acknowledged_comment_do_not_matter():
    chain = Chain()
    assert judge(chain, [saw(chain, joined("e.1"), batch(2, 12))], ["12"]).complete == 1


def test_a_comment_shown_to_nobody_or_twice_leaves_nobody_complete():
    chain = Chain()
    viewer = saw(chain, joined("e.0"), batch(1, 11), batch(2, 11))
    assert judge(chain, [viewer], ["11", "12"])[:3] == (0, 1, 1)


def test_a_number_that_does_not_follow_is_a_fault():
    chain = Chain()
    viewer = saw(chain, joined("e.0"), batch(1, 11), batch(3, 13), batch(4, 14))
    assert viewer.faults == 1


def test_equal_bytes_are_read_once():
    chain = Chain()
    data = encode(batch(1, 11))
    assert chain.read(data) is chain.read(bytes(bytearray(data)))


def test_delays_count_every_pair_of_a_comment_and_a_viewer():
    chain = Chain()
    saw(chain, joined("e.0"), batch(1, 11, 12), at=10.0)
    saw(chain, joined("e.0"), batch(1, 11, 12), at=10.25)
    assert chain.delays_ms({"11": 9.5, "12": 9.0}) == Counter({500: 1, 750: 1, 1000: 1, 1250: 1})


def test_ids_that_go_down_are_out_of_order():
    chain = Chain()
    saw(chain, joined("e.0"), batch(1, 12, 11), batch(2, 13, 10))
    assert chain.out_of_order == 2
