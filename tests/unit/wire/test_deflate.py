"""A payload deflated by itself, and back."""

import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.wire.deflate import TAIL, Deflater, Flaw, Inflater, deflate_alone, inflate_alone


@given(st.binary(max_size=5000), st.integers(0, 9))
def test_what_was_deflated_inflates(data, level):
    assert inflate_alone(deflate_alone(data, level), len(data)) == data


@given(st.binary(max_size=500))
def test_any_inflater_reads_it_with_the_tail_put_back(data):
    payload = deflate_alone(data)
    assert zlib.decompressobj(-15).decompress(payload + TAIL) == data
    assert not payload.endswith(TAIL)


@given(st.binary(min_size=1, max_size=2000), st.integers(0, 3000))
def test_never_more_than_the_bound(data, limit):
    expected = data if len(data) <= limit else Flaw.TOO_BIG
    assert inflate_alone(deflate_alone(data), limit) == expected


@given(st.binary(max_size=500), st.integers(0, 2000))
def test_junk_is_a_value_and_within_the_bound(junk, limit):
    inflated = inflate_alone(junk, limit)
    assert isinstance(inflated, Flaw) or len(inflated) <= limit


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("", b""),
        ("00", b""),
        ("f248cdc9c90700", b"Hello"),
        ("f348cdc9c9070000", b"Hello"),  # a last block, RFC 7692, 7.2.3.4
        ("f348cdc9c90700", b"Hello"),
        ("f24805000000ffffcac9c90700", b"Hello"),  # two blocks, 7.2.3.5
        ("000500faff48656c6c6f00", b"Hello"),  # stored, 7.2.3.3
        ("f348cdc9c90700ff", Flaw.DAMAGED),
        ("f348cdc9c90700f348cdc9c90700", Flaw.DAMAGED),
        ("ff", Flaw.DAMAGED),
        ("f24805000000ffffcac9", Flaw.DAMAGED),  # cut off within a block
        ("000500", Flaw.DAMAGED),
        ("000500faff4865", Flaw.DAMAGED),
        ("f248cdc9", Flaw.DAMAGED),
    ],
)
def test_what_others_deflated(payload, expected):
    assert inflate_alone(bytes.fromhex(payload), 100) == expected


def test_a_bomb_takes_no_more_memory_than_its_bound():
    bomb = deflate_alone(b"\x00" * (8 << 20))
    tracemalloc.start()
    try:
        assert inflate_alone(bomb, 64 << 10) is Flaw.TOO_BIG
        assert tracemalloc.get_traced_memory()[1] < 512 << 10
    finally:
        tracemalloc.stop()


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=8))
def test_messages_that_refer_to_earlier_ones_are_read_in_their_order(messages):
    deflater, inflater = Deflater(), Inflater()
    assert [inflater.read(deflater.add(one), 2000) for one in messages] == messages


@given(st.binary(max_size=2000))
def test_the_first_of_them_is_what_is_deflated_alone(message):
    assert Deflater().add(message) == deflate_alone(message)


def test_what_refers_to_a_message_that_was_missed_is_not_read_as_it_was():
    deflater, inflater = Deflater(), Inflater()
    deflater.add(b"the one that was missed says something of its own")
    assert inflater.read(deflater.add(b"the one that was missed says something else"), 1000) is Flaw.DAMAGED


def test_a_running_inflater_takes_no_more_than_the_bound_and_no_damage():
    bomb = Deflater().add(bytes(1 << 20))
    assert Inflater().read(bomb, 1000) is Flaw.TOO_BIG
    assert Inflater().read(b"\xff\xff\xff", 1000) is Flaw.DAMAGED
    assert Inflater().read(b"\x03\x00", 1000) is Flaw.DAMAGED  # a last block
