"""A stream's past by the time since it started."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.read.replay import COMMENTS, PART_MS, SETTLED_MS, SPAN_MS, Span, by_second, cut, is_over, part, span

START = 1_700_000_000_123


@pytest.mark.parametrize(
    ("from_ms", "to_ms", "expected"),
    [
        (0, 1000, (0, 1000)),
        (-5, 1000, (0, 1000)),
        (10, 5, (10, 10)),
        (10, 10**12, (10, 10 + SPAN_MS)),
    ],
)
def test_a_span_stays_within_bounds(from_ms, to_ms, expected):
    assert span(from_ms, to_ms) == expected


@given(st.integers(0, 10**6), st.integers(0, 10**13))
def test_neighbouring_parts_share_no_second_and_miss_none(number, started_at):
    one, next_one = (part(n).since(started_at).seconds() for n in (number, number + 1))
    assert one.to_ms == next_one.from_ms
    assert one.from_ms % 1000 == 0
    assert one.to_ms - one.from_ms == PART_MS


def test_a_part_is_over_once_what_was_posted_at_its_end_is_stored():
    end = START + PART_MS + SETTLED_MS
    assert is_over(part(0), START, end)
    assert not is_over(part(0), START, end - 1)
    assert not is_over(part(1), START, end)


def test_what_an_answer_cannot_hold_is_left_for_the_next():
    times = list(range(COMMENTS + 1))
    assert cut(Span(0, 10**6), times[:-1]) == (0, 10**6)
    assert cut(Span(0, 10**6), times) == (0, COMMENTS)
    assert cut(Span(7, 10**6), [7] * (COMMENTS + 1)) == (7, 8)  # it always goes on


def test_seconds_count_from_the_stream_s_start():
    assert by_second({START - 123: {"❤": 1}, START + 877: {"🔥": 2}}, START) == {"0": {"❤": 1}, "877": {"🔥": 2}}
