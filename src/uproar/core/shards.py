"""Stable hashes: which partition a stream's events lie in, and who wins among equals."""

import xxhash

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def partition(stream: str, partitions: int) -> int:
    """The partition of a stream, 0 <= p < partitions, as Kafka's default partitioner has it: other clients agree."""
    return (murmur2(stream.encode()) & 0x7FFFFFFF) % partitions


def tie(comment_id: int) -> int:
    """A stable 64-bit hash of an id: every worker breaks ties the same way, and no poster can tell how."""
    return xxhash.xxh64_intdigest(comment_id.to_bytes(8, "big"))


def murmur2(data: bytes) -> int:
    """Austin Appleby's MurmurHash2, 32 bits unsigned, with the seed that Kafka gives it."""
    whole = len(data) & ~3
    h = _SEED ^ len(data)
    for at in range(0, whole, 4):
        h = h * _MULTIPLIER & _MASK ^ _scramble(int.from_bytes(data[at : at + 4], "little"))
    if tail := data[whole:]:
        h = (h ^ int.from_bytes(tail, "little")) * _MULTIPLIER & _MASK
    h = (h ^ h >> 13) * _MULTIPLIER & _MASK
    return h ^ h >> 15


def _scramble(k: int) -> int:
    k = k * _MULTIPLIER & _MASK
    return (k ^ k >> 24) * _MULTIPLIER & _MASK
