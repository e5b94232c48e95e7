"""What many values come to."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.bench.stats import Spread, percentile, percentiles_ms, spread

VALUES = st.lists(st.floats(-1e9, 1e9), min_size=1)


@pytest.mark.parametrize(
    ("values", "expected"),
    [([3], Spread(3, 3, 3)), ([5, 1, 3], Spread(3, 1, 5)), ([1, 2, 3, 10], Spread(2.5, 1, 10))],
)
def test_spread(values, expected):
    assert spread(values) == expected


@pytest.mark.parametrize(("share", "expected"), [(0, 1), (0.5, 51), (0.99, 100), (1, 100)])
def test_percentile_of_one_to_a_hundred(share, expected):
    assert percentile(range(1, 101), share) == expected


def test_nothing_has_no_percentile():
    assert math.isnan(percentile([], 0.5))


@given(VALUES, st.floats(0, 1), st.floats(0, 1))
def test_percentiles_are_values_and_rise(values, one, other):
    low, high = sorted((one, other))
    assert percentile(values, low) in values
    assert percentile(values, low) <= percentile(values, high)


def test_percentiles_are_named_in_milliseconds():
    assert percentiles_ms("ack", [0.002] * 4) == {f"ack_{word}_ms": 2.0 for word in ("p50", "p90", "p99", "max")}
