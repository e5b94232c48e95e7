"""What every store promises. A new store joins by one line in STORES."""

from collections.abc import Awaitable, Callable

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tools import run
from uproar.core.comment import Comment, Parent, User
from uproar.core.errors import Unavailable
from uproar.core.ids import WRITERS, at_ms, first_id_at
from uproar.core.stream import Rules, Stream
from uproar.sqlite import Database
from uproar.store import PAGE_LIMIT, Ban, Deed, Store
from uproar.store.memory import MemoryStore
from uproar.store.sqlite import SqliteStore

STORES = {
    "memory": lambda path: MemoryStore(),
    "sqlite": lambda path: SqliteStore(Database(path / "uproar.db")),
}
NOW_MS = 1_700_000_000_000

Check = Callable[[Store], Awaitable[None]]


@pytest.fixture(params=STORES)
def check(request, tmp_path):
    """Runs an `async` check on a fresh store, and closes it."""

    def checked(promise: Check) -> None:
        async def main():
            store = STORES[request.param](tmp_path)
            try:
                await promise(store)
            finally:
                await store.close()

        run(main())

    return checked


def said(number, text="hello", user="ann", stream="s", to=None):
    return Comment(number, stream, User(user, user.title(), ("creator",), True), text, to)


def reply(number, parent, user="bob", stream="s"):
    return said(number, "indeed", user, stream, Parent(parent.id, parent.user.id, parent.text))


def ids(kept):
    return [one.comment.id for one in kept]


async def standing(store, stream="s"):
    return ids(await store.page(stream, before=None, after=None, limit=100))


# -- comments


def test_a_comment_comes_back_as_it_was_saved(check):
    async def promise(store):
        parent, answer = said(1, "naïve 🔥\n"), reply(2, said(1, "naïve 🔥\n"))
        await store.save([parent, answer])
        assert (await store.comment("s", 1)).comment == parent
        assert (await store.comment("s", 2)).comment == answer
        assert await store.comment("s", 3) is None
        assert await store.comment("other", 1) is None

    check(promise)


def test_saving_again_changes_nothing(check):
    async def promise(store):
        await store.save([said(1)])
        await store.save([said(1, "another text"), said(2)])
        assert (await store.comment("s", 1)).comment.text == "hello"
        assert await store.count("s") == 2

    check(promise)


def test_more_than_a_chunk_is_saved_and_a_page_is_bounded(check):
    async def promise(store):
        await store.save([said(number) for number in range(1, PAGE_LIMIT + 200)])
        assert await store.count("s") == PAGE_LIMIT + 199
        assert len(await store.page("s", before=None, after=None, limit=10**9)) == PAGE_LIMIT
        assert len(await store.span("s", 0, 10**6, 10**9)) == PAGE_LIMIT
        assert await store.page("s", before=None, after=None, limit=-1) == []

    check(promise)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, [9, 8, 7]),
        ({"before": 9}, [8, 7, 6]),
        ({"before": 3}, [2, 1]),
        ({"before": 1}, []),
        ({"after": 0}, [3, 2, 1]),
        ({"after": 4}, [7, 6, 5]),
        ({"after": 8}, [9]),
        ({"after": 9}, []),
    ],
)
def test_a_page_holds_the_nearest_newest_first(check, bounds, expected):
    async def promise(store):
        await store.save([said(number) for number in (5, 1, 9, 2, 8, 3, 7, 4, 6)])
        await store.save([said(10, stream="other")])
        await store.save([said(11, user="bob")])
        await store.remove("s", [11], "mod")
        asked = {"before": None, "after": None, **bounds}
        assert ids(await store.page("s", limit=3, **asked)) == expected

    check(promise)


def test_a_user_s_comments_come_from_everywhere_removed_ones_included(check):
    async def promise(store):
        await store.save([said(1), said(2, stream="t"), said(3, user="bob"), said(4)])
        await store.remove("t", [2], "mod")
        found = await store.by_user("ann", before=None, after=None, limit=10)
        assert [(one.comment.id, one.comment.stream, one.removed_by) for one in found] == [
            (4, "s", ""),
            (2, "t", "mod"),
            (1, "s", ""),
        ]
        assert ids(await store.by_user("ann", before=4, after=None, limit=1)) == [2]
        assert ids(await store.by_user("ann", before=None, after=1, limit=1)) == [2]

    check(promise)


def test_replies_come_oldest_first(check):
    async def promise(store):
        parent = said(1)
        await store.save([parent, reply(4, parent), reply(2, parent), reply(3, parent), reply(5, said(2))])
        await store.remove("s", [3], "mod")
        assert ids(await store.replies("s", 1, after=None, limit=10)) == [2, 4]
        assert ids(await store.replies("s", 1, after=2, limit=10)) == [4]
        assert ids(await store.replies("s", 1, after=None, limit=1)) == [2]

    check(promise)


def test_a_span_is_what_stands_between_two_ids_oldest_first(check):
    async def promise(store):
        await store.save([said(number) for number in range(1, 8)])
        await store.remove("s", [4], "mod")
        assert ids(await store.span("s", 2, 7, 10)) == [2, 3, 5, 6]
        assert ids(await store.span("s", 2, 7, 2)) == [2, 3]

    check(promise)


# -- removals


@pytest.mark.parametrize("saved_first", [True, False])
def test_a_removed_comment_is_on_no_page_whenever_it_is_saved(check, saved_first):
    async def promise(store):
        if saved_first:
            await store.save([said(1), said(2)])
        await store.remove("s", [1], "mod")
        await store.save([said(1), said(2)])
        assert await standing(store) == [2]
        assert await store.count("s") == 1
        assert (await store.comment("s", 1)).removed_by == "mod"

    check(promise)


@pytest.mark.parametrize("saved_first", [True, False])
def test_a_user_s_comments_up_to_an_id_are_removed_whenever_they_are_saved(check, saved_first):
    async def promise(store):
        comments = [said(1, stream="t"), said(2), said(3, user="bob"), said(4), said(5)]
        if saved_first:
            await store.save(comments)
        await store.remove_user("s", "ann", 4, "mod")
        await store.remove_user("s", "ann", 2, "mod")  # a repeat of an earlier one takes nothing back
        await store.save(comments)
        assert await standing(store) == [5, 3]
        assert await standing(store, "t") == [1]

    check(promise)


@pytest.mark.parametrize("saved_first", [True, False])
def test_restore_undoes_a_removal(check, saved_first):
    async def promise(store):
        if saved_first:
            await store.save([said(1)])
        await store.remove("s", [1], "mod")
        await store.restore("s", 1)
        await store.restore("s", 1)
        await store.save([said(1)])
        assert await standing(store) == [1]
        assert await store.count("s") == 1

    check(promise)


def test_a_comment_restored_after_its_author_s_removal_stands_and_later_saves_leave_it_so(check):
    async def promise(store):
        await store.save([said(1), said(2)])
        await store.remove_user("s", "ann", 2, "mod")
        await store.restore("s", 1)
        await store.save([said(1)])
        assert await standing(store) == [1]

    check(promise)


@pytest.mark.parametrize("removal", ["remove", "remove_user"])
@pytest.mark.parametrize("parent_saved", [True, False])
def test_previews_of_a_removed_parent_have_no_text_until_it_is_restored(check, removal, parent_saved):
    async def promise(store):
        parent = said(1, "the parent's words")
        await store.save([parent, reply(2, parent)] if parent_saved else [reply(2, parent)])
        if removal == "remove":
            await store.remove("s", [1], "mod")
        else:
            await store.remove_user("s", "ann", 1, "mod")
        preview = Parent(1, "ann", "")
        assert (await store.comment("s", 2)).comment.reply_to == preview
        assert (await store.page("s", before=None, after=None, limit=1))[0].comment.reply_to == preview
        assert (await store.by_user("bob", before=None, after=None, limit=1))[0].comment.reply_to == preview
        await store.save([parent])
        await store.restore("s", 1)
        assert (await store.comment("s", 2)).comment.reply_to.text == "the parent's words"

    check(promise)


# -- erasure


def test_an_erased_user_s_comments_and_previews_of_them_are_forgotten(check):
    async def promise(store):
        parent = said(1, "canary")
        await store.save([parent, reply(2, parent), said(3, "canary"), said(4, stream="t"), said(5, "kept")])
        await store.like("s", 5, "ann", True)
        await store.like("s", 5, "bob", True)
        await store.erase("ann", 4)
        assert sorted(await store.wrote_in("ann")) == ["s", "t"]
        assert (await store.erased_upto("ann"), await store.erased_upto("bob")) == (4, 0)
        assert (await store.comment("s", 5)).likes == 1
        assert await standing(store) == [5, 2]
        assert await standing(store, "t") == []
        assert await store.count("s") == 2
        assert (await store.comment("s", 2)).comment.reply_to == Parent(1, "ann", "")
        assert ids(await store.by_user("ann", before=None, after=None, limit=9)) == [5]

    check(promise)


def test_what_is_saved_after_an_erasure_is_dropped_up_to_its_id(check):
    async def promise(store):
        parent = said(1, "canary")
        await store.erase("ann", 3)
        await store.erase("ann", 2)
        await store.save([parent, said(3), said(4), reply(5, parent), reply(6, said(4))])
        assert await standing(store) == [6, 5, 4]
        assert (await store.comment("s", 5)).comment.reply_to.text == ""
        assert (await store.comment("s", 6)).comment.reply_to.text == "hello"

    check(promise)


def test_an_erased_user_s_reasons_are_forgotten_too(check):
    async def promise(store):
        upto = first_id_at(NOW_MS)
        await store.report("s", 1, "ann", "canary", NOW_MS)
        await store.note("s", Deed(NOW_MS, "ann", "remove", "1", "canary"))
        await store.erase("ann", upto)
        await store.report("s", 1, "ann", "canary", NOW_MS)
        await store.note("s", Deed(NOW_MS - 1, "ann", "remove", "2", "canary"))
        await store.report("s", 1, "ann", "later", at_ms(upto) + 1)
        assert await store.reports("s", 1) == [("ann", "later")]
        assert [deed.why for deed in await store.audit("s", 9)] == ["", ""]

    check(promise)


def test_no_byte_of_an_erased_text_stays_in_the_files(tmp_path):
    async def main():
        database = Database(tmp_path / "uproar.db")
        store = SqliteStore(database)
        parent = said(1, "CANARY-1")
        await store.save([parent, *(said(number, f"CANARY-{number}") for number in range(2, 1200))])
        await store.save([reply(number, parent) for number in range(1200, 1300)])
        await store.save([said(number, "bystander", "cleo") for number in range(1300, 1400)])
        await store.erase("ann", 2000)
        await database.close()

    run(main())
    _checkpoint(tmp_path / "uproar.db")
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"bystander" in held
    assert b"CANARY" not in held


def _checkpoint(path):
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


# -- likes and reactions


def test_a_like_counts_once_a_user_whenever_the_comment_is_saved(check):
    async def promise(store):
        for user in ("bob", "cleo", "bob"):
            await store.like("s", 1, user, True)
        await store.like("s", 1, "dan", False)
        await store.save([said(1)])
        await store.like("s", 1, "eve", True)
        await store.like("s", 1, "cleo", False)
        await store.like("s", 1, "cleo", False)
        await store.like("s", 2, "bob", True)
        await store.save([said(1)])
        assert (await store.comment("s", 1)).likes == 2
        assert await store.likes("s", [1, 3]) == {1: frozenset({"bob", "eve"}), 3: frozenset()}

    check(promise)


def test_a_gateway_s_count_is_added_once(check):
    async def promise(store):
        await store.react("s", "g1", 1, NOW_MS + 300, {"❤": 3, "🔥": 1})
        await store.react("s", "g1", 1, NOW_MS + 900, {"❤": 3, "🔥": 1})
        await store.react("s", "g2", 1, NOW_MS + 999, {"❤": 2})
        await store.react("s", "g1", 3, NOW_MS + 1000, {"❤": 1})
        await store.react("s", "g1", 2, NOW_MS + 1000, {"❤": 1})
        await store.react("t", "g1", 1, NOW_MS, {"❤": 7})
        assert await store.reactions("s") == {"❤": 6, "🔥": 1}
        assert await store.reactions_by_second("s", NOW_MS, NOW_MS + 1000) == {NOW_MS: {"❤": 5, "🔥": 1}}
        assert await store.reactions_by_second("s", NOW_MS + 1, NOW_MS + 2000) == {NOW_MS + 1000: {"❤": 1}}
        assert await store.reactions("nowhere") == {}

    check(promise)


# -- pins, streams, people


def test_pins_stand_in_the_order_of_their_last_pinning_with_their_end(check):
    async def promise(store):
        for number, until_ms in ((3, None), (1, NOW_MS), (2, NOW_MS + 1)):
            await store.pin("s", number, until_ms)
        await store.pin("s", 3, NOW_MS)
        assert await store.pinned("s") == [1, 2, 3]
        assert sorted(await store.pins_over(NOW_MS)) == [("s", 1), ("s", 3)]
        await store.unpin("s", 3)
        await store.unpin("s", 3)
        assert await store.pinned("s") == [1, 2]
        assert await store.pins_over(NOW_MS - 1) == []

    check(promise)


def test_a_stream_comes_back_as_it_was_last_put(check):
    async def promise(store):
        changed = Stream("s", "Títle", "ann", NOW_MS, "ended", Rules(words=("darn",), reactions=("❤",), show="all"))
        await store.put_stream(Stream("s"))
        await store.put_stream(changed)
        assert await store.stream("s") == changed
        assert await store.stream("t") is None

    check(promise)


def test_of_bans_and_their_lifting_the_later_in_the_log_stands_in_whatever_order_they_come(check):
    async def promise(store):
        await store.ban("s", Ban("ann", None, "spam"), 3)
        await store.ban("s", Ban("ann", NOW_MS, "sorry"), 5)
        await store.ban("s", Ban("ann", None, "a repeat"), 3)
        await store.unban("s", "ann", 4)
        assert await store.banned("s", "ann") == Ban("ann", NOW_MS, "sorry")
        assert await store.banned("t", "ann") is None
        await store.unban("s", "ann", 7)
        await store.ban("s", Ban("ann", NOW_MS, "sorry"), 5)
        assert await store.banned("s", "ann") is None

    check(promise)


def test_a_reputation_is_kept(check):
    async def promise(store):
        assert await store.reputation("ann") is None
        await store.set_reputation("ann", 0.7)
        await store.set_reputation("ann", 0.25)
        assert await store.reputation("ann") == 0.25

    check(promise)


def test_a_report_counts_once_a_user_and_comment(check):
    async def promise(store):
        for user, why in (("bob", "rude"), ("ann", ""), ("bob", "again")):
            await store.report("s", 1, user, why, NOW_MS)
        assert await store.reports("s", 1) == [("bob", "rude"), ("ann", "")]
        assert await store.reports("s", 2) == []

    check(promise)


def test_the_audit_is_newest_first_each_line_once(check):
    async def promise(store):
        lines = [Deed(NOW_MS + at, "mod", deed, "1", "why") for at, deed in ((1, "remove"), (3, "ban"), (3, "pin"))]
        for deed in (*lines, *lines, Deed(NOW_MS + 2, "mod", "restore", "1", "")):
            await store.note("s", deed)
        assert [deed.deed for deed in await store.audit("s", 10)] == ["pin", "ban", "restore", "remove"]
        assert [deed.deed for deed in await store.audit("s", 1)] == ["pin"]
        assert await store.audit("t", 10) == []

    check(promise)


# -- writers


def test_a_holder_keeps_its_writer_number_and_others_get_others(check):
    async def promise(store):
        first = await store.lease("a", NOW_MS, 1000)
        other = await store.lease("b", NOW_MS, 1000)
        longer = await store.lease("a", NOW_MS + 500, 1000)
        assert first.writer != other.writer
        assert longer == (first.writer, first.from_ms, NOW_MS + 1500)
        assert await store.lease("a", NOW_MS - 500, 1000) == longer  # a lease never gets shorter

    check(promise)


def test_a_number_s_next_lease_starts_where_the_last_ended(check):
    async def promise(store):
        ended = {}
        for turn in range(3):
            for holder in ("a", "b"):
                lease = await store.lease(f"{holder}{turn}", NOW_MS + turn * 1000, 1000)
                assert lease.from_ms >= ended.get(lease.writer, 0)
                ended[lease.writer] = lease.until_ms
        assert len(ended) == 2

    check(promise)


def test_a_new_lease_starts_above_all_that_was_erased_or_removed_by_user(check):
    async def promise(store):
        await store.erase("ann", first_id_at(NOW_MS + 5_000))
        assert (await store.lease("a", NOW_MS, 1000))[1:] == (NOW_MS + 5_001, NOW_MS + 6_001)
        await store.remove_user("s", "bob", first_id_at(NOW_MS + 7_000), "mod")
        assert (await store.lease("b", NOW_MS, 1000)).from_ms == NOW_MS + 7_001

    check(promise)


def test_no_lease_is_given_once_all_numbers_are_out(check):
    async def promise(store):
        leases = [await store.lease(f"h{number}", NOW_MS, 1000) for number in range(WRITERS)]
        assert sorted(lease.writer for lease in leases) == list(range(WRITERS))
        with pytest.raises(Unavailable):
            await store.lease("late", NOW_MS + 999, 1000)
        assert (await store.lease("late", NOW_MS + 1000, 1000)).from_ms == NOW_MS + 1000

    check(promise)


# -- all kinds against a plain model, whatever happens in whatever order

_IDS = st.integers(1, 12)
_USERS = st.sampled_from(["ann", "bob"])
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), _IDS),
        st.tuples(st.just("remove"), _IDS),
        st.tuples(st.just("remove_user"), _USERS, _IDS),
        st.tuples(st.just("erase"), _USERS, _IDS),
        st.tuples(st.just("like"), _IDS, _USERS, st.booleans()),
    ),
    max_size=25,
)


def author(number):
    return "ann" if number % 2 else "bob"


def expected(steps):
    """What stands and its likes: nothing that is asked depends on the order, but for likes and erasures."""
    saved, removed, likes = set(), set(), set()
    erased = dict.fromkeys(("ann", "bob"), 0)
    removed_upto = dict.fromkeys(("ann", "bob"), 0)
    for what, *about in steps:
        if what == "save" and about[0] > erased[author(about[0])]:
            saved.add(about[0])
        elif what == "remove":
            removed.add(about[0])
        elif what == "remove_user":
            removed_upto[about[0]] = max(removed_upto[about[0]], about[1])
        elif what == "erase":
            erased[about[0]] = max(erased[about[0]], about[1])
            saved = {number for number in saved if number > erased[author(number)]}
            likes = {(number, user) for number, user in likes if user != about[0]}
        elif what == "like":
            (likes.add if about[2] else likes.discard)((about[0], about[1]))
    stands = sorted(n for n in saved - removed if n > removed_upto[author(n)])
    return [(number, sum(liked == number for liked, _ in likes)) for number in stands]


async def act(store, what, *about):
    if what == "save":
        await store.save([said(about[0], user=author(about[0]))])
    elif what == "remove":
        await store.remove("s", about, "mod")
    elif what == "remove_user":
        await store.remove_user("s", *about, "mod")
    elif what == "erase":
        await store.erase(*about)
    else:
        await store.like("s", *about)


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS, repeats=st.integers(1, 2))
def test_what_stands_follows_from_what_was_done(kind, tmp_path_factory, steps, repeats):
    async def main():
        store = STORES[kind](tmp_path_factory.mktemp("store"))
        for step in steps * repeats:
            await act(store, *step)
        found = await store.span("s", 0, 100, 100)
        count = await store.count("s")
        await store.close()
        return [(one.comment.id, one.likes) for one in found], count

    found, count = run(main())
    assert found == expected(steps * repeats)
    assert count == len(found)


@pytest.mark.parametrize("kind", STORES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    start=st.sets(st.integers(1, 40), max_size=25),
    changes=st.lists(st.tuples(st.sampled_from(["save", "remove"]), st.integers(1, 40)), max_size=15),
    limit=st.integers(1, 4),
    down=st.booleans(),
)
def test_a_walk_skips_nothing_that_stayed_and_repeats_nothing(kind, tmp_path_factory, start, changes, limit, down):
    async def main():
        store = STORES[kind](tmp_path_factory.mktemp("store"))
        await store.save([said(number) for number in start])
        walked, todo, edge = [], list(changes), 100 if down else 0
        while True:
            asked = {"before": edge, "after": None} if down else {"before": None, "after": edge}
            page = ids(await store.page("s", limit=limit, **asked))
            if not page:
                break
            walked += page if down else page[::-1]
            edge = walked[-1]
            for what, number in todo[:2]:
                await act(store, what, number)
            del todo[:2]
        await store.close()
        return walked

    walked = run(main())
    removed = {number for what, number in changes if what == "remove"}
    assert walked == sorted(set(walked), reverse=down)
    assert start - removed <= set(walked)
