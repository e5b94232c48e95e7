"""On bad days everything that was promised holds; a failing seed is the whole report: `Day(seed).live()`."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
import structlog

from tests.sim.day import Day

SEEDS = 500
CHUNK = 50
KEPT = [
    int(line) for line in Path(__file__).with_name("seeds.txt").read_text().splitlines() if not line.startswith("#")
]


def quiet() -> None:
    """A bad day has much to log."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))


def lived(seed: int) -> tuple[int, list[str]]:
    """The seed, and what was broken on its day."""
    return seed, Day(seed).live()


@pytest.fixture(scope="module")
def days() -> Iterator[ProcessPoolExecutor]:
    """As many days at once as there are cores."""
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), quiet) as pool:
        yield pool


def broken(days: ProcessPoolExecutor, seeds: range | list[int]) -> dict[int, list[str]]:
    """Seeds whose days broke something, with what they broke."""
    return {seed: found for seed, found in days.map(lived, seeds, chunksize=5) if found}


def test_days_that_went_wrong_once_go_well(days):
    assert broken(days, KEPT) == {}


@pytest.mark.parametrize("first", range(0, SEEDS, CHUNK))
def test_what_was_promised_holds_on_bad_days(days, first):
    assert broken(days, range(first, first + CHUNK)) == {}
