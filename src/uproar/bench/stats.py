"""What many values come to."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of several rounds, and how far they went apart."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread:
    """Of at least one value."""
    return Spread(median(values), min(values), max(values))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of them lie; not a number where there is none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def percentiles_ms(name: str, times_s: Sequence[float]) -> dict[str, float]:
    """`NAME_p50_ms`, `_p90_`, `_p99_` and `_max_ms` of times in seconds."""
    shares = {"p50": 0.5, "p90": 0.9, "p99": 0.99, "max": 1.0}
    return {f"{name}_{word}_ms": percentile(times_s, share) * 1e3 for word, share in shares.items()}
