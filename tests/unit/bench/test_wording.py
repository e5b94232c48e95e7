"""How figures are written."""

import pytest

from uproar.bench.lines import Setup
from uproar.bench.stats import Spread
from uproar.bench.wording import contestant, number, size, span, title


@pytest.mark.parametrize(
    ("figure", "expected"),
    [
        ("ack_p99_ms", "ack p99, ms"),
        ("cpu_us_per_frame", "CPU µs per frame"),
        ("kib_per_viewer", "KiB per viewer"),
        ("rest_mib", "rest, MiB"),
        ("frames_per_s", "frames per s"),
        ("lost", "lost"),
    ],
)
def test_a_figure_in_words(figure, expected):
    assert title(figure) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0, "0"),
        (0.12345, "0.123"),
        (1.5, "1.5"),
        (99.96, "100"),
        (12.345, "12.3"),
        (123.4, "123"),
        (12345.6, "12,346"),
        (7, "7"),
    ],
)
def test_three_digits_count(value, expected):
    assert number(value) == expected


def test_a_spread_shows_its_ends_where_they_differ():
    assert span(Spread(1.23, 1.2, 1.31)) == "1.23 (1.2-1.31)"
    assert span(Spread(5, 5, 5)) == "5"


def test_a_case_stands_behind_its_who():
    assert (contestant("send", ""), contestant("send", "deflated")) == ("send", "send, deflated")


def test_a_size_in_words():
    assert size(Setup(9_000, 5, 8, 10)) == "9,000 viewers, 5 rounds of 8 s"
    assert size(Setup(0, 1, 2.5, 10)) == "one round of 2.5 s"
    assert size(Setup(20, 7, 0, 10)) == "20 viewers, 7 rounds"
