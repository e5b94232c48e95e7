"""What of the store's comments may be shown, and how fast they come."""

import pytest

from uproar.core.comment import Comment, Parent, User
from uproar.read.showing import RATE_COMMENTS, rate, standing
from uproar.store import Kept
from uproar.timeline import Gone

ANN, BOB = User("ann", "Ann"), User("bob", "Bob")
COMMENT = Comment(5, "s", ANN, "hello", Parent(3, "bob", "hi"))


@pytest.mark.parametrize(
    ("kept", "gone", "expected"),
    [
        (Kept(COMMENT, 2), Gone(), ("hello", "hi", 2)),
        (Kept(COMMENT, 2, "mod"), Gone(), None),
        (Kept(COMMENT), Gone(ids=frozenset({5})), None),
        (Kept(COMMENT), Gone(users={"ann": 5}), None),
        (Kept(COMMENT), Gone(users={"ann": 4}), ("hello", "hi", 0)),
        (Kept(COMMENT), Gone(ids=frozenset({3})), ("hello", "", 0)),
        (Kept(COMMENT), Gone(users={"bob": 3}), ("hello", "", 0)),
    ],
)
def test_nothing_that_is_gone_is_shown(kept, gone, expected):
    shown = [(one.text, one.reply_to.text, one.likes) for one in standing([kept], {"s": gone})]
    assert shown == ([expected] if expected else [])


def test_each_comment_is_judged_by_what_is_gone_in_its_stream():
    here, there = (Kept(Comment(number, stream, BOB, "x")) for number, stream in ((1, "s"), (2, "t")))
    shown = standing([here, there], {"s": Gone(users={"bob": 9}), "t": Gone()})
    assert [(one.id, one.stream) for one in shown] == [("2", "t")]


@pytest.mark.parametrize(
    ("times_ms", "expected"),
    [
        ([], 0.0),
        ([89_999, 90_000], 0.0),
        ([90_001, 99_999], 0.2),
        ([98_000] * RATE_COMMENTS, 500.0),
        ([100_000] * RATE_COMMENTS, 1_000_000.0),
    ],
)
def test_rate_is_the_mean_of_ten_seconds_or_of_what_the_newest_took(times_ms, expected):
    assert rate(times_ms, 100_000) == expected
