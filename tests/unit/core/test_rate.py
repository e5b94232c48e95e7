"""So many in a span, each by its name."""

from hypothesis import given
from hypothesis import strategies as st

from uproar.core.rate import MINUTE_S, NAMES, Rate


def test_one_over_the_limit_waits_until_the_oldest_is_a_minute_old():
    guests = Rate(2)
    assert [guests.wait_s("a", now) for now in (0, 10, 30)] == [0, 0, 30]
    assert guests.wait_s("b", 30) == 0
    assert [guests.wait_s("a", now) for now in (59, 60, 61, 70)] == [1, 0, 9, 0]


def test_of_too_many_the_one_that_asked_least_recently_is_forgotten():
    guests = Rate(1)
    for number in range(NAMES):
        guests.wait_s(str(number), 0)
    assert guests.wait_s("0", 1) > 0
    guests.wait_s("new", 1)
    assert (guests.wait_s("0", 2) > 0, guests.wait_s("1", 2)) == (True, 0)


@given(st.lists(st.integers(0, 300), max_size=60).map(sorted), st.integers(1, 5), st.sampled_from([1.0, MINUTE_S]))
def test_no_span_holds_more_than_the_limit(times, limit, span_s):
    guests = Rate(limit, span_s)
    taken = [now for now in times if not guests.wait_s("a", now)]
    assert all(later - earlier >= span_s for earlier, later in zip(taken, taken[limit:], strict=False))
