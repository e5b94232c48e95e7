"""A stream's size, and what it means for its windows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.fanout.plan import CALM_SPAN_S, EVERYTHING, RATE_SPAN_S, Pace, Plan, Row

SMALL, MIDDLE, LARGE = Row(0.1, 50, 500, 1000), Row(0.2, 30, 500, 100), Row(0.5, 20, 0, 20)
PLAN = Plan([SMALL, MIDDLE, LARGE], viewers=[10_000, 100_000], comments_per_s=[500, 2_000])


@pytest.mark.parametrize(
    ("viewers", "rate", "row"),
    [
        (0, 0, SMALL),
        (9_999, 500, SMALL),
        (10_000, 0, MIDDLE),
        (0, 500.1, MIDDLE),
        (99_999, 2_000, MIDDLE),
        (100_000, 0, LARGE),
        (0, 2_000.1, LARGE),
        (10_000, 3_000, LARGE),
    ],
)
def test_the_row_is_the_higher_of_viewers_and_rate(viewers, rate, row):
    assert PLAN.rows[PLAN.row_of(viewers, rate)] is row


@given(st.integers(0, 200_000), st.integers(0, 200_000), st.floats(0, 5_000), st.floats(0, 5_000))
def test_more_viewers_or_comments_never_mean_a_lower_row(viewers, more, rate, faster):
    assert PLAN.row_of(viewers, rate) <= PLAN.row_of(viewers + more, rate + faster)


def test_the_rate_is_the_mean_of_the_last_ten_seconds():
    pace = Pace(PLAN)
    pace.note(30, 0.0)
    pace.note(20, 5.0)
    assert pace.rate(5.0) == 5
    assert pace.rate(RATE_SPAN_S) == 2
    assert pace.rate(5.0 + RATE_SPAN_S) == 0


def test_a_stream_that_grows_is_wider_at_once():
    pace = Pace(PLAN)
    pace.note(1, 0.0)
    assert pace.row is SMALL
    pace.viewers = 100_000
    pace.note(1, 0.1)
    assert pace.row is LARGE


def smaller(pace: Pace, began: float, ended: float) -> list[Row]:
    """The rows of a stream that nobody watches, second by second."""
    pace.viewers = 0
    rows = []
    for second in range(round(ended - began) + 1):
        pace.note(0, began + second)
        rows.append(pace.row)
    return rows


def large() -> Pace:
    pace = Pace(PLAN)
    pace.viewers = 100_000
    pace.note(0, 0.0)
    return pace


def test_a_stream_that_shrinks_is_narrower_after_half_a_minute():
    rows = smaller(large(), 1.0, 1.0 + CALM_SPAN_S)
    assert rows == [LARGE] * (len(rows) - 1) + [SMALL]


def test_a_moment_of_size_starts_the_half_minute_anew():
    pace = large()
    assert smaller(pace, 1.0, CALM_SPAN_S)[-1] is LARGE
    pace.viewers = 100_000
    pace.note(0, CALM_SPAN_S + 1)
    assert smaller(pace, CALM_SPAN_S + 2, 2 * CALM_SPAN_S + 1)[-1] is LARGE
    assert smaller(pace, 2 * CALM_SPAN_S + 2, 2 * CALM_SPAN_S + 2)[-1] is SMALL


@pytest.mark.parametrize(
    ("viewers", "per_s", "window", "best"),
    [
        (0, 0, 50, None),
        (10_000, 100, 200, None),
        (10_000, 501, 100, None),
        (10_000, 501, 101, 100),
        (100_000, 1, 20, None),
        (100_000, 1, 21, 20),
    ],
)
def test_how_many_of_a_window_are_shown(viewers, per_s, window, best):
    pace = Pace(PLAN)
    pace.viewers = viewers
    pace.note(round(per_s * RATE_SPAN_S), 0.0)
    assert pace.best(window, 0.0) == best


def test_where_all_is_shown_a_full_frame_leaves_early_and_where_not_the_window_waits():
    pace = Pace(PLAN)
    pace.viewers = 10_000
    pace.note(0, 0.0)
    assert pace.limit(0.0) == MIDDLE.frame_comments
    pace.note(5_001, 1.0)
    assert pace.limit(1.0) == EVERYTHING


@pytest.mark.parametrize("viewers", [0, 10_000, 100_000])
def test_a_stream_that_shows_all_is_never_sampled(viewers):
    pace = Pace(PLAN)
    pace.viewers, pace.show_all = viewers, True
    pace.note(100_000, 0.0)
    assert pace.best(100_000, 0.0) is None
    assert pace.limit(0.0) == pace.row.frame_comments
