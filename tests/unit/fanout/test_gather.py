"""What a window's events add up to."""

from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.unit.fanout.events import (
    STREAM,
    banned,
    comment,
    erased,
    liked,
    pinned,
    posted,
    reacted,
    removed,
    restored,
    unpinned,
)
from uproar.core import events as ev
from uproar.core.comment import Comment
from uproar.core.stream import Rules, Stream
from uproar.fanout.gather import Net, gather, runs
from uproar.timeline import Gone
from uproar.wire.codec import read_message
from uproar.wire.frames import Aside, Batch, ForYou, Notice
from uproar.wire.picture import Picture

A, B = comment(1, "ann"), comment(2, "bob")
REPLY = comment(3, "bob", "hi Ann", reply_to=A)
ALL = range(1000)
NOTHING_GONE = Gone()


def batch_of(
    *events: ev.Event, gone: Gone = NOTHING_GONE, chosen: Collection[int] = ALL, known: Collection[int] = ()
) -> Batch:
    return gather(events, gone, chosen, known).batch("e.1", {})


def ids(shown) -> list[int]:
    return [int(comment.id) for comment in shown]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([posted(A), posted(B)], {"comments": [1, 2]}),
        ([posted(A), removed(1)], {"removed": [1]}),
        ([removed(1), posted(A)], {"removed": [1]}),
        ([removed(1), restored(A)], {"removed": [1], "restored": [1]}),
        ([restored(A), removed(1)], {"removed": [1]}),
        ([posted(A), removed(1), restored(A)], {"removed": [1], "restored": [1]}),
        ([pinned(A)], {"pinned": [1]}),
        ([pinned(A), unpinned(1)], {"unpinned": [1]}),
        ([unpinned(1), pinned(A)], {"pinned": [1]}),
        ([pinned(A), removed(1)], {"removed": [1]}),
        ([removed(1), pinned(A)], {"removed": [1]}),
        ([posted(A), banned("ann", 9, remove=True)], {"removed_users": ["ann"], "removed": [1]}),
        ([posted(B), banned("ann", 9, remove=True)], {"removed_users": ["ann"], "comments": [2]}),
        ([banned("ann", 9, remove=True), posted(A)], {"removed_users": ["ann"]}),
        ([banned("ann", 0, remove=True), posted(A)], {"removed_users": ["ann"], "comments": [1]}),
        ([banned("ann", 9, remove=True), restored(A)], {"removed_users": ["ann"], "restored": [1]}),
        ([restored(A), erased("ann", 9)], {"removed_users": ["ann"], "removed": [1]}),
        ([erased("ann", 9), restored(A)], {"removed_users": ["ann"]}),
        ([banned("ann", 9)], {}),
        ([posted(A), posted(A, again=True)], {"comments": [1]}),
    ],
)  # fmt: skip
def test_the_net_result(events, expected):
    batch = batch_of(*events)
    told = {
        "removed_users": batch.removed_users,
        "removed": [int(gone) for gone in batch.removed],
        "restored": ids(batch.restored),
        "comments": ids(batch.comments),
        "pinned": ids(batch.pinned),
        "unpinned": [int(gone) for gone in batch.unpinned],
    }
    assert {name: value for name, value in told.items() if value} == expected


def test_what_concerns_nobody_leaves_the_batch_empty():
    assert batch_of(ev.Reported(STREAM, "ann", 1, "", 0), ev.Unbanned(STREAM, "ann", "mod")) == Batch("e.1")


def test_the_last_rules_are_told():
    slow = [ev.Changed(STREAM, Stream(STREAM, rules=Rules(slow_ms=ms))) for ms in (10, 20)]
    assert batch_of(*slow).rules.slow_ms == 20


@pytest.mark.parametrize("gone", [Gone(1, frozenset({1})), Gone(1, users={"ann": 1})])
def test_what_is_gone_is_not_shown_not_pinned_and_no_preview(gone):
    batch = batch_of(posted(A), pinned(A), posted(REPLY), gone=gone)
    assert (ids(batch.comments), batch.pinned) == ([3], [])
    assert batch.comments[0].reply_to.text == ""


def test_a_restored_comment_is_shown_though_the_timeline_did_not_hear_of_it_yet():
    batch = batch_of(restored(A), posted(REPLY), gone=Gone(1, frozenset({1})))
    assert ids(batch.restored) == [1]
    assert batch.comments[0].reply_to.text == "hello"


def test_of_a_removed_users_comments_the_one_spared_comes_back():
    gone = Gone(1, users={"ann": 9}, spared={1: 9})
    assert ids(batch_of(restored(A), restored(comment(2, "ann")), gone=gone).restored) == [1]


@pytest.mark.parametrize("goes", [removed(1), banned("ann", 1, remove=True), erased("ann", 1)])
@pytest.mark.parametrize("late", [False, True])
def test_a_preview_of_what_is_removed_is_blank(goes, late):
    events = [posted(REPLY), pinned(REPLY)]
    batch = batch_of(*([goes, *events] if late else [*events, goes]))
    assert [shown.reply_to.text for shown in (*batch.comments, *batch.pinned)] == ["", ""]


def test_what_was_shown_before_is_passed_over():
    net = gather([posted(A, again=True), posted(B)], Gone(), {2}, known={1})
    batch = net.batch("e.1", {})
    assert (ids(batch.comments), batch.left_out) == ([2], 0)


def test_a_comment_that_comes_twice_is_left_out_once():
    assert batch_of(posted(A), posted(A, again=True), chosen=()).left_out == 1


# ---- reactions and likes


def test_reactions_add_up_over_gateways():
    assert batch_of(reacted(1, "g", x=2, y=1), reacted(1, "h", x=3)).reactions == {"x": 5, "y": 1}


def test_a_gateways_number_counts_once():
    net = gather([reacted(n, x=1) for n in (3, 4, 5, 5, 7, 6)], Gone(), (), before={"g": 4, "h": 1})
    assert net.batch("e.1", {}).reactions == {"x": 2}
    assert net.counted == {"g": 7}


def test_likes_are_asked_in_their_order_and_told_as_totals():
    net = gather([liked("ann", 1), liked("ann", 1, on=False), liked("bob", 1)], Gone(), ())
    assert [(liking.user, liking.on) for liking in net.likings] == [("ann", True), ("ann", False), ("bob", True)]
    assert net.batch("e.1", {1: 1}).liked == {"1": 1}


# ---- asides


def told(asides) -> list[tuple[str, ForYou | Notice]]:
    return [(aside.user, read_message(aside.message)) for aside in asides]


def test_a_reply_that_is_left_out_goes_to_whom_it_answers():
    [(user, message)] = told(gather([posted(REPLY)], Gone(), ()).asides())
    assert (user, message.comment.id, message.comment.reply_to.text) == ("ann", "3", "hello")


@pytest.mark.parametrize(
    ("events", "chosen"),
    [
        ([posted(REPLY)], {3}),
        ([posted(A)], ()),
        ([posted(comment(3, "ann", reply_to=A))], ()),
        ([posted(REPLY), removed(3)], ()),
        ([posted(REPLY), banned("bob", 3, remove=True)], ()),
        ([removed(3), posted(REPLY)], ()),
    ],
)
def test_no_aside_for_what_is_shown_or_no_reply_to_another_or_gone(events, chosen):
    asides = gather(events, Gone(), chosen).asides()
    assert [aside for aside in asides if isinstance(read_message(aside.message), ForYou)] == []


def test_a_left_out_comment_of_a_removed_user_is_named_since_its_author_shows_it():
    assert batch_of(posted(A), banned("ann", 1, remove=True), chosen=()).removed == ["1"]


@pytest.mark.parametrize(
    ("ban", "code"),
    [
        (banned("ann"), 110),
        (banned("ann", until_ms=5), 111),
        (banned("ann", 9, remove=True), 110),
    ],
)
def test_who_is_muted_is_told(ban, code):
    [(user, notice)] = told(gather([ban], Gone(), ()).asides())
    assert (user, notice.code) == ("ann", code)
    assert notice.message


def test_of_several_bans_the_last_is_told():
    [(_, notice)] = told(gather([banned("ann"), banned("ann", until_ms=5)], Gone(), ()).asides())
    assert notice.reason == "timed_out"


def test_notices_go_before_replies():
    asides: list[Aside] = list(gather([posted(REPLY), banned("cat")], Gone(), ()).asides())
    assert [aside.user for aside in asides] == ["cat", "ann"]


# ---- cutting


@given(st.lists(st.sampled_from([posted(A), posted(B), posted(REPLY), removed(1)]), max_size=30), st.integers(1, 4))
def test_runs_hold_all_in_order_and_none_shows_more_than_the_limit(events, limit):
    records = [(10 + 3 * at, event) for at, event in enumerate(events)]
    cut = list(runs(records, {1, 3}, limit))
    assert [event for run in cut for event in run.events] == events
    assert all(run.events for run in cut)
    for run in cut:
        assert sum(isinstance(event, ev.Posted) and event.comment.id in {1, 3} for event in run.events) <= limit
    uptos = [run.upto for run in cut]
    assert uptos == sorted(uptos)
    ends = [sum(len(run.events) for run in cut[: at + 1]) for at in range(len(cut))]
    assert uptos == [records[end - 1][0] for end in ends]


def test_no_run_is_cut_before_it_is_full():
    cut = runs([(at, posted(comment(at))) for at in range(1, 8)], ALL, 3)
    assert [len(run.events) for run in cut] == [3, 3, 1]


# ---- a window is its events one by one

USERS = ("ann", "bob", "cat")
KINDS = ["post", "post", "post", "remove", "restore", "pin", "unpin", "like", "react", "ban", "erase"]


class Timeline:
    """As much of a timeline as gather asks: what is gone, and who likes what."""

    def __init__(self) -> None:
        self.ids: set[int] = set()
        self.users: dict[str, int] = {}
        self.spared: dict[int, int] = {}
        self.likers: dict[int, set[str]] = {}
        self.picture = Picture()

    @property
    def gone(self) -> Gone:
        return Gone(1, frozenset(self.ids), dict(self.users), dict(self.spared))

    def put_back(self, comment: Comment) -> None:
        """Whoever answers a restoring does this, before the event is read."""
        self.ids.discard(comment.id)
        self.spared[comment.id] = max(self.users.values(), default=0)

    def extend(self, events: list[ev.Event], chosen: Collection[int], counted: dict[str, int]) -> None:
        net: Net = gather(events, self.gone, chosen, before=counted)
        counted.update(net.counted)
        batch = net.batch("e.1", self._like(net))
        self.picture.apply(batch)
        self.ids |= {int(gone) for gone in batch.removed}
        for event in events:
            if isinstance(event, ev.Erased) or (isinstance(event, ev.Banned) and event.remove):
                self.users[event.user] = event.upto
        self.ids -= {int(comment.id) for comment in batch.restored}

    def _like(self, net: Net) -> Mapping[int, int]:
        for liking in net.likings:
            likers = self.likers.setdefault(liking.comment_id, set())
            (likers.add if liking.on else likers.discard)(liking.user)
        return {liking.comment_id: len(self.likers[liking.comment_id]) for liking in net.likings}


@st.composite
def histories(draw) -> list[ev.Event]:
    """What services may log: comments in the order of their ids, and of what is removed nothing erased is restored."""
    comments: list[Comment] = []
    gone: set[int] = set()
    forgotten: set[int] = set()
    events: list[ev.Event] = []
    for number in range(1, draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(KINDS))
        if kind == "post" or not comments:
            parent = draw(st.none() | st.sampled_from(comments)) if comments else None
            comments.append(comment(number, draw(st.sampled_from(USERS)), reply_to=parent))
            events.append(posted(comments[-1]))
            continue
        of, user = draw(st.sampled_from(comments)), draw(st.sampled_from(USERS))
        match kind:
            case "remove":
                gone.add(of.id)
                events.append(removed(of.id))
            case "restore" if of.id in gone - forgotten:
                gone.discard(of.id)
                events.append(restored(of))
            case "pin":
                events.append(pinned(of))
            case "unpin":
                events.append(unpinned(of.id))
            case "like":
                events.append(liked(user, of.id, draw(st.booleans())))
            case "react":
                events.append(reacted(draw(st.integers(1, 5)), draw(st.sampled_from("gh")), x=1))
            case "ban":
                events.append(banned(user, number, remove=draw(st.booleans())))
            case "erase":
                forgotten |= {of.id for of in comments if of.user.id == user}
                events.append(erased(user, number))
    return events


def told_by(picture: Picture, back: Collection[int]) -> tuple[object, ...]:
    """What a viewer holds, but previews of what was restored: these are blank where they were blanked in between."""

    def plain(shown):
        parent = shown.reply_to
        blank = parent and int(parent.id) in back
        likes = 0 if int(shown.id) in back else shown.likes
        return replace(shown, likes=likes, reply_to=replace(parent, text="") if blank else parent)

    comments = {number: plain(shown) for number, shown in picture.comments.items()}
    pins = {number: replace(plain(shown), likes=0) for number, shown in picture.pinned.items()}
    return comments, pins, picture.reactions, picture.left_out


@given(histories(), st.sets(st.integers(1, 25)))
def test_a_window_is_its_events_one_by_one(events, chosen):
    whole, steps = Timeline(), Timeline()
    whole.extend(events, chosen, {})
    counted: dict[str, int] = {}
    for event in events:
        if isinstance(event, ev.Restored):
            steps.put_back(event.comment)
        steps.extend([event], chosen, counted)
    back = {event.comment.id for event in events if isinstance(event, ev.Restored)}
    assert told_by(whole.picture, back) == told_by(steps.picture, back)


@given(histories(), st.sets(st.integers(1, 25)))
def test_every_removal_is_named_and_nothing_removed_is_shown(events, chosen):
    net = gather(events, Gone(), chosen)
    batch = net.batch("e.1", {})
    assert {str(event.comment_id) for event in events if isinstance(event, ev.Removed)} <= set(batch.removed)
    back = {shown.id for shown in batch.restored}
    assert {shown.id for shown in (*batch.comments, *batch.pinned)} & set(batch.removed) <= back
