"""How figures are written: `latency_p99_ms` as `latency p99, ms`, and numbers with three digits that count."""

from typing import Final

from uproar.bench.lines import Setup
from uproar.bench.stats import Spread

UNITS: Final = {"ms": "ms", "s": "s", "mib": "MiB", "mb": "MB", "kib": "KiB"}
WORDS: Final = {"cpu": "CPU", "us": "µs", "kib": "KiB", "mib": "MiB", "mb": "MB", "rss": "RSS"}


def title(figure: str) -> str:
    """The figure's name in words, its unit behind a comma."""
    words = figure.split("_")
    unit = "" if "per" in words else UNITS.get(words[-1], "")
    named = " ".join(WORDS.get(word, word) for word in (words[:-1] if unit else words))
    return f"{named}, {unit}" if unit else named


def number(value: float) -> str:
    """Three digits that count, or all before the point: `0.123`, `12.3`, `12,345`."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def span(of: Spread) -> str:
    """The median, and from where to where it went: `1.23 (1.2-1.31)`."""
    middle, least, most = map(number, of)
    return middle if least == most else f"{middle} ({least}-{most})"


def contestant(who: str, case: str) -> str:
    """As in `send, deflated`."""
    return f"{who}, {case}" if case else who


def size(setup: Setup) -> str:
    """How large it was: `9,000 viewers, 5 rounds of 8 s`."""
    rounds = f"{setup.rounds} rounds" if setup.rounds > 1 else "one round"
    viewers = f"{setup.viewers:,} viewers, " if setup.viewers else ""
    return f"{viewers}{rounds}" + (f" of {setup.seconds:g} s" if setup.seconds else "")
