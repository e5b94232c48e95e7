"""Which records go together, when they are ripe, and up to where all is applied."""

import math

from hypothesis import given
from hypothesis import strategies as st

from uproar.core.events import Removed
from uproar.log import Record
from uproar.log.batcher import Batcher

SPAN_S = 1.0


def record(offset, stream="a"):
    return Record(offset, Removed(stream, offset, "mod"))


def by_stream(event):
    return None if event.stream == "silent" else event.stream


def batcher(limit=3, side_by_side=2, span_s=SPAN_S):
    return Batcher(by_stream, lambda key: span_s, lambda key: limit, side_by_side)


def offsets(batches):
    return [(batch.key, [record.offset for record in batch.records]) for batch in batches]


def test_a_batch_is_ripe_when_its_first_record_has_waited_its_span():
    b = batcher()
    b.add(record(1), 10.0)
    b.add(record(2), 10.9)
    assert b.due == 11.0
    assert b.ripe(10.99) == []
    assert offsets(b.ripe(11.0)) == [("a", [1, 2])]
    assert b.due is None


def test_a_full_batch_leaves_at_once_and_no_larger_than_its_limit():
    b = batcher(limit=2)
    for offset in (1, 2, 3):
        b.add(record(offset), 0.0)
    assert offsets(b.ripe(0.0)) == [("a", [1, 2])]


def test_it_tells_how_many_more_fill_a_batch():
    b = batcher(limit=3)
    assert [b.add(record(offset), 0.0) for offset in (1, 2, 3, 4)] == [2, 1, 0, 0]
    assert b.add(record(5, "b"), 0.0) == 2


def test_batches_of_one_key_are_applied_one_after_another():
    b = batcher(limit=1)
    b.add(record(1), 0.0)
    b.add(record(2), 0.0)
    (first,) = b.ripe(5.0)
    assert b.ripe(99.0) == []
    b.done(first, 5.0)
    assert offsets(b.ripe(5.0)) == [("a", [2])]


def test_what_waited_for_its_key_keeps_its_own_time():
    b = batcher()
    b.add(record(1), 0.0)
    (first,) = b.ripe(1.0)
    b.add(record(2), 1.5)
    b.done(first, 2.0)
    assert b.due == 2.5
    assert b.ripe(2.4) == []
    assert offsets(b.ripe(2.5)) == [("a", [2])]


def test_at_most_so_many_are_applied_side_by_side_the_longest_ripe_first():
    b = batcher(side_by_side=2)
    for offset, stream in enumerate("abc", 1):
        b.add(record(offset, stream), offset / 10)
    first, second = b.ripe(9.0)
    assert (first.key, second.key) == ("a", "b")
    assert b.ripe(9.0) == []
    b.done(second, 9.0)
    assert offsets(b.ripe(9.0)) == [("c", [3])]


def test_all_is_ripe_at_the_end_of_time():
    b = batcher(side_by_side=9)
    for offset, stream in enumerate("abcab", 1):
        b.add(record(offset, stream), 0.0)
    assert offsets(b.ripe(math.inf)) == [("a", [1, 4]), ("b", [2, 5]), ("c", [3])]


def test_applied_is_below_the_oldest_record_that_is_not():
    b = batcher()
    assert b.applied == 0
    for offset, stream in ((1, "a"), (2, "b"), (3, "a"), (4, "silent")):
        b.add(record(offset, stream), 0.0)
    assert (b.applied, b.open) == (0, 3)
    a, other = b.ripe(5.0)
    b.done(other, 5.0)
    assert b.applied == 0
    b.done(a, 5.0)
    assert (b.applied, b.open) == (4, 0)


def test_a_limit_that_grows_after_a_batch_was_full_leaves_it_to_its_time():
    limits = {"a": 2}
    b = Batcher(by_stream, lambda key: SPAN_S, limits.__getitem__, 2)
    b.add(record(1), 0.0)
    b.add(record(2), 0.1)
    limits["a"] = 9
    assert b.ripe(0.1) == []
    assert offsets(b.ripe(1.0)) == [("a", [1, 2])]


moves = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["a", "b", "c", "silent"])),
        st.tuples(st.just("turn"), st.floats(0, 2)),
        st.tuples(st.just("done"), st.integers(0, 9)),
        st.tuples(st.just("limit"), st.integers(1, 5)),
    ),
    max_size=80,
)


@given(moves)
def test_every_record_is_applied_once_in_its_keys_order_whatever_happens(steps):
    limit, now, offset = 3, 0.0, 0
    b = Batcher(by_stream, lambda key: SPAN_S, lambda key: limit, 2)
    under_way, given, applied = [], {}, {}

    def start(now):
        for batch in b.ripe(now):
            assert batch.key not in [other.key for other in under_way]
            under_way.append(batch)
        assert len(under_way) <= 2

    def finish(at, now):
        batch = under_way.pop(at % len(under_way))
        applied.setdefault(batch.key, []).extend(record.offset for record in batch.records)
        b.done(batch, now)

    for what, value in steps:
        if what == "add":
            offset += 1
            b.add(record(offset, value), now)
            if value != "silent":
                given.setdefault(value, []).append(offset)
        elif what == "turn":
            now += value
            start(now)
        elif what == "limit":
            limit = value
        elif under_way:
            finish(value, now)
        unapplied = {o for key in given for o in given[key]} - {o for key in applied for o in applied[key]}
        assert b.applied == min(unapplied, default=offset + 1) - 1
        assert b.open == len(unapplied)
    start(math.inf)
    while under_way:
        finish(0, math.inf)
        start(math.inf)
    assert applied == given
