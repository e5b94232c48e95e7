"""A stream's partition is the one every Kafka client computes, and ties fall the same way everywhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.core.shards import murmur2, partition, tie


@pytest.mark.parametrize(
    ("data", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_the_one_of_kafkas_own_tests(data, signed):
    assert murmur2(data) == signed % 2**32


@pytest.mark.parametrize(("stream", "expected"), [("abc", 479470107 % 12), ("21", (-973932308 & 0x7FFFFFFF) % 12)])
def test_a_partition_is_the_positive_hash_modulo_their_number(stream, expected):
    assert partition(stream, 12) == expected


@given(st.text(st.characters(codec="utf-8")), st.integers(1, 1000))
def test_every_stream_has_a_partition(stream, partitions):
    assert 0 <= partition(stream, partitions) < partitions


def test_streams_spread_over_all_partitions():
    counts = [0] * 8
    for number in range(8000):
        counts[partition(f"stream-{number}", 8)] += 1
    assert min(counts) > 800
    assert max(counts) < 1200


def test_a_tie_is_stable_and_does_not_follow_the_order_of_ids():
    assert tie(1) == tie(1)
    ids = range(1000)
    assert sorted(ids, key=tie) not in (list(ids), list(reversed(ids)))
    assert len({tie(number) for number in ids}) == 1000
