"""A position is written and read the same way, and nothing else is read as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.core.position import Position, parse

epochs = st.text("ABCXYZabcxyz0189_-", min_size=1, max_size=64)


@given(epochs, st.integers(0, 10**18 - 1))
def test_what_is_written_is_read_back(epoch, number):
    assert parse(str(Position(epoch, number))) == Position(epoch, number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "e.",
        ".1",
        "e",
        "e1",
        "e.-1",
        "e.+1",
        "e. 1",
        "e.1 ",
        "e.1.2",
        "e.1_0",
        "e.٣",
        "e.²",
        "é.1",
        "a b.1",
        "e\n.1",
        "e.x",
    ],
    ids=ascii,
)
def test_what_is_malformed_is_no_position(text):
    assert parse(text) is None


@pytest.mark.parametrize("text", ["x" * 65 + ".1", "e." + "1" * 19, "e." + "1" * 5000])
def test_what_is_too_long_is_no_position(text):
    assert parse(text) is None


def test_leading_zeros_are_digits():
    assert parse("e.007") == Position("e", 7)


def test_positions_of_an_epoch_are_ordered_by_number():
    assert Position("e", 9) < Position("e", 10)
