"""How many rooms there are, and which goes."""

from hypothesis import given
from hypothesis import strategies as st

from uproar.gateway.budget import Budget
from uproar.gateway.rooms import QUIET_S, Rooms


def open_room(rooms, stream, left):
    """The stream's room, which notes in `left` that it was let go."""
    room = rooms.enter(stream)
    room.begin("epoch", 1)
    room.unsubscribe = lambda: left.append(stream)
    return room


def test_viewers_of_a_stream_share_its_room():
    rooms = Rooms(1, 60, Budget())
    assert rooms.enter("a") is rooms.enter("a")
    assert (rooms.by_stream["a"].viewers, len(rooms)) == (2, 1)


def test_a_full_gateway_has_place_for_who_watches_what_others_watch_alone():
    rooms = Rooms(2, 60, Budget())
    rooms.enter("a"), rooms.enter("b")
    assert [rooms.has_place(stream) for stream in "abc"] == [True, True, False]


def test_where_all_places_are_taken_the_room_that_was_quiet_for_longest_goes_at_once():
    rooms, left = Rooms(3, 60, Budget()), []
    for now, stream in enumerate("abc"):
        rooms.leave(open_room(rooms, stream, left), now)
    rooms.enter("a")  # is quiet no more
    assert rooms.has_place("d")
    rooms.enter("d")
    assert (left, sorted(rooms.by_stream)) == (["b"], ["a", "c", "d"])


def test_a_quiet_room_stays_for_who_comes_back_and_then_goes():
    rooms, left = Rooms(3, 60, Budget()), []
    room = open_room(rooms, "a", left)
    open_room(rooms, "b", left)
    rooms.leave(room, 10)
    rooms.forget_quiet(10 + QUIET_S - 1)
    assert left == []
    rooms.forget_quiet(10 + QUIET_S)
    assert (left, list(rooms.by_stream)) == (["a"], ["b"])


def test_watched_are_open_rooms_with_viewers():
    rooms = Rooms(3, 60, Budget())
    watched, left, unopened = open_room(rooms, "a", []), open_room(rooms, "b", []), rooms.enter("c")
    rooms.leave(left, 0)
    assert rooms.watched() == [watched]
    assert unopened in rooms


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.booleans())), st.integers(1, 4))
def test_there_are_never_more_rooms_than_places_and_none_with_viewers_goes(steps, limit):
    rooms, viewers = Rooms(limit, 60, Budget()), []
    for now, (stream, comes) in enumerate(steps):
        if comes and rooms.has_place(stream):
            viewers.append(rooms.enter(stream))
        elif not comes and viewers:
            rooms.leave(viewers.pop(0), now)
        assert len(rooms) <= limit
        assert {room.stream for room in viewers} <= rooms.by_stream.keys()
        assert all(rooms.by_stream[room.stream] is room for room in viewers)
