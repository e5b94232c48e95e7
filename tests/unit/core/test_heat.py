"""How much is going on, by viewers and rate."""

import pytest

from uproar.core.heat import heat


@pytest.mark.parametrize(
    ("viewers", "comments_per_s", "expected"),
    [
        (0, 0, "calm"),
        (9_999, 500, "calm"),
        (10_000, 0, "busy"),
        (0, 500.1, "busy"),
        (99_999, 2_000, "busy"),
        (100_000, 0, "hot"),
        (0, 2_000.1, "hot"),
        (500_000, 0, "storm"),
        (10, 10_001, "storm"),
    ],
)
def test_heat_is_the_higher_of_viewers_and_rate(viewers, comments_per_s, expected):
    assert heat(viewers, comments_per_s) == expected
