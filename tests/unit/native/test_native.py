"""Native senders send whole, tell what was not taken, and never send anything twice."""

import socket
import struct
import threading
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from uproar.core.errors import Misconfigured
from uproar.native import ENTRIES, Absent, Choice, LoopSender, Rest, RingSender, load, open_sender

FRAME = b"0123456789" * 200
BIG = bytes(range(256)) * 4000


def made(form):
    try:
        return form(load())
    except Absent as why:
        pytest.skip(str(why))  # the Python form is what runs there


@pytest.fixture(params=[LoopSender, RingSender])
def sender(request):
    return made(request.param)


@pytest.fixture
def pairs():
    """Makes pairs of connected sockets: ours, that never waits, and the viewer's."""
    with ExitStack() as held:

        def make(count, buffer=None):
            found = []
            for _ in range(count):
                ours, theirs = socket.socketpair()
                if buffer:
                    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
                ours.setblocking(False)
                theirs.settimeout(5)
                found.append((held.enter_context(ours), held.enter_context(theirs)))
            return found

        yield make


def descriptors(pairs):
    return array("i", [ours.fileno() for ours, _ in pairs])


def read(theirs, size):
    data = b""
    while len(data) < size:
        data += theirs.recv(size - len(data))
    return data


def test_everyone_gets_it_whole_and_in_order(sender, pairs):
    some = pairs(50)
    for frame in (FRAME, FRAME[::-1]):
        assert sender.send(descriptors(some), 0, 50, frame) == ()
    assert {read(theirs, 2 * len(FRAME)) for _, theirs in some} == {FRAME + FRAME[::-1]}


def test_only_the_places_asked_for_are_sent_to_and_empty_ones_are_passed_over(sender, pairs):
    some = pairs(6)
    sockets = descriptors(some)
    sockets[3] = -1
    assert sender.send(sockets, 2, 3, FRAME) == ()
    for place, (_, theirs) in enumerate(some):
        theirs.settimeout(0)
        if place in (2, 4):
            assert read(theirs, len(FRAME)) == FRAME
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_the_end_of_the_list_ends_the_call(sender, pairs):
    some = pairs(3)
    assert sender.send(descriptors(some), 1, 100, FRAME) == ()
    assert read(some[2][1], len(FRAME)) == FRAME
    assert sender.send(array("i"), 0, 100, FRAME) == ()


def test_what_one_did_not_take_is_told_and_written_by_the_caller_it_is_whole(sender, pairs):
    some = pairs(4, buffer=10_000)
    rests = sender.send(descriptors(some), 0, 4, BIG)
    assert [rest.place for rest in rests] == [0, 1, 2, 3]
    for place, sent in rests:
        ours, theirs = some[place]
        assert 0 < sent < len(BIG)
        ours.setblocking(True)
        writer = threading.Thread(target=ours.sendall, args=(BIG[sent:],))
        writer.start()
        assert read(theirs, len(BIG)) == BIG
        writer.join()


def test_a_socket_that_takes_nothing_more_is_told_with_nothing_sent(sender, pairs):
    some = pairs(2, buffer=10_000)
    ours, _ = some[1]
    while True:
        try:
            ours.send(b"x" * 10_000)
        except BlockingIOError:
            break
    assert sender.send(descriptors(some), 0, 2, FRAME) == [Rest(1, 0)]


def test_a_broken_socket_hurts_no_other(sender, pairs):
    some = pairs(4)
    some[1][1].close()
    sockets = descriptors(some)
    sockets[2] = 1 << 20
    assert sorted(sender.send(sockets, 0, 4, FRAME)) == [Rest(1, 0), Rest(2, 0)]
    assert read(some[3][1], len(FRAME)) == FRAME


@pytest.mark.parametrize(
    ("sockets", "first", "count"),
    [(array("i", [-1] * (ENTRIES + 1)), 0, ENTRIES + 1), (array("i", [-1]), -1, 1), (array("q", [-1]), 0, 1)],
)
def test_a_call_that_would_read_or_write_beyond_its_lists_is_a_mistake(sender, sockets, first, count):
    with pytest.raises(ValueError, match="sockets from"):
        sender.send(sockets, first, count, FRAME)


@pytest.mark.parametrize(("first", "count"), [(0, 0), (0, -5), (3, 1), (9, 4), (1 << 30, 1 << 30)])
def test_a_call_for_nobody_sends_nothing(sender, pairs, first, count):
    some = pairs(3)
    assert sender.send(descriptors(some), first, count, FRAME) == ()
    for _, theirs in some:
        theirs.settimeout(0)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_a_call_in_which_every_send_fails_tells_each_once_however_often(sender):
    nobody = array("i", [1 << 20] * ENTRIES)
    for _ in range(5):
        assert sender.send(nobody, 0, ENTRIES, FRAME) == [Rest(place, 0) for place in range(ENTRIES)]


def test_a_file_in_a_viewers_place_is_not_written(sender, tmp_path):
    with (tmp_path / "file").open("wb+") as file:
        assert sender.send(array("i", [file.fileno()]), 0, 1, FRAME) == [Rest(0, 0)]
        assert file.read() == b""


def test_a_socket_that_was_reset_is_told_and_hurts_no_other(sender):
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as held:
        some = []
        for _ in range(3):
            theirs = held.enter_context(socket.create_connection(server.getsockname()))
            some.append((held.enter_context(server.accept()[0]), theirs))
        for ours, theirs in some:
            ours.setblocking(False)
            theirs.settimeout(5)
        reset = some[1][1]
        reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        reset.close()
        assert sender.send(descriptors(some), 0, 3, FRAME) == [Rest(1, 0)]
        assert {read(theirs, len(FRAME)) for _, theirs in (some[0], some[2])} == {FRAME}


def test_a_ring_in_another_thread_or_closed_is_a_mistake_and_sends_nothing(pairs):
    sender, some = made(RingSender), pairs(3)
    with ThreadPoolExecutor(1) as other, pytest.raises(RuntimeError, match="thread"):
        other.submit(sender.send, descriptors(some), 0, 3, FRAME).result()
    assert sender.send(descriptors(some), 0, 3, FRAME) == ()
    sender.close()
    sender.close()
    with pytest.raises(RuntimeError, match="closed"):
        sender.send(descriptors(some), 0, 3, FRAME)
    assert {read(theirs, len(FRAME)) for _, theirs in some} == {FRAME}
    for _, theirs in some:
        theirs.settimeout(0)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40_000), st.sets(st.integers(0, 4))), min_size=1, max_size=12))
@pytest.mark.parametrize("form", [LoopSender, RingSender])
def test_whatever_viewers_read_in_between_nobody_gets_a_byte_twice_or_too_few(form, steps):
    sender = made(form)
    with ExitStack() as held:
        some = []
        for _ in range(5):
            ours, theirs = map(held.enter_context, socket.socketpair())
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 5_000)
            ours.setblocking(False)
            theirs.setblocking(False)
            some.append((ours, theirs))
        owed, got, told = [b""] * 5, [b""] * 5, b""
        for number, (size, readers) in enumerate(steps):
            data = bytes([number % 256]) * size
            told += data
            ready = array("i", [ours.fileno() if not owed[place] else -1 for place, (ours, _) in enumerate(some)])
            rests = dict(sender.send(ready, 0, 5, data))
            for place in range(5):
                owed[place] += data if ready[place] < 0 else data[rests[place] :] if place in rests else b""
            for place in readers:
                got[place] += _drained(some[place][1])
        for place, (ours, theirs) in enumerate(some):
            while owed[place] or len(got[place]) < len(told):
                got[place] += _drained(theirs)
                if owed[place]:
                    owed[place] = owed[place][ours.send(owed[place]) :]
            assert got[place] == told


def _drained(theirs):
    data = b""
    try:
        while some := theirs.recv(65_536):
            data += some
    except BlockingIOError:
        pass
    return data


def test_without_the_library_there_is_none_and_whoever_asks_for_one_is_told(tmp_path, monkeypatch):
    with pytest.raises(Absent, match="not built"):
        load(Path(tmp_path / "sender.so"))
    monkeypatch.setattr("uproar.native.load", lambda: load(tmp_path / "sender.so"))
    assert open_sender("python") == Choice(None, "asked for")
    sender, why = open_sender("auto")
    assert sender is None
    assert "not built" in why
    with pytest.raises(Misconfigured, match="sender cannot be io_uring"):
        open_sender("io_uring")


@pytest.mark.parametrize(("wish", "form"), [("auto", LoopSender), ("send", LoopSender), ("io_uring", RingSender)])
def test_a_wish_is_granted_where_it_can_be(wish, form):
    made(form)
    sender, why = open_sender(wish)
    assert isinstance(sender, form)
    assert why
