"""Batches and frames without what is gone."""

import pytest

from tests.frames import aside, frame_of, said
from uproar.timeline import Gone, Top
from uproar.wire.codec import encode, read_batch, read_message
from uproar.wire.deflate import inflate_alone
from uproar.wire.frames import Aside, Batch, ForYou, Notice
from uproar.wire.redact import redact, redact_frame

ANN = said(1, "ann")
BOB = said(2, "bob")
REPLY = said(3, "bob", to=ANN)
TOP = Top("e", 4, 77, 40)
FIELDS = ("restored", "comments", "pinned")


def shown(comments):
    return [(int(comment.id), comment.reply_to and comment.reply_to.text) for comment in comments]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize(
    ("gone", "expected"),
    [
        (Gone(), [(1, None), (2, None), (3, "text 1")]),
        (Gone(1, frozenset({9}), {"cat": 9}), [(1, None), (2, None), (3, "text 1")]),
        (Gone(1, frozenset({2})), [(1, None), (3, "text 1")]),
        (Gone(1, frozenset({1})), [(2, None), (3, "")]),
        (Gone(1, users={"ann": 1}), [(2, None), (3, "")]),
        (Gone(1, users={"ann": 0}), [(1, None), (2, None), (3, "text 1")]),
        (Gone(1, users={"bob": 2}), [(1, None), (3, "text 1")]),
        (Gone(1, users={"bob": 9}), [(1, None)]),
        (Gone(1, users={"bob": 9}, spared={3: 9}), [(1, None), (3, "text 1")]),
        (Gone(1, users={"bob": 9}, spared={3: 8}), [(1, None)]),
    ],
)
def test_what_is_gone_is_left_out_and_previews_lose_its_text(field, gone, expected):
    batch = Batch("e.1", **{field: [ANN, BOB, REPLY]})
    assert shown(getattr(redact(batch, gone), field)) == expected


def test_a_batch_without_anything_gone_is_the_same_object():
    batch = Batch("e.1", comments=[ANN, REPLY], removed=["2"])
    assert redact(batch, Gone(1, frozenset({2}))) is batch


def test_all_other_fields_stay():
    batch = Batch("e.1", ["cat"], ["9"], comments=[ANN], unpinned=["8"], liked={"1": 3}, reactions={"x": 1}, left_out=2)
    clean = redact(batch, Gone(1, frozenset({1})))
    assert clean == Batch("e.1", ["cat"], ["9"], unpinned=["8"], liked={"1": 3}, reactions={"x": 1}, left_out=2)


def test_a_frame_with_nothing_gone_is_the_same_object():
    frame = frame_of(TOP, ANN, asides=(aside("ann", REPLY),))
    assert redact_frame(frame, Gone(1, frozenset({2}))) is frame


def test_a_redacted_frame_keeps_its_place_and_its_forms_agree():
    frame = frame_of(TOP, ANN, BOB)
    clean = redact_frame(frame, Gone(1, frozenset({1})))
    assert (clean.epoch, clean.number, clean.before, clean.upto) == ("e", 5, 77, 50)
    assert read_batch(clean.plain).comments == [BOB]
    assert inflate_alone(clean.alone, 10_000) == clean.plain
    assert (clean.comments, clean.posted_ms) == (1, BOB.at)
    assert b"text 1" not in clean.plain


def test_asides_about_what_is_gone_go_and_only_they():
    notice = Aside("cat", encode(Notice(110, "banned", "You are banned.")))
    frame = frame_of(TOP, BOB, asides=(aside("ann", REPLY), aside("cat", BOB), notice))
    clean = redact_frame(frame, Gone(1, frozenset({3})))
    assert clean.asides == (aside("cat", BOB), notice)
    assert clean.plain is frame.plain


def test_an_aside_keeps_its_reply_when_the_parent_is_gone_but_not_the_preview():
    frame = frame_of(TOP, BOB, asides=(aside("ann", REPLY),))
    (told,) = redact_frame(frame, Gone(1, frozenset({1}))).asides
    message = read_message(told.message)
    assert isinstance(message, ForYou)
    assert shown([message.comment]) == [(3, "")]
