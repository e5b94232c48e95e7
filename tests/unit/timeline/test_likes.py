"""Who likes what, as far as it is held."""

from hypothesis import given
from hypothesis import strategies as st

from uproar.timeline import Liking
from uproar.timeline import likes as module
from uproar.timeline.likes import Likes

LIKINGS = st.lists(st.builds(Liking, st.integers(1, 6), st.sampled_from("abcd"), st.booleans()), max_size=30)


@given(st.lists(LIKINGS, max_size=6), st.integers(1, 4), st.integers(1, 8))
def test_totals_are_exact_whatever_is_forgotten_in_between(calls, comments, likers):
    module_bounds = module.COMMENTS, module.LIKERS
    module.COMMENTS, module.LIKERS = comments, likers
    try:
        likes, store = Likes(), {number: {"z"} for number in range(7)}
        for likings in calls:
            loaded = {number: frozenset(store[number]) for number in likes.unknown(likings)}
            for liking in likings:
                (store[liking.comment_id].add if liking.on else store[liking.comment_id].discard)(liking.user)
            totals = likes.apply(likings, loaded)
            assert totals == {liking.comment_id: len(store[liking.comment_id]) for liking in likings}
            assert len(likes._sets) <= comments
            assert likes._likers == sum(map(len, likes._sets.values()))
            assert likes._likers <= likers or len(likes._sets) == 1
    finally:
        module.COMMENTS, module.LIKERS = module_bounds


def test_only_what_is_not_held_is_unknown():
    likes = Likes()
    assert likes.unknown([Liking(2, "ann", True), Liking(1, "bob", True), Liking(2, "bob", True)]) == [1, 2]
    likes.apply([Liking(2, "ann", True)], {})
    assert likes.unknown([Liking(2, "ann", True), Liking(1, "bob", True)]) == [1]


def test_an_erased_user_likes_nothing():
    likes = Likes()
    likes.apply([Liking(1, "ann", True), Liking(1, "bob", True)], {})
    likes.forget_user("ann")
    assert likes.apply([Liking(1, "bob", True)], {}) == {1: 1}
