"""Which cores a measurement gets."""

import os

import pytest

from uproar.bench.cores import CORES, LOAD_CPU, SERVER_CPU, allowed, require
from uproar.bench.profile import CannotMeasure


def test_they_are_the_first_two_of_those_that_this_process_may_use():
    assert set(CORES) >= os.sched_getaffinity(0)
    assert list(CORES * 2)[:2] == [SERVER_CPU, LOAD_CPU]


def test_any_two_will_do():
    require(2, "for two programs", cores=(4, 7))


@pytest.mark.parametrize(("cores", "told"), [((3,), "may use 1"), ((), "may use none")])
def test_where_there_are_too_few_one_sentence_says_so(cores, told):
    with pytest.raises(CannotMeasure, match=f"^It needs 2 cores of a Linux machine, for two programs, and {told}.$"):
        require(2, "for two programs", cores)


def test_a_system_that_does_not_tell_has_none(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert allowed() == ()
