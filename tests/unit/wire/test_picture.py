"""What a viewer holds, and how a batch changes it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.frames import said
from tests.unit.wire.histories import WINDOWS, Server
from uproar.wire.frames import Batch, Joined, PosterRules
from uproar.wire.picture import Picture

RULES = PosterRules(500, 0, ("x",), "live")
ANN, BOB = said(1, "ann"), said(2, "bob")
REPLY = said(3, "bob", to=ANN)


def holding(*comments, pinned=(), keep=1000):
    picture = Picture(keep)
    picture.begin(Joined("s", "e.1", False, list(comments), list(pinned), 1, {"x": 1}, RULES))
    return picture


def numbers(comments):
    return [int(comment.id) for comment in comments]


@pytest.mark.parametrize(
    ("fields", "comments", "pinned"),
    [
        ({"removed_users": ["ann"], "comments": [said(4, "ann")]}, [2, 3, 4], [2]),
        ({"removed": ["2"], "restored": [BOB]}, [1, 2, 3], []),
        ({"removed": ["1"], "comments": [ANN]}, [1, 2, 3], [2]),
        ({"removed_users": ["bob"], "restored": [BOB], "pinned": [REPLY]}, [1, 2], [3]),
        ({"pinned": [REPLY], "unpinned": ["3"]}, [1, 2, 3], [2]),
        ({"removed": ["2"], "pinned": [BOB]}, [1, 3], [2]),
        ({"unpinned": ["2", "9"], "removed": ["9"]}, [1, 2, 3], []),
    ],
)
def test_fields_are_applied_in_the_protocols_order(fields, comments, pinned):
    picture = holding(ANN, BOB, REPLY, pinned=[BOB])
    picture.apply(Batch("e.2", **fields))
    assert (numbers(picture.newest(10)), list(map(int, picture.pinned))) == (comments, pinned)


def test_likes_are_told_after_comments_and_pins_and_wherever_the_comment_stands():
    picture = holding(ANN)
    picture.apply(Batch("e.2", comments=[BOB], pinned=[BOB, ANN], liked={"1": 5, "2": 6, "9": 7}))
    assert [comment.likes for comment in picture.newest(10)] == [5, 6]
    assert {number: comment.likes for number, comment in picture.pinned.items()} == {"1": 5, "2": 6}


def test_counts_add_up_and_rules_replace():
    picture = holding()
    picture.apply(Batch("e.2", reactions={"x": 2, "y": 1}, left_out=3))
    picture.apply(Batch("e.3", reactions={"x": 1}, left_out=1))
    assert (picture.reactions, picture.left_out, picture.rules) == ({"x": 4, "y": 1}, 4, RULES)
    ended = PosterRules(500, 0, (), "ended")
    picture.apply(Batch("e.4", rules=ended))
    assert (picture.rules, picture.position) == (ended, "e.4")


@pytest.mark.parametrize("fields", [{"removed": ["1"]}, {"removed_users": ["ann"]}])
def test_previews_of_a_removed_parent_lose_their_text(fields):
    picture = holding(ANN, REPLY, pinned=[REPLY])
    picture.apply(Batch("e.2", **fields))
    for comment in (picture.comments["3"], picture.pinned["3"]):
        assert (comment.reply_to.id, comment.reply_to.user, comment.reply_to.text) == ("1", "ann", "")


@pytest.mark.parametrize(("upto", "left"), [(0, [1, 2, 4]), (1, [2, 4]), (3, [2, 4]), (4, [2]), (None, [2])])
def test_a_user_is_forgotten_up_to_an_id(upto, left):
    picture = holding(ANN, BOB, said(4, "ann"))
    picture.forget_users(["ann"], upto)
    assert numbers(picture.newest(10)) == left


@given(st.lists(st.lists(st.integers(1, 40), max_size=8), max_size=8), st.integers(1, 10))
def test_the_newest_by_id_are_kept_in_order_whatever_the_order_they_come_in(batches, keep):
    picture = Picture(keep)
    held: set[int] = set()
    for batch in batches:
        picture.apply(Batch("e.1", comments=[said(number) for number in batch]))
        held = set(sorted(held | set(batch))[-keep:])
        assert numbers(picture.newest(keep)) == sorted(held)


@given(st.lists(st.integers(1, 99), unique=True, max_size=20), st.integers(0, 25))
def test_newest_gives_so_many_oldest_first(held, limit):
    newest = holding(*map(said, sorted(held))).newest(limit)
    assert numbers(newest) == sorted(held)[max(0, len(held) - limit) :]


def test_a_snapshot_replaces_all_and_a_recovered_one_nothing_but_the_rules():
    picture = holding(ANN, pinned=[ANN])
    picture.apply(Batch("e.2", left_out=2))
    ended = PosterRules(500, 0, (), "ended")
    picture.begin(Joined("s", "e.2", True, [], [], 1, {}, ended))
    assert (numbers(picture.newest(9)), list(picture.pinned), picture.left_out, picture.rules) == ([1], ["1"], 2, ended)
    picture.begin(Joined("s", "f.9", False, [BOB], [], 1, {"y": 7}, RULES))
    assert (numbers(picture.newest(9)), picture.pinned, picture.reactions, picture.left_out) == ([2], {}, {"y": 7}, 0)
    assert picture.position == "f.9"


@given(WINDOWS, st.data())
def test_a_snapshot_and_the_batches_after_it_give_a_fresh_snapshot(windows, data):
    server = Server()
    batches = [server.batch(deeds) for deeds in windows]
    joined_at = data.draw(st.integers(0, len(batches)))
    whole, late = Picture(), Picture()
    for number, batch in enumerate(batches):
        if number == joined_at:
            late.begin(snapshot(whole))
        whole.apply(batch)
        if number >= joined_at:
            late.apply(batch)
    if joined_at < len(batches):
        assert snapshot(late) == snapshot(whole)


def snapshot(picture):
    comments, pinned = picture.newest(1000), list(picture.pinned.values())
    return Joined("s", picture.position, False, comments, pinned, 1, dict(picture.reactions), picture.rules or RULES)
