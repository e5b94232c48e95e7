"""Which comments are shown when not all can be."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fanout.events import comment
from uproar.core.shards import tie
from uproar.fanout.sampling import choose, never_left_out, priority


@pytest.mark.parametrize(
    ("of", "likes", "expected"),
    [
        (comment(1), 0, 0),
        (comment(1), 3, 6),
        (comment(1, text="why?"), 0, 5),
        (comment(1, text="真的？"), 0, 5),
        (comment(1, text="?!?"), 1, 7),
        (comment(1, verified=True), 0, 10),
        (comment(1, roles=("moderator",)), 0, 50),
        (comment(1, roles=("creator",)), 0, 100),
        (comment(1, text="why?", roles=("creator", "moderator"), verified=True), 2, 169),
    ],
)
def test_priority(of, likes, expected):
    assert priority(of, likes) == expected


@pytest.mark.parametrize(
    ("roles", "expected"), [((), False), (("creator",), True), (("moderator",), True), (("admin",), True)]
)
def test_who_is_never_left_out(roles, expected):
    assert never_left_out(comment(1, roles=roles)) is expected


ROLES = st.sampled_from([(), (), (), (), ("moderator",), ("creator",)])
WINDOWS = st.lists(st.tuples(ROLES, st.booleans(), st.sampled_from(["hello", "why?"])), max_size=40).map(
    lambda rows: [comment(at + 1, roles=roles, verified=v, text=text) for at, (roles, v, text) in enumerate(rows)]
)
LIKES = st.dictionaries(st.integers(1, 40), st.integers(0, 9))
PINNED = st.sets(st.integers(1, 40), max_size=3)


@given(WINDOWS, LIKES, PINNED)
def test_without_a_bound_all_are_shown(window, likes, pinned):
    assert choose(window, None, likes, pinned) == {comment.id for comment in window}


@given(WINDOWS, st.integers(0, 20), LIKES, PINNED)
def test_the_bound_leaves_out_no_creator_moderator_or_pin_and_holds_for_the_others(window, best, likes, pinned):
    chosen = choose(window, best, likes, pinned)
    held = {comment.id for comment in window if never_left_out(comment) or comment.id in pinned}
    assert held <= chosen
    assert len(chosen - held) == min(best, len(window) - len(held))


@given(WINDOWS, st.integers(0, 20), LIKES, PINNED)
def test_nothing_left_out_is_better_than_what_is_shown(window, best, likes, pinned):
    chosen = choose(window, best, likes, pinned)
    others = [comment for comment in window if not never_left_out(comment) and comment.id not in pinned]
    rank = {comment.id: (priority(comment, likes.get(comment.id, 0)), -tie(comment.id)) for comment in others}
    shown = [rank[comment.id] for comment in others if comment.id in chosen]
    left = [rank[comment.id] for comment in others if comment.id not in chosen]
    assert not shown or not left or min(shown) > max(left)


@given(WINDOWS, st.integers(0, 20), LIKES, PINNED, st.integers())
def test_every_worker_chooses_the_same_whatever_the_order(window, best, likes, pinned, seed):
    mixed = list(window)
    Random(seed).shuffle(mixed)
    assert choose(mixed, best, likes, pinned) == choose(window, best, likes, pinned)
