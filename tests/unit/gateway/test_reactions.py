"""Which reactions are taken, and how their counts reach the log."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.auth import Identity
from uproar.core.events import Reacted
from uproar.core.refusal import Refusal
from uproar.core.stream import Rules, Stream
from uproar.gateway.reactions import Tally, refusal

NOW_MS = 1_790_000_000_000
ANN = Identity("ann", "Ann", 4_000_000_000)
OPEN, SIGNED, ENDED = Stream("s"), Stream("s", rules=Rules(react_signed_in=True)), Stream("s", state="ended")


@pytest.mark.parametrize(
    ("who", "stream", "counts", "expected"),
    [
        (None, OPEN, {"👍": 1}, None),
        (None, OPEN, {"👍": 25, "😂": 25}, None),
        (None, OPEN, {"👍": 25, "😂": 26}, Refusal.BAD_MESSAGE),
        (None, OPEN, {}, Refusal.BAD_MESSAGE),
        (None, OPEN, {"🦄": 1}, Refusal.BAD_MESSAGE),
        (None, SIGNED, {"👍": 1}, Refusal.NOT_SIGNED_IN),
        (ANN, SIGNED, {"👍": 1}, None),
        (ANN, ENDED, {"👍": 1}, Refusal.STREAM_ENDED),
    ],
)
def test_refusal(who, stream, counts, expected):
    found = refusal(who, stream, counts)
    assert (found and found.refusal) is expected


def test_counts_of_a_stream_are_one_event_and_what_is_not_kept_is_sent_again_unchanged():
    tally = Tally("run")
    tally.count("s", {"👍": 2})
    tally.count("s", {"👍": 1, "😂": 1})
    [event] = tally.ripe(NOW_MS)
    assert event == Reacted("s", "run", 1, {"👍": 3, "😂": 1}, NOW_MS)
    tally.count("s", {"👍": 5})
    assert tally.ripe(NOW_MS) == [event]
    tally.kept(event)
    [later] = tally.ripe(NOW_MS)
    assert later == Reacted("s", "run", 2, {"👍": 5}, NOW_MS)
    tally.kept(event)  # two flushes at once: the second one's news is old
    assert tally.ripe(NOW_MS) == [later]
    tally.kept(later)
    assert tally.ripe(NOW_MS) == []


def test_of_too_many_streams_that_wait_no_more_are_taken_until_some_are_kept():
    tally = Tally("run", limit=2)
    assert [tally.count(stream, {"👍": 1}) for stream in "abca"] == [True, True, False, True]
    first, _ = tally.ripe(NOW_MS)
    assert not tally.count("c", {"👍": 1})
    tally.kept(first)
    assert tally.count("c", {"👍": 1})


@given(st.lists(st.one_of(st.tuples(st.sampled_from("ab"), st.integers(1, 9)), st.booleans())))
def test_everything_counted_is_kept_once_under_numbers_that_grow(steps):
    tally, counted, kept = Tally("run"), 0, {}
    for step in [*steps, True, True]:
        if isinstance(step, tuple):
            counted += step[1]
            tally.count(step[0], {"👍": step[1]})
        else:
            for event in tally.ripe(NOW_MS):
                assert kept.setdefault(event.number, event) is event
                if step:
                    tally.kept(event)
    assert sum(event.counts["👍"] for event in kept.values()) == counted
    assert list(kept) == sorted(kept)
