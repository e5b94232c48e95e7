"""On bad days everything that was promised holds; a failing seed is the whole report: `Day(seed).live()`."""

from pathlib import Path

import pytest
import structlog

from tests.sim.day import Day

SEEDS = 500
CHUNK = 50
KEPT = [
    int(line) for line in Path(__file__).with_name("seeds.txt").read_text().splitlines() if not line.startswith("#")
]


@pytest.fixture(autouse=True)
def _quiet():
    """A bad day has much to log."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("seed", KEPT)
def test_a_day_that_went_wrong_once_goes_well(seed):
    assert Day(seed).live() == []


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_what_was_promised_holds_on_bad_days(first):
    broken = {seed: found for seed in range(first, first + CHUNK) if (found := Day(seed).live())}
    assert broken == {}
