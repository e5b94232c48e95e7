"""Ids only grow, tell their time and never leave their writer's lease."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.core.errors import Unavailable
from uproar.core.ids import END_MS, EPOCH_MS, WRITERS, IdMaker, at_ms, first_id_at, parse_id

NOW_MS = 1_763_800_000_000
times = st.integers(EPOCH_MS, END_MS - 1)


def test_the_layout_is_milliseconds_then_writer_then_sequence():
    ids = IdMaker(writer=5)
    assert ids.next(EPOCH_MS + 3) == 3 << 22 | 5 << 12 | 0
    assert ids.next(EPOCH_MS + 3) == 3 << 22 | 5 << 12 | 1


@given(st.lists(st.integers(EPOCH_MS - 5, EPOCH_MS + 10), max_size=300))
def test_ids_only_grow_whatever_the_clock_does(clock):
    ids = IdMaker(writer=7)
    made = [ids.next(ms) for ms in clock]
    assert made == sorted(set(made))


@given(times, st.integers(0, WRITERS - 1))
def test_an_id_tells_when_it_was_made(ms, writer):
    made = IdMaker(writer).next(ms)
    assert at_ms(made) == ms
    assert first_id_at(ms) <= made < first_id_at(ms + 1)


@given(st.integers(0, 10**16))
def test_the_first_id_of_any_time_fits_where_ids_do(ms):
    assert parse_id(str(first_id_at(ms))) == first_id_at(ms)


@given(st.lists(st.integers(0, 5), max_size=100), st.lists(st.integers(0, 5), max_size=100))
def test_two_writers_never_make_the_same_id(ours, theirs):
    one, other = IdMaker(1), IdMaker(2)
    assert not {one.next(NOW_MS + ms) for ms in ours} & {other.next(NOW_MS + ms) for ms in theirs}


def test_a_full_millisecond_borrows_from_the_next():
    ids = IdMaker(writer=0)
    made = [ids.next(NOW_MS) for _ in range(4097)]
    assert at_ms(made[-2]) == NOW_MS
    assert made[-1] == first_id_at(NOW_MS + 1)


def test_no_id_is_made_at_or_after_the_end_of_the_lease():
    ids = IdMaker(writer=3, lease_until_ms=NOW_MS + 10)
    assert at_ms(ids.next(NOW_MS + 9)) == NOW_MS + 9
    with pytest.raises(Unavailable):
        ids.next(NOW_MS + 10)


def test_borrowing_does_not_leave_the_lease_either():
    ids = IdMaker(writer=3, lease_until_ms=NOW_MS + 1)
    for _ in range(4096):
        ids.next(NOW_MS)
    with pytest.raises(Unavailable):
        ids.next(NOW_MS)


def test_a_refused_id_costs_nothing_and_an_extended_lease_goes_on():
    ids = IdMaker(writer=3, lease_until_ms=NOW_MS)
    with pytest.raises(Unavailable):
        ids.next(NOW_MS + 5)
    ids.extend(NOW_MS + 100)
    assert ids.next(NOW_MS) == first_id_at(NOW_MS) | 3 << 12


def test_a_lease_is_never_shortened():
    ids = IdMaker(writer=3, lease_until_ms=NOW_MS + 100)
    ids.extend(NOW_MS)
    assert at_ms(ids.next(NOW_MS + 50)) == NOW_MS + 50


def test_a_new_holder_of_a_number_starts_where_the_old_one_had_to_end():
    old = IdMaker(writer=3, lease_until_ms=NOW_MS + 1000)
    new = IdMaker(writer=3, lease_from_ms=NOW_MS + 1000)
    assert old.next(NOW_MS + 999) < new.next(NOW_MS) == first_id_at(NOW_MS + 1000) | 3 << 12


def test_ids_end_with_their_41_bits():
    ids = IdMaker(writer=WRITERS - 1, lease_until_ms=END_MS + 1000)
    assert ids.next(END_MS - 1) < 1 << 63
    with pytest.raises(Unavailable):
        ids.next(END_MS)


@pytest.mark.parametrize("writer", [-1, WRITERS])
def test_a_writers_number_has_ten_bits(writer):
    with pytest.raises(ValueError, match=r"not (-1|1024)"):
        IdMaker(writer)


@pytest.mark.parametrize("ms", [NOW_MS, END_MS - 1])
def test_ids_of_our_time_have_19_digits(ms):
    assert len(str(IdMaker(writer=0).next(ms))) == 19


@given(st.integers(0, (1 << 63) - 1))
def test_what_json_writes_is_read_back(number):
    assert parse_id(str(number)) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "+1",
        " 1",
        "1 ",
        "01",
        "00",
        "1.0",
        "1e3",
        "0x1",
        "1_0",
        "٣",
        "²",
        "１",
        "9223372036854775808",
        "9" * 9000,
    ],
)
def test_nothing_else_is_an_id(text):
    assert parse_id(text) is None
