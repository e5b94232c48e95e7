"""Who sits where: the fewest first, and every seat freed once."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from uproar.gateway.roster import Roster, Seat


def test_the_line_with_the_fewest_takes_the_next_one():
    roster = Roster()
    assert roster.fewest() is None
    for line in "abc":
        roster.open(line)
    taken = Counter()
    for _ in range(30):
        line = roster.fewest()
        roster.take(line, Seat("1.2.3.4", "s"))
        taken[line] += 1
    assert taken == {"a": 10, "b": 10, "c": 10}


def test_a_line_that_is_shut_keeps_its_viewers_and_takes_none():
    roster = Roster()
    roster.open("a")
    ticket = roster.take("a", Seat("1.2.3.4", "s"))
    roster.shut("a")
    assert (roster.fewest(), len(roster), roster.is_watched("s")) == (None, 0, True)
    assert roster.leave("a", ticket) == Seat("1.2.3.4", "s")
    assert not roster.is_watched("s")


def test_a_seat_is_freed_once_whoever_says_so_first():
    roster = Roster()
    roster.open("a")
    tickets = [roster.take("a", Seat(f"10.0.0.{at}", "s")) for at in range(3)]
    assert roster.leave("a", tickets[0]) == Seat("10.0.0.0", "s")
    assert roster.leave("a", tickets[0]) is None
    assert roster.drop("a") == [Seat("10.0.0.1", "s"), Seat("10.0.0.2", "s")]
    assert roster.leave("a", tickets[1]) is None
    assert roster.drop("a") == []


@given(st.lists(st.tuples(st.sampled_from(["take", "leave", "drop"]), st.integers(0, 9)), max_size=80))
def test_seats_that_were_taken_are_those_that_are_left_or_were_freed(deeds):
    roster, sat, freed, number = Roster(), {}, [], 0
    for line in range(3):
        roster.open(line)
    for deed, at in deeds:
        if deed == "take" and (line := roster.fewest()) is not None:
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
