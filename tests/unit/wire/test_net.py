"""Several batches as one, for who skipped them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.frames import said
from tests.unit.wire.histories import WINDOWS, Server
from uproar.wire.codec import encode, read_message
from uproar.wire.frames import Batch, Skipped
from uproar.wire.net import net_result
from uproar.wire.picture import Picture

ANN, BOB = said(1, "ann"), said(2, "bob")


def history(windows):
    server = Server()
    return [server.batch(deeds) for deeds in windows]


def after(*messages):
    picture = Picture()
    for message in messages:
        picture.apply(message)
    return picture


@given(WINDOWS, st.data())
def test_it_gives_what_the_batches_give_but_for_the_comments_posted_in_them(windows, data):
    batches = history(windows)
    seen = data.draw(st.integers(0, len(batches) - 1))
    missed = batches[seen:]
    whole = after(*batches)
    skipped = after(*batches[:seen], net_result(missed))
    restored_last = {comment.id for comment in net_result(missed).restored}
    posted = {comment.id for batch in missed for comment in batch.comments} - restored_last
    assert skipped.comments == {number: held for number, held in whole.comments.items() if number not in posted}
    for field in ("pinned", "reactions", "left_out", "rules", "position"):
        assert getattr(skipped, field) == getattr(whole, field)


@given(WINDOWS)
def test_it_tells_how_much_was_missed_and_every_removal(windows):
    batches = history(windows)
    net = net_result(batches)
    assert net.frames == len(batches)
    assert net.comments == sum(len(batch.comments) for batch in batches)
    assert set(net.removed) == {gone for batch in batches for gone in batch.removed}
    assert set(net.removed_users) == {gone for batch in batches for gone in batch.removed_users}


@pytest.mark.parametrize(
    ("fields", "pinned", "unpinned"),
    [
        ([{"pinned": [ANN]}, {"unpinned": ["1"]}], [], ["1"]),
        ([{"unpinned": ["1"]}, {"pinned": [ANN]}], [ANN], []),
        ([{"pinned": [ANN]}, {"unpinned": ["1", "2"]}, {"pinned": [ANN]}], [ANN], ["2"]),
        ([{"pinned": [ANN]}, {"removed_users": ["ann"]}], [], []),
    ],
)
def test_the_last_word_on_a_pin_is_told(fields, pinned, unpinned):
    net = net_result([Batch(f"e.{number}", **each) for number, each in enumerate(fields)])
    assert (net.pinned, net.unpinned) == (pinned, unpinned)


def test_a_preview_in_what_is_restored_loses_a_text_removed_later():
    reply = said(3, "bob", to=ANN)
    net = net_result([Batch("e.1", restored=[reply]), Batch("e.2", removed=["1"])])
    assert b"text 1" not in encode(net)
    net = net_result([Batch("e.1", pinned=[reply]), Batch("e.2", removed_users=["ann"])])
    assert b"text 1" not in encode(net)


def test_what_was_restored_and_removed_again_is_not_told():
    net = net_result([Batch("e.1", restored=[ANN], pinned=[ANN, BOB]), Batch("e.2", removed=["1"])])
    assert (net.restored, net.pinned, net.removed) == ([], [BOB], ["1"])


def test_one_batch_is_itself_without_its_comments():
    batch = Batch("e.7", ["cat"], ["9"], [ANN], [BOB], [ANN], ["8"], {"1": 2}, {"x": 3}, 4)
    assert net_result([batch]) == Skipped(
        "e.7", 1, 1, ["cat"], ["9"], [said(1, likes=2)], [said(1, likes=2)], ["8"], {"1": 2}, {"x": 3}, 4
    )


@given(WINDOWS)
def test_it_survives_the_wire(windows):
    net = net_result(history(windows))
    assert read_message(encode(net)) == net
