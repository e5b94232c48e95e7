"""The newest records in memory."""

from hypothesis import given
from hypothesis import strategies as st

from uproar.core.events import Removed
from uproar.log import Record
from uproar.log.tail import Tail


def record(offset):
    return Record(offset, Removed("s", offset, "mod"))


@given(
    before=st.integers(0, 50),
    sizes=st.lists(st.integers(1, 30), max_size=40),
    trimmed=st.integers(0, 100),
    offset=st.integers(0, 100),
    limit=st.integers(1, 50),
)
def test_it_gives_the_records_above_an_offset_or_says_that_it_cannot(before, sizes, trimmed, offset, limit):
    tail = Tail(before, records=10, size=100)
    for at, size in enumerate(sizes, before + 1):
        tail.add(record(at), size)
    last = before + len(sizes)
    tail.drop_below(min(trimmed, last + 1))
    got = tail.above(offset, limit)
    assert tail.last == last
    if got is not None:
        assert list(got) == [record(at) for at in range(offset + 1, min(offset + limit, last) + 1)]
    else:
        assert offset < last


def test_it_reaches_back_as_far_as_both_bounds_allow():
    tail = Tail(0, records=5, size=100)
    for at in range(1, 11):
        tail.add(record(at), 1)
    assert tail.above(5, 10) == [record(at) for at in range(6, 11)]
    assert tail.above(4, 10) is None
    tail.add(record(11), 98)
    assert tail.above(8, 10) == [record(at) for at in (9, 10, 11)]
    assert tail.above(7, 10) is None
