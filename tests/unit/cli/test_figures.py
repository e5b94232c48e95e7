"""When a replay may be called whole."""

from collections import Counter

import msgspec
import pytest

from uproar.cli.figures import Figures, percentiles
from uproar.core.refusal import Refusal

WHOLE = Figures(
    posted=12,
    acknowledged=10,
    refused={"empty": 1, "language": 1},
    unanswered=0,
    seconds=1.0,
    posts_per_s=12.0,
    viewers=3,
    viewers_complete=3,
    unseen=0,
    repeated=0,
    out_of_order=0,
    faults=0,
    missing_in_history=0,
    post_to_display_ms={50: 10},
)


def test_refusals_of_texts_leave_it_whole():
    assert (WHOLE.whole, WHOLE.result) == (True, "everything is there")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"acknowledged": 0}, "nothing was kept"),
        ({"acknowledged": 0, "refused": {"empty": 12}}, "nothing was kept"),
        ({"acknowledged": 0, "refused": {"not_signed_in": 12}}, "12 refused"),
        ({"unanswered": 1}, "missing"),
        ({"unseen": 1}, "missing"),
        ({"repeated": 1}, "missing"),
        ({"faults": 1}, "missing"),
        ({"missing_in_history": 1}, "missing"),
        ({"viewers_complete": 2}, "missing"),
        ({"stopped": "interrupted"}, "so far"),
        ({"stopped": "interrupted", "unanswered": 1}, "missing"),
    ],
)
def test_it_is_not_whole(change, words):
    figures = msgspec.structs.replace(WHOLE, **change)
    assert not figures.whole
    assert words in figures.result


@pytest.mark.parametrize("why", Refusal, ids=lambda why: why.reason)
def test_a_refusal_counts_against_it_unless_it_is_about_the_text(why):
    assert msgspec.structs.replace(WHOLE, refused={why.reason: 1}).whole == (200 <= why.code < 300)


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        ({}, {}),
        ({7: 1}, {50: 7, 95: 7, 99: 7}),
        (dict.fromkeys(range(1, 101), 1), {50: 50, 95: 95, 99: 99}),
        ({1: 94, 5: 5, 9: 1}, {50: 1, 95: 5, 99: 5}),
    ],
)
def test_percentiles_are_nearest_ranks(counts, found):
    assert percentiles(Counter(counts)) == found
