"""A table whose entries end."""

from hypothesis import given
from hypothesis import strategies as st

from uproar.core.aging import Aging


def test_an_entry_ends_at_its_time():
    table = Aging(10)
    table.put("a", 1, now=0, until=5)
    assert (table.get("a", 4.9), table.get("a", 5), table.get("b", 0)) == (1, None, None)


def test_a_full_table_forgets_what_was_put_longest_ago():
    table = Aging(2)
    for key in "aba":
        table.put(key, key, now=0, until=9)
    table.put("c", "c", now=0, until=9)
    assert dict(table.items(0)) == {"a": "a", "c": "c"}


def test_what_is_popped_is_gone():
    table = Aging(2)
    table.put("a", 1, now=0, until=9)
    table.pop("a")
    table.pop("never there")
    assert table.get("a", 0) is None


def test_a_sweep_takes_out_all_that_has_ended():
    table = Aging(10)
    for number in range(5):
        table.put(number, number, now=0, until=number + 1)
    table.sweep(3)
    assert len(table) == 2
    table.sweep(9)
    assert len(table) == 0


def test_a_table_in_use_empties_itself():
    table = Aging(1000)
    for number in range(100):
        table.put(number, number, now=0, until=1)
    for number in range(100, 200):
        table.put(number, number, now=1, until=2)
    assert len(table) == 100


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(1, 9))), st.integers(1, 4))
def test_it_tells_what_a_plain_dict_with_ends_would_unless_it_was_full(puts, limit):
    table, plain, now = Aging(limit), {}, 0
    for key, pause, span in puts:
        now += pause
        table.put(key, now, now=now, until=now + span)
        plain.pop(key, None)
        plain[key] = (now, now + span)
        assert len(table) <= limit
        told = {key: table.get(key, now) for key in plain}
        assert all(value in (None, plain[key][0]) for key, value in told.items())
        newest = list(plain)[-limit:]
        assert all(told[key] == plain[key][0] for key in newest if plain[key][1] > now)
        assert all(told[key] is None for key in plain if plain[key][1] <= now)
