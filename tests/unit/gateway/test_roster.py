"""Who sits where: the fewest first, and every seat freed once."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from uproar.gateway.roster import Roster, Seat


def test_the_line_with_the_fewest_takes_the_next_one():
    roster = Roster(100)
    assert roster.fewest(0.0) is None
    for line in "abc":
        roster.open(line)
    taken = Counter()
    for _ in range(30):
        line = roster.fewest(0.0)
        roster.take(line, Seat("1.2.3.4", "s"))
        taken[line] += 1
    assert taken == {"a": 10, "b": 10, "c": 10}


def test_a_crowd_goes_to_all_lines_and_a_little_more_of_it_to_the_emptiest():
    roster = Roster(100_000)
    for line in "ab":
        roster.open(line)
        for _ in range(10_000):
            roster.take(line, Seat("1.2.3.4", "s"))
    roster.open("c")
    came = Counter()
    for at in range(9_000):
        line = roster.fewest(100 + at / 3_000)
        roster.take(line, Seat("1.2.3.4", "s"))
        came[line] += 1
    assert 2_700 < came["a"] <= came["b"] + 1 < came["c"] < 3_600


def test_lines_are_even_again_when_few_come():
    roster = Roster(1_000)
    roster.open("a")
    for _ in range(100):
        roster.take("a", Seat("1.2.3.4", "s"))
    roster.open("b")
    for second in range(1, 101):
        assert roster.fewest(second) == "b"
        roster.take("b", Seat("1.2.3.4", "s"))


def test_a_full_line_takes_none_until_somebody_leaves():
    roster = Roster(2)
    for line in "ab":
        roster.open(line)
    tickets = []
    for _ in range(4):
        line = roster.fewest(0.0)
        tickets.append((line, roster.take(line, Seat("1.2.3.4", "s"))))
    assert roster.fewest(0.0) is None
    roster.leave(*tickets[0])
    assert roster.fewest(0.0) == tickets[0][0]


def test_a_line_is_empty_when_its_last_viewer_left():
    roster = Roster(2)
    roster.open("a")
    ticket = roster.take("a", Seat("1.2.3.4", "s"))
    roster.shut("a")
    assert not roster.is_empty("a")
    roster.leave("a", ticket)
    assert roster.is_empty("a")
    assert roster.is_empty("never opened")


def test_a_line_that_is_shut_keeps_its_viewers_and_takes_none():
    roster = Roster(100)
    roster.open("a")
    ticket = roster.take("a", Seat("1.2.3.4", "s"))
    roster.shut("a")
    assert (roster.fewest(0.0), len(roster), roster.is_watched("s")) == (None, 0, True)
    assert roster.leave("a", ticket) == Seat("1.2.3.4", "s")
    assert not roster.is_watched("s")


def test_a_seat_is_freed_once_whoever_says_so_first():
    roster = Roster(100)
    roster.open("a")
    tickets = [roster.take("a", Seat(f"10.0.0.{at}", "s")) for at in range(3)]
    assert roster.leave("a", tickets[0]) == Seat("10.0.0.0", "s")
    assert roster.leave("a", tickets[0]) is None
    assert roster.drop("a") == [Seat("10.0.0.1", "s"), Seat("10.0.0.2", "s")]
    assert roster.leave("a", tickets[1]) is None
    assert roster.drop("a") == []


@given(st.lists(st.tuples(st.sampled_from(["take", "leave", "drop"]), st.integers(0, 9)), max_size=80))
def test_seats_that_were_taken_are_those_that_are_left_or_were_freed(deeds):
    roster, sat, freed, number = Roster(100), {}, [], 0
    for line in range(3):
        roster.open(line)
    for deed, at in deeds:
        if deed == "take" and (line := roster.fewest(0.0)) is not None:
            seat = Seat(f"{number}", f"s{number % 3}")
            sat[roster.take(line, seat)] = (line, seat)
            number += 1
        elif deed == "leave" and sat:
            ticket = sorted(sat)[at % len(sat)]
            line, seat = sat.pop(ticket)
            assert roster.leave(line, ticket) == seat
            freed.append(seat)
        elif deed == "drop":
            dropped = roster.drop(at % 3)
            assert dropped == [seat for line, seat in sat.values() if line == at % 3]
            freed += dropped
            sat = {ticket: held for ticket, held in sat.items() if held[0] != at % 3}
    assert sorted(freed + [seat for _, seat in sat.values()]) == sorted(
        Seat(f"{one}", f"s{one % 3}") for one in range(number)
    )
    assert {f"s{one}" for one in range(3) if roster.is_watched(f"s{one}")} == {seat.stream for _, seat in sat.values()}
