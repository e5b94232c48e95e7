"""How much one address and all together may ask for, and whose address it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.gateway.caps import Addresses, Bucket, address_of, forwards, networks


def test_a_bucket_is_full_at_first_and_fills_again():
    bucket = Bucket(10)
    assert [bucket.take(0.0) for _ in range(11)] == [True] * 10 + [False]
    assert not bucket.take(0.09)
    assert bucket.take(0.1)
    assert not bucket.take(0.1)
    assert [bucket.take(100.0) for _ in range(11)] == [True] * 10 + [False]


@given(st.integers(1, 50), st.lists(st.floats(0, 10), max_size=300))
def test_a_bucket_gives_no_more_than_its_rate_and_what_it_holds(per_s, times):
    bucket = Bucket(per_s)
    taken = sum(bucket.take(now) for now in sorted(times))
    assert taken <= per_s + per_s * max(times, default=0.0) + 1e-6


def test_a_clock_that_steps_back_gives_nothing_extra():
    bucket = Bucket(1)
    assert bucket.take(5.0)
    assert not bucket.take(1.0)
    assert not bucket.take(5.5)
    assert bucket.take(6.0)


def test_an_address_has_so_many_connections():
    addresses = Addresses(2)
    assert [addresses.enter("a") for _ in range(3)] == [True, True, False]
    assert addresses.enter("b")
    addresses.leave("a")
    assert addresses.enter("a")
    assert not addresses.enter("a")


def test_the_empty_address_is_exempt():
    addresses = Addresses(1)
    assert all(addresses.enter("") for _ in range(10))
    addresses.leave("")
    assert addresses.enter("a")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=100))
def test_addresses_agree_with_a_count(steps):
    addresses, counts = Addresses(3), dict.fromkeys("abc", 0)
    for address, enters in steps:
        if enters:
            assert addresses.enter(address) == (counts[address] < 3)
            counts[address] = min(3, counts[address] + 1)
        elif counts[address]:
            addresses.leave(address)
            counts[address] -= 1
    for address, count in counts.items():
        for _ in range(count):
            addresses.leave(address)
    assert not addresses._open  # an address without connections is forgotten


PROXIES = ["10.0.0.0/8", "fd00::/8", "127.0.0.1"]


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("1.2.3.4", None, [], "1.2.3.4"),
        ("1.2.3.4", "9.9.9.9", [], "1.2.3.4"),
        ("127.0.0.1", None, [], ""),
        ("127.3.2.1", None, [], ""),
        ("::1", None, [], ""),
        ("", None, [], ""),
        ("127.0.0.1", "9.9.9.9", [], "127.0.0.1"),
        ("127.0.0.1", "", [], "127.0.0.1"),
        ("::1", "9.9.9.9", [], "::1"),
        ("127.0.0.1", "9.9.9.9", PROXIES, "9.9.9.9"),
        ("10.1.1.1", "9.9.9.9", PROXIES, "9.9.9.9"),
        ("10.1.1.1", "8.8.8.8, 9.9.9.9", PROXIES, "9.9.9.9"),
        ("10.1.1.1", "8.8.8.8, 9.9.9.9, 10.2.2.2", PROXIES, "9.9.9.9"),
        ("10.1.1.1", " 9.9.9.9 ,10.2.2.2,", PROXIES, "9.9.9.9"),
        ("fd00::1", "2001:db8::1", PROXIES, "2001:db8::1"),
        ("10.1.1.1", "10.3.3.3", PROXIES, "10.1.1.1"),
        ("10.1.1.1", None, PROXIES, "10.1.1.1"),
        ("10.1.1.1", "", PROXIES, "10.1.1.1"),
        ("10.1.1.1", "127.0.0.2", PROXIES, "127.0.0.2"),
        ("10.1.1.1", "not an address, 10.2.2.2", PROXIES, "not an address"),
        ("127.0.0.1", None, PROXIES, ""),
    ],
)
def test_whose_address_it_is(peer, forwarded, trusted, expected):
    assert address_of(peer, forwarded, networks(trusted)) == expected


@given(st.text(max_size=100))
def test_what_a_stranger_forwards_does_not_change_its_address(forwarded):
    assert address_of("1.2.3.4", forwarded, networks(PROXIES)) == "1.2.3.4"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [("127.0.0.1", True), ("::1", True), ("", True), ("10.1.1.1", True), ("1.2.3.4", False), ("2001:db8::1", False)],
)
def test_who_forwards_for_many(peer, expected):
    assert forwards(peer, networks(PROXIES)) == expected
