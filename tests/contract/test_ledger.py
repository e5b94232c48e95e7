"""What every ledger promises. A new kind joins by one line in KINDS."""

from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tools import TurnedClock, run
from uproar.core.refusal import Refusal, Refused
from uproar.ledger import Ask, Known, Limit
from uproar.ledger.memory import MemoryLedger

KINDS = {"memory": MemoryLedger}


class Ban(NamedTuple):
    """As much of a store's ban as a ledger reads."""

    until_ms: int | None


class Room:
    """A ledger, its clock, and the log and store that it asks."""

    def __init__(self, kind):
        self.kind = kind
        self.clock = TurnedClock()
        self.first = {}
        self.bans = {}
        self.asked = Counter()
        self.number = 0
        self.ledger = self.anew()

    def anew(self):
        return KINDS[self.kind](self.clock, first=self._first, load_ban=self._load_ban)

    async def _first(self, *key):
        self.asked["first"] += 1
        return self.first.get(key)

    async def _load_ban(self, stream, user):
        self.asked["ban"] += 1
        return self.bans.get((stream, user))

    def ask(self, stream="s", user="ann", **more):
        self.number += 1
        return Ask(stream, user, self.number, **{"digest": self.number, **more})

    def post(self, stream="s", user="ann", **more):
        """The answer to one post; its text is new unless a digest is given."""
        return run(self.ledger.standing(self.ask(stream, user, **more)))

    def ban(self, until_ms, stream="s", user="ann"):
        self.bans[stream, user] = Ban(until_ms)
        run(self.ledger.ban(stream, user, until_ms))

    def unban(self, stream="s", user="ann"):
        del self.bans[stream, user]
        run(self.ledger.unban(stream, user))


@pytest.fixture(params=KINDS)
def room(request):
    return Room(request.param)


def reason(answer):
    return answer and answer.refusal


# -- limits


def test_five_in_thirty_seconds_here_and_the_sixth_waits_for_the_first_to_leave(room):
    for _ in range(5):
        assert room.post() is None
        room.clock.turn(1)
    assert room.post() == Refused(Refusal.TOO_FAST, 25_000)


def test_after_exactly_that_wait_one_more_is_welcome_and_no_second(room):
    for _ in range(5):
        room.post()
        room.clock.turn(1)
    room.clock.turn(24.999)
    assert room.post() == Refused(Refusal.TOO_FAST, 1)
    room.clock.turn(0.001)
    assert room.post() is None
    assert room.post() == Refused(Refusal.TOO_FAST, 1000)


def test_each_stream_counts_for_itself_until_it_is_too_much_everywhere(room):
    for number in range(30):
        assert room.post(f"s{number // 5}") is None
    room.clock.turn(10)
    assert room.post("another") == Refused(Refusal.TOO_FAST_EVERYWHERE, 50_000)
    assert room.post("another", "bob") is None


def test_a_lower_limit_waits_until_enough_have_left(room):
    for _ in range(5):
        room.post()
        room.clock.turn(1)
    assert room.post(here=Limit(2, 30_000)) == Refused(Refusal.TOO_FAST, 28_000)
    assert room.post(here=Limit(10, 30_000)) is None


def test_a_refusal_costs_nothing(room):
    for _ in range(5):
        room.post()
    for _ in range(50):
        room.post()
    room.clock.turn(30)
    assert [room.post() for _ in range(5)] == [None] * 5


def test_a_released_post_was_never_there(room):
    for _ in range(4):
        room.post()
    ask = room.ask(key="k", digest=77)
    assert run(room.ledger.standing(ask)) is None
    run(room.ledger.release(ask))
    assert run(room.ledger.known("s", "ann", "k")) is None
    assert room.post(digest=77, key="k", duplicates="all") is None
    assert reason(room.post()) is Refusal.TOO_FAST


POSTS = st.lists(st.tuples(st.integers(0, 12_000), st.sampled_from("st")), max_size=60)


@settings(max_examples=60)
@given(POSTS)
def test_never_more_accepted_than_the_limit_in_any_window(posts):
    for kind in KINDS:
        accepted = replayed(Room(kind), posts)
        for stream in "st":
            at = [ms for ms, where in accepted if where == stream]
            assert all(last - first >= 30_000 for first, last in zip(at, at[5:], strict=False))
        at = [ms for ms, _ in accepted]
        assert all(last - first >= 60_000 for first, last in zip(at, at[12:], strict=False))


def replayed(room, posts):
    """When and where was accepted; every refusal's wait is also found to be no longer and no shorter than it must."""

    async def main():
        accepted, now = [], 0
        for pause_ms, stream in posts:
            room.clock.turn(pause_ms / 1000)
            now += pause_ms
            ask = room.ask(stream, everywhere=Limit(12, 60_000))
            answer = await room.ledger.standing(ask)
            if answer is None:
                accepted.append((now, stream))
                continue
            span, most = (30_000, 5) if answer.refusal is Refusal.TOO_FAST else (60_000, 12)
            counted = [at for at, where in accepted if span == 60_000 or where == stream]
            assert answer.retry_after_ms == counted[-most] + span - now
        return accepted

    return run(main())


@given(POSTS)
def test_after_the_wait_that_a_refusal_names_the_post_is_accepted(posts):
    for kind in KINDS:
        room = Room(kind)

        async def main(room=room):
            for pause_ms, stream in posts:
                room.clock.turn(pause_ms / 1000)
                while (answer := await room.ledger.standing(room.ask(stream))) is not None:
                    room.clock.turn(answer.retry_after_ms / 1000)

        run(main())


# -- slow mode and repeats


def test_slow_mode_waits_since_the_user_s_last_post_here(room):
    room.post(slow_ms=0)
    room.clock.turn(3)
    assert room.post(slow_ms=10_000) == Refused(Refusal.SLOW_MODE, 7_000)
    assert room.post("t", slow_ms=10_000) is None
    room.clock.turn(7)
    assert room.post(slow_ms=10_000) is None


def test_slow_mode_may_last_an_hour(room):
    room.post()
    room.clock.turn(3_599)
    assert room.post(slow_ms=3_600_000) == Refused(Refusal.SLOW_MODE, 1_000)


def said(room, digests, **more):
    """Say all of these, slowly."""
    for digest in digests:
        assert room.post(digest=digest, **more) is None
        room.clock.turn(10)


@pytest.mark.parametrize(
    ("duplicates", "stream", "user", "expected"),
    [
        ("own", "s", "ann", Refusal.REPEATED),
        ("own", "s", "bob", None),
        ("own", "t", "ann", None),
        ("all", "s", "ann", Refusal.REPEATED),
        ("all", "s", "bob", Refusal.REPEATED),
        ("all", "t", "bob", None),
        ("off", "s", "ann", None),
    ],
)
def test_a_repeat_is_refused_as_the_stream_has_it(room, duplicates, stream, user, expected):
    said(room, [7])
    assert reason(room.post(stream, user, digest=7, duplicates=duplicates)) is expected


def test_the_last_ten_own_texts_count(room):
    said(room, range(100, 111))
    assert reason(room.post(digest=101)) is Refusal.REPEATED
    assert room.post(digest=100) is None


def test_the_last_hundred_texts_of_the_stream_count(room):
    for number in range(101):
        assert room.post(user=f"u{number}", digest=1000 + number) is None
    assert reason(room.post(digest=1001, duplicates="all")) is Refusal.REPEATED
    assert room.post(digest=1000, duplicates="all") is None


def test_a_refused_text_is_not_remembered(room):
    for _ in range(5):
        room.post()
    assert reason(room.post(digest=7)) is Refusal.TOO_FAST
    room.clock.turn(30)
    assert room.post(digest=7) is None


# -- keys


def test_a_known_key_answers_first_and_counts_nowhere(room):
    ask = room.ask(key="k", digest=7)
    assert run(room.ledger.standing(ask)) is None
    for _ in range(20):
        assert room.post(key="k", digest=8) == Known(ask.id, 7)
    assert [room.post() for _ in range(4)] == [None] * 4
    room.ban(None)
    assert room.post(key="k") == run(room.ledger.known("s", "ann", "k")) == Known(ask.id, 7)


@pytest.mark.parametrize(("stream", "user", "key"), [("t", "ann", "k"), ("s", "bob", "k"), ("s", "ann", "l")])
def test_a_key_is_of_one_stream_and_user(room, stream, user, key):
    room.post(key="k")
    assert room.post(stream, user, key=key) is None


def test_without_a_key_nothing_is_known(room):
    room.post()
    assert room.post() is None
    assert run(room.ledger.known("s", "ann", "")) is None


def test_a_refused_key_is_judged_anew(room):
    for _ in range(5):
        room.post()
    assert reason(room.post(key="k")) is Refusal.TOO_FAST
    room.clock.turn(30)
    assert room.post(key="k") is None


def test_a_key_is_known_for_ten_minutes(room):
    room.post(key="k")
    room.clock.turn(599.999)
    assert isinstance(room.post(key="k"), Known)
    room.clock.turn(0.001)
    assert room.post(key="k") is None


# -- bans, age, order


def test_a_ban_for_good_and_its_end(room):
    room.ban(None)
    room.clock.turn(1_000_000)
    assert room.post() == Refused(Refusal.BANNED)
    assert room.post("t") is None
    room.unban()
    assert room.post() is None


def test_a_time_out_tells_when_it_ends(room):
    room.ban(room.clock.now_ms() + 5_000)
    room.clock.turn(4)
    assert room.post() == Refused(Refusal.TIMED_OUT, 1_000)
    room.clock.turn(1)
    assert room.post() is None


def test_a_later_ban_replaces_an_earlier_one(room):
    room.ban(None)
    room.ban(room.clock.now_ms() + 5_000)
    assert reason(room.post()) is Refusal.TIMED_OUT


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [
        (None, None),
        (86_400, None),
        (86_399, Refused(Refusal.TOO_NEW, 1_000)),
        (-5, Refused(Refusal.TOO_NEW, 86_405_000)),
    ],
)
def test_an_account_must_be_old_enough_where_its_age_is_known(room, age_s, expected):
    assert room.post(account_age_s=age_s, min_account_age_s=86_400) == expected


def test_the_first_refusal_in_the_order_wins(room):
    for number in range(30):
        room.post(digest=number, here=Limit(100, 30_000))
    worst = {"digest": 29, "account_age_s": 1, "min_account_age_s": 9, "slow_ms": 90_000}
    room.ban(None)
    assert reason(room.post(**worst)) is Refusal.BANNED
    room.unban()
    assert reason(room.post(**worst)) is Refusal.TOO_NEW
    del worst["account_age_s"]
    assert reason(room.post(**worst)) is Refusal.TOO_FAST
    assert reason(room.post(**worst, here=Limit(100, 30_000))) is Refusal.TOO_FAST_EVERYWHERE
    room.clock.turn(60)
    assert reason(room.post(**worst)) is Refusal.SLOW_MODE
    room.clock.turn(30)
    assert reason(room.post(**worst)) is Refusal.REPEATED


def test_an_importer_skips_all_but_bans_and_keys(room):
    strict = {"digest": 7, "account_age_s": 1, "min_account_age_s": 9, "slow_ms": 90_000, "unlimited": True}
    assert [room.post(**strict) for _ in range(50)] == [None] * 50
    assert room.post(**strict, key="k") is None
    assert isinstance(room.post(**strict, key="k"), Known)
    assert [room.post() for _ in range(5)] == [None] * 5
    room.ban(None)
    assert reason(room.post(**strict)) is Refusal.BANNED


def test_an_erasure_drops_the_user_s_texts_and_tells_where_they_were(room):
    said(room, [7])
    said(room, [8], user="bob")
    said(room, [7], stream="t")
    assert run(room.ledger.forget("ann")) == ["s", "t"]
    assert room.post(digest=7) is None
    assert room.post(user="cid", digest=7, stream="t", duplicates="all") is None
    assert reason(room.post(digest=8, duplicates="all")) is Refusal.REPEATED


def test_an_erasure_that_is_repeated_tells_the_same_and_gives_no_posts_back(room):
    for _ in range(5):
        room.post()
    assert run(room.ledger.forget("ann")) == run(room.ledger.forget("ann")) == ["s"]
    assert reason(room.post()) is Refusal.TOO_FAST


# -- floors


def test_a_floor_is_at_least_the_highest_id_that_was_accepted(room):
    room.post()
    room.post(unlimited=True)
    room.post(user="bob")
    assert run(room.ledger.lift("ann", 1)) == 2
    assert run(room.ledger.lift("ann", 7)) == 7
    assert run(room.ledger.lift("ann", 1)) == 7


def test_until_it_is_settled_or_for_ten_seconds_a_lifted_user_is_refused(room):
    floor = run(room.ledger.lift("ann", 0))
    run(room.ledger.settle("ann", floor + 1))
    assert room.post() == Refused(Refusal.UNAVAILABLE, 10_000)
    assert room.post(user="bob") is None
    run(room.ledger.settle("ann", floor))
    assert room.post() is None
    run(room.ledger.lift("ann", 0))
    room.clock.turn(10)
    assert room.post() is None


def test_ids_up_to_the_floor_are_refused_until_the_clock_is_there_and_known_keys_are_not(room):
    second = 1000 << 22
    assert room.post(key="k") is None
    room.number = 2 * second
    run(room.ledger.settle("ann", run(room.ledger.lift("ann", 5 * second))))
    assert room.post() == Refused(Refusal.UNAVAILABLE, 3001)
    assert reason(room.post(unlimited=True)) is Refusal.UNAVAILABLE
    assert isinstance(room.post(key="k"), Known)
    assert room.post(user="bob") is None
    room.number = 5 * second
    assert room.post() is None


def test_a_floor_is_forgotten_after_an_hour(room):
    run(room.ledger.lift("ann", 9))
    room.clock.turn(3599)
    assert reason(room.post()) is Refusal.UNAVAILABLE
    room.clock.turn(1)
    assert room.post() is None


# -- what others keep


def test_a_ban_that_only_the_store_knows_holds(room):
    room.bans["s", "ann"] = Ban(None)
    assert reason(room.post()) is Refusal.BANNED
    room.bans["s", "bob"] = Ban(room.clock.now_ms() - 1)
    assert room.post(user="bob") is None


def test_the_store_is_not_asked_for_every_post(room):
    for _ in range(5):
        room.post()
    assert room.asked["ban"] == 1


def test_keys_from_before_a_restart_are_asked_from_the_log_for_ten_minutes(room):
    room.first["s", "ann", "old"] = (5, 77)
    assert room.post(key="old") == run(room.ledger.known("s", "ann", "old")) == Known(5, 77)
    room.clock.turn(600)
    asked = room.asked["first"]
    assert room.post(key="old") is None
    assert room.asked["first"] == asked
