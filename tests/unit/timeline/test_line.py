"""One stream's chain and what it adds up to."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.frames import AT_MS, aside, frame_of, said
from tests.unit.wire.histories import WINDOWS, Server
from uproar.core.errors import Misconfigured
from uproar.timeline import Liking, Top
from uproar.timeline import line as module
from uproar.timeline.line import FRAMES_S, SHOWN_S, Line, State, restored
from uproar.wire.codec import encode, read_batch


def line_with(*frames_comments, at_ms=AT_MS):
    line = Line("s", "e")
    for comments in frames_comments:
        line.extend(frame_of(line.top, *comments, at_ms=at_ms))
    return line


def texts(frames):
    return [[comment.text for comment in read_batch(frame.plain).comments] for frame in frames]


ANN, BOB, CAT = said(1, "ann"), said(2, "bob"), said(3, "cat")


@pytest.mark.parametrize(
    ("change", "fits"),
    [
        ({}, True),
        ({"epoch": "f"}, False),
        ({"number": 1}, False),
        ({"number": 3}, False),
        ({"before": 0}, False),
    ],
)
def test_only_the_next_frame_fits(change, fits):
    line = line_with([ANN])
    assert line.fits(replace(frame_of(line.top, BOB), **change)) is fits


def test_a_frame_that_shows_what_was_taken_down_meanwhile_does_not_fit():
    line = line_with([ANN])
    late = frame_of(line.top, BOB)
    line.take_down([2], {}, AT_MS)
    assert not line.fits(late)
    assert line.fits(frame_of(line.top, CAT))


def test_a_restoring_that_was_undone_meanwhile_fits_but_does_not_show():
    line = line_with([ANN])
    line.take_down([1], {}, AT_MS)
    frame = frame_of(line.top, restored=[ANN])
    assert line.fits(frame)
    line.extend(frame)
    assert line.snapshot(10).comments == []
    assert b"text 1" not in line.since(1)[0].plain


def test_the_top_is_that_of_the_last_frame():
    line = Line("s", "e")
    assert line.top == Top("e", 0, 0, 0)
    frame = frame_of(line.top, ANN)
    line.extend(frame)
    assert line.top == Top("e", 1, frame.checksum, frame.upto)


# ---- since


@pytest.mark.parametrize(("number", "expected"), [(0, [1, 2, 3]), (1, [2, 3]), (3, []), (4, None)])
def test_since_gives_every_frame_above_or_none(number, expected):
    frames = line_with([ANN], [BOB], [CAT]).since(number)
    assert (frames is None) == (expected is None)
    assert [frame.number for frame in frames or ()] == (expected or [])


def test_frames_whose_time_is_over_go():
    line = line_with([ANN], at_ms=AT_MS)
    line.extend(frame_of(line.top, BOB, at_ms=AT_MS + round(FRAMES_S * 1000)))
    assert len(line.since(0)) == 2
    assert line.prune(AT_MS + round(FRAMES_S * 1000) + 1) == 1
    assert line.since(0) is None
    assert [frame.number for frame in line.since(1)] == [2]


@pytest.mark.parametrize(("bound", "value"), [("FRAMES", 2), ("FRAMES_BYTES", 600)])
def test_frames_are_bounded(monkeypatch, bound, value):
    monkeypatch.setattr(module, bound, value)
    line = line_with(*([said(number)] for number in range(1, 30)))
    kept = len(line.frames)
    assert 0 < kept < 29
    assert line.since(29 - kept) is not None
    assert line.since(28 - kept) is None


@given(st.lists(st.sampled_from(["post", "down", "user", "back", "since"]), max_size=25), st.data())
def test_since_never_holds_what_is_gone_and_holds_all_else(steps, data):
    line, number = Line("s", "e"), 0
    for step in steps:
        about = said(data.draw(st.integers(1, max(number, 1))), data.draw(st.sampled_from(["ann", "bob"])))
        match step:
            case "post":
                number += 1
                line.extend(frame_of(line.top, replace(about, id=str(number), text=f"text {number}")))
            case "down":
                line.take_down([int(about.id)], {}, AT_MS)
            case "user":
                line.take_down([], {about.user.id: int(about.id)}, AT_MS)
            case "back":
                line.put_back(int(about.id), AT_MS)
            case "since":
                answered = [comment for frame in line.since(0) for comment in read_batch(frame.plain).comments]
                announced = [comment for frame in line.frames for comment in read_batch(frame.plain).comments]
                gone = line.gone
                assert answered == [one for one in announced if not gone.covers(int(one.id), one.user.id)]


@pytest.mark.parametrize("few", [0, 99])
def test_asides_and_previews_of_what_is_gone_lose_its_text(monkeypatch, few):
    monkeypatch.setattr(module, "FEW", few)
    reply = said(4, "bob", to=ANN)
    line = line_with([ANN])
    line.extend(frame_of(line.top, reply, asides=(aside("ann", said(5, "cat", to=ANN)),)))
    line.since(0)
    line.take_down([1], {}, AT_MS)
    held = b"".join(encode(frame.plain.decode()) + frame.asides[0].message for frame in line.since(1))
    assert b"text 4" in held
    assert b"text 5" in held
    assert b"text 1" not in held


def test_what_is_put_back_is_answered_as_it_was_announced():
    line = line_with([ANN], [BOB])
    first = line.frames[0]
    line.take_down([1], {}, AT_MS)
    assert texts(line.since(0)) == [[], ["text 2"]]
    line.put_back(1, AT_MS)
    assert line.since(0)[0] is first


def test_an_aside_that_came_after_the_loss_is_not_answered():
    line = line_with([ANN])
    line.take_down([5], {}, AT_MS)
    line.since(0)
    line.extend(frame_of(line.top, BOB, asides=(aside("ann", said(5, "cat", to=ANN)),)))
    assert line.since(1)[0].asides == ()


# ---- the fold


@given(WINDOWS)
def test_the_snapshot_is_the_fold_of_all_batches(windows):
    server, line = Server(), Line("s", "e")
    for deeds in windows:
        batch = server.batch(deeds)
        line.extend(replace(frame_of(line.top), plain=encode(batch)))
    shown = {comment.id: comment for comment in line.snapshot(1000).comments}
    assert set(shown) == set(server.posted) - server.removed
    assert all(comment.likes == server.likes.get(comment.id, 0) for comment in shown.values())
    assert not any(
        comment.reply_to and comment.reply_to.text and comment.reply_to.id in server.removed
        for comment in shown.values()
    )


def test_a_frames_removed_users_lose_what_was_shown_before_it():
    line = line_with([ANN, BOB])
    line.extend(frame_of(line.top, said(9, "ann"), lost={"ann": 8}))
    assert line.gone.covers(1, "ann")
    assert not line.gone.covers(9, "ann")
    assert texts(line.since(0)) == [["text 2"], ["text 9"]]


def test_what_is_taken_down_leaves_snapshot_pins_and_previews_at_once():
    line = line_with([ANN, said(4, "bob", to=ANN)])
    line.extend(frame_of(line.top, pinned=[ANN]))
    line.take_down([1], {}, AT_MS)
    snapshot = line.snapshot(10)
    assert [(comment.id, comment.reply_to.text) for comment in snapshot.comments] == [("4", "")]
    assert snapshot.pinned == []


def test_a_cut_drops_frames_and_the_users_comments_previews_and_likes():
    line = line_with([ANN, said(4, "bob", to=ANN)], [BOB])
    line.likes.apply([Liking(2, "ann", True), Liking(2, "bob", True)], {})
    line.cut("ann", 9, AT_MS)
    assert line.since(1) is None
    assert line.since(2) == ()
    assert b"text 1" not in encode(line.state())
    assert line.likes.apply([Liking(2, "bob", True)], {}) == {2: 1}
    assert not line.fits(frame_of(line.top, said(9, "ann")))
    assert line.fits(frame_of(line.top, said(10, "ann")))


def test_a_new_epoch_keeps_the_picture_the_losses_and_the_offset_but_no_frame():
    line = line_with([ANN], [BOB])
    line.take_down([1], {}, AT_MS)
    line.begin("f")
    assert line.top == Top("f", 0, 0, 20)
    assert (line.since(0), line.since(1)) == ((), None)
    assert [comment.id for comment in line.snapshot(9).comments] == ["2"]
    assert line.gone.covers(1, "ann")


def test_ids_shown_are_known_for_ten_minutes_and_bounded(monkeypatch):
    line = line_with([ANN], [BOB])
    assert line.shown([1, 2, 3]) == {1, 2}
    line.prune(AT_MS + round(SHOWN_S * 1000))
    assert line.shown([1]) == {1}
    line.prune(AT_MS + round(SHOWN_S * 1000) + 1)
    assert line.shown([1, 2]) == frozenset()
    monkeypatch.setattr(module, "SHOWN", 1)
    assert line_with([ANN], [BOB]).shown([1, 2]) == {2}


# ---- over a restart


def again(line, upto_state=None):
    state = msgspec.msgpack.decode(msgspec.msgpack.encode(upto_state or line.state()), type=State)
    back = restored("s", state)
    for frame in line.frames:
        back.recall(frame)
    return back


@given(WINDOWS, st.data())
def test_a_line_written_down_anywhere_comes_back_as_it_was(windows, data):
    server, line = Server(), Line("s", "e")
    at = data.draw(st.integers(0, len(windows) - 1))
    for number, deeds in enumerate(windows):
        if number == at:
            written = msgspec.msgpack.decode(msgspec.msgpack.encode(line.state()), type=State)
        line.extend(replace(frame_of(line.top), plain=encode(server.batch(deeds))))
    back = again(line, written)
    assert back.state() == line.state()
    assert back.since(0) == line.since(0)
    assert back.gone._replace(version=0) == line.gone._replace(version=0)


def test_what_was_told_again_is_the_newest_also_after_a_restart():
    line = line_with([ANN], [BOB])
    line.take_down([1, 2], {"ann": 1, "bob": 2}, AT_MS)
    line.take_down([1], {"ann": 1}, AT_MS + 1)
    line.extend(frame_of(line.top, ANN, at_ms=AT_MS + 1))
    back = again(line)
    assert (list(back.losses.ids), list(back.losses.users)) == ([2, 1], ["bob", "ann"])
    back.prune(AT_MS + round(SHOWN_S * 1000) + 1)
    assert back.shown([1, 2]) == {1}


@pytest.mark.parametrize(
    "damage", [lambda a, b, c: [b, c], lambda a, b, c: [a, c], lambda a, b, c: [a, replace(b, before=5)]]
)
def test_a_line_that_comes_back_with_a_hole_is_refused(damage):
    back = restored("s", line_with().state())
    frames = damage(*line_with([ANN], [BOB], [CAT]).frames)
    with pytest.raises(Misconfigured):
        any(map(back.recall, frames))


def test_frames_that_the_state_holds_come_back_without_a_hole():
    line = line_with([ANN], [BOB], [CAT])
    back = restored("s", line.state())
    back.recall(line.frames[0])
    with pytest.raises(Misconfigured):
        back.recall(line.frames[2])
