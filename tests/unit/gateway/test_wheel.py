"""Who is pinged when, and who is late."""

from uproar.gateway.viewer import Viewer
from uproar.gateway.wheel import Wheel

PING_S, PONG_S = 25, 10


def wheel(viewers):
    turning = Wheel(PING_S, PONG_S)
    made = [Viewer() for _ in range(viewers)]
    for viewer in made:
        turning.add(viewer)
    return turning, made


def test_each_viewer_is_due_once_a_turn_and_each_second_about_equally_many():
    turning, viewers = wheel(2 * PING_S + 5)
    due = [turning.due(second) for second in range(PING_S, 2 * PING_S)]
    assert {len(some) for some in due} == {2, 3}
    assert {viewer for some in due for viewer in some} == set(viewers)
    assert len(turning) == sum(map(len, due)) == len(viewers)


def test_who_owes_a_pong_is_late_ten_seconds_after_its_ping():
    turning, viewers = wheel(PING_S)
    [due] = turning.due(30)
    due.pinged = True
    assert [second for second in range(30, 30 + PING_S) if turning.late(second)] == [30 + PONG_S]
    due.pinged = False
    assert turning.late(30 + PONG_S) == []
    assert due in viewers


def test_who_lags_is_neither_pinged_nor_late():
    turning, [viewer] = wheel(1)
    viewer.lagging = viewer.pinged = True
    assert not any(turning.due(second) or turning.late(second) for second in range(PING_S))


def test_a_viewer_leaves_once():
    turning, [viewer, other] = wheel(2)
    assert [turning.remove(viewer), turning.remove(viewer)] == [True, False]
    assert list(turning) == [other]
