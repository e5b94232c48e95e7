"""What of the log reaches the store."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools import run
from uproar.core import events as ev
from uproar.core.comment import Comment, User
from uproar.core.errors import Unavailable
from uproar.core.ids import first_id_at
from uproar.core.stream import Stream
from uproar.log import Record
from uproar.persist.worker import Persist, waves
from uproar.store import Ban
from uproar.store.memory import MemoryStore


def said(number, user="ann"):
    return Comment(number, "s", User(user, user), f"text {number}")


def records(events):
    return [Record(offset, event) for offset, event in enumerate(events, 1)]


async def picture(store):
    """All that the store tells of the stream."""
    found = [await store.comment("s", number) for number in range(10)]
    bans = [await store.banned("s", user) for user in ("ann", "bob")]
    reports = [await store.reports("s", number) for number in range(10)]
    return found, bans, reports, await store.reactions("s"), await store.pinned("s"), await store.stream("s")


def kept(*batches):
    """What the store tells after these batches of records."""

    async def main():
        store = MemoryStore()
        worker = Persist(store)
        for batch in batches:
            await worker.apply("", batch)
        return await picture(store)

    return run(main())


def told(*batches):
    """What the store tells after these batches of events, that follow one another in the log."""
    whole = iter(records([event for batch in batches for event in batch]))
    return kept(*([next(whole) for _ in batch] for batch in batches))


def test_every_event_reaches_the_store():
    stream = Stream("s", "Title", "ann")
    comments, bans, reports, reactions, pins, known = told(
        [
            ev.Changed("s", stream),
            *(ev.Posted("s", said(number)) for number in range(1, 5)),
            ev.Posted("s", said(5, "bob")),
            ev.Removed("s", 1, "mod"),
            ev.Removed("s", 2, "mod"),
            ev.Restored("s", said(2), "mod"),
            ev.Liked("s", "bob", 3),
            ev.Reported("s", "bob", 3, "rude", 1_790_000_000_000),
            ev.Reacted("s", "g", 1, {"❤": 2}, 1_790_000_000_000),
            ev.Pinned("s", said(3), "mod"),
            ev.Pinned("s", said(4), "mod"),
            ev.Unpinned("s", 3, "mod"),
            ev.Banned("s", "bob", 9, "mod", None, "spam", remove=True),
            ev.Banned("s", "ann", 9, "mod", 7),
            ev.Unbanned("s", "ann", "mod"),
        ]
    )
    assert [one and one.removed_by for one in comments[:6]] == [None, "mod", "", "", "", "mod"]
    assert comments[3].likes == 1
    assert bans == [None, Ban("bob", None, "spam")]
    assert reports[3] == [("bob", "rude")]
    assert (reactions, pins, known) == ({"❤": 2}, [4], stream)


def test_an_erased_user_s_comments_are_dropped_before_and_after():
    comments, *_ = told(
        [ev.Posted("s", said(1)), ev.Erased("s", "ann", 5), ev.Posted("s", said(2)), ev.Posted("s", said(6))],
        [ev.Posted("s", said(3)), ev.Restored("s", said(1), "mod")],
    )
    assert [one.comment.id for one in comments if one] == [6]


def test_a_count_that_a_gateway_sends_again_is_added_once():
    first, second = (
        ev.Reacted("s", "g", 1, {"❤": 2}, 1_790_000_000_000),
        ev.Reacted("s", "g", 2, {"❤": 5}, 1_790_000_000_000),
    )
    *_, reactions, _, _ = told([first, second, first], [second, ev.Reacted("s", "h", 1, {"❤": 1}, 1_790_000_000_000)])
    assert reactions == {"❤": 8}


NUMBERS = st.integers(1, 4)
PEOPLE = st.sampled_from(["ann", "bob"])
EVENTS = st.one_of(
    st.builds(lambda number: ev.Posted("s", said(number, "ann" if number % 2 else "bob")), NUMBERS),
    st.builds(lambda number, by: ev.Removed("s", number, by), NUMBERS, PEOPLE),
    st.builds(lambda number: ev.Restored("s", said(number, "ann" if number % 2 else "bob"), "mod"), NUMBERS),
    st.builds(lambda number, user, on: ev.Liked("s", user, number, on), NUMBERS, PEOPLE, st.booleans()),
    st.builds(lambda number: ev.Pinned("s", said(number), "mod"), NUMBERS),
    st.builds(lambda number: ev.Unpinned("s", number, "mod"), NUMBERS),
    st.builds(lambda user, number: ev.Reported("s", user, number, "", 0), PEOPLE, NUMBERS),
    st.builds(
        lambda gateway, number: ev.Reacted("s", gateway, number, {"❤": number}, 1_790_000_000_000), PEOPLE, NUMBERS
    ),
    st.builds(lambda user, upto, gone: ev.Banned("s", user, upto, "mod", remove=gone), PEOPLE, NUMBERS, st.booleans()),
    st.builds(lambda user: ev.Unbanned("s", user, "mod"), PEOPLE),
    st.builds(lambda user, upto: ev.Erased("s", user, first_id_at(0) + upto), PEOPLE, NUMBERS),
    st.builds(lambda title: ev.Changed("s", Stream("s", title)), st.sampled_from("ab")),
)


def hands_aside(seen):
    """Of two who removed the same comment before it came either may be named."""
    comments, *rest = seen
    return [one and one._replace(removed_by=bool(one.removed_by)) for one in comments], rest


@given(st.lists(EVENTS, max_size=20))
def test_one_batch_gives_what_the_events_one_by_one_give(events):
    assert hands_aside(kept(records(events))) == hands_aside(kept(*([record] for record in records(events))))


@given(st.lists(EVENTS, max_size=20), st.integers(0, 20))
def test_a_repeat_from_any_point_changes_nothing(events, point):
    assert hands_aside(kept(records(events), records(events)[point:])) == hands_aside(kept(records(events)))


def test_a_wave_ends_where_an_event_concerns_what_an_earlier_one_does():
    like, posted, other, unlike, erased = records(
        [
            ev.Liked("s", "a", 1),
            ev.Posted("s", said(1)),
            ev.Liked("s", "b", 1),
            ev.Liked("s", "a", 1, False),
            ev.Erased("s", "a", 1),
        ]
    )
    assert list(waves([like, posted, other, unlike, erased, like])) == [
        [like, other],
        [unlike],
        [erased],
        [like],
    ]


def test_a_store_that_is_down_is_told_once_all_have_ended():
    class Down(MemoryStore):
        async def like(self, stream, comment_id, user, on):
            if user == "ann":
                raise Unavailable("down")
            await super().like(stream, comment_id, user, on)

    async def main():
        store = Down()
        worker = Persist(store)
        with pytest.raises(Unavailable):
            await worker.apply("", records([ev.Liked("s", "ann", 1), ev.Liked("s", "bob", 1)]))
        return await store.likes("s", [1])

    assert run(main()) == {1: frozenset({"bob"})}
