"""Profiles: how large one is, whatever was wished, and how its rounds are run."""

import asyncio
import os
from functools import partial

import pytest
from msgspec import json

from uproar.bench.cores import require
from uproar.bench.lines import COST, Result, Setup
from uproar.bench.measuring import measured, senders
from uproar.bench.profile import DEFLATE, NO_USE, PEERS, RATE, SENDERS, CannotMeasure, Profile, Wish
from uproar.core.errors import Misconfigured
from uproar.native import Choice

SIZES = {"viewers": 2_000, "rounds": 5, "seconds": 8.0, "frames_per_s": 10.0}


async def tried(setup, folder):
    """Tries something."""
    assert list(folder.iterdir()) == []
    (folder / "left").touch()
    for form in setup.senders:
        yield form, "", {"viewers": setup.viewers}


async def refused(setup, folder):
    """Needs more than there is."""
    raise CannotMeasure("It needs more cores.")
    yield


ALL = frozenset({PEERS, SENDERS, RATE, DEFLATE})
PROFILE = Profile(tried, ("viewers",), viewers=2_000, heeds=ALL)


@pytest.mark.parametrize(
    ("wish", "changed"),
    [
        ({}, {}),
        ({"viewers": 9_000}, {"viewers": 9_000}),
        ({"rounds": 2, "seconds": 3.5, "frames_per_s": 4}, {"rounds": 2, "seconds": 3.5, "frames_per_s": 4}),
        ({"quick": True}, {"viewers": 100, "rounds": 1, "seconds": 2}),
        ({"quick": True, "viewers": 20, "rounds": 3}, {"viewers": 20, "rounds": 3, "seconds": 2}),
        ({"peers": ("ws",), "deflate": True}, {"peers": ("ws",), "deflate": True}),
    ],
)
def test_a_profile_is_as_large_as_was_wished_else_its_own_size(wish, changed):
    assert PROFILE.setup(Wish(("send",), **wish)) == Setup(**SIZES | {"senders": ("send",)} | changed)


EVERYTHING = Wish(("send", "python"), viewers=5, seconds=3, frames_per_s=7, peers=("ws",), deflate=True)


def test_what_a_profile_cannot_follow_is_left_out_and_said():
    bare = PROFILE._replace(viewers=0, seconds=0, heeds=frozenset())
    assert bare.setup(EVERYTHING) == Setup(0, 5, 0, 10.0, ("send",))
    assert bare.unheeded(EVERYTHING) == {
        **dict.fromkeys(("--viewers", "--seconds", "--rate", "--deflate"), NO_USE),
        "python": "This profile measures one form: send.",
        "ws": "This profile measures no peers.",
    }


def test_a_wish_for_no_form_at_all_measures_nothing():
    result, told = run(PROFILE._replace(heeds=frozenset()), senders=())
    assert (told, result.lines, result.absent) == ([], [], {})


def test_a_profile_that_follows_every_wish_has_nothing_to_say():
    assert PROFILE.unheeded(EVERYTHING) == PROFILE.unheeded(Wish(("send",))) == {}


def test_what_was_wished_in_vain_stands_in_the_result():
    result, _ = run(PROFILE._replace(heeds=frozenset()), deflate=True, rounds=1)
    assert result.absent == {"--deflate": NO_USE}
    assert not result.setup.deflate


async def measured_nothing(setup, folder):
    """Has figures of nothing, and one that is a yes."""
    yield "python", "", {"ack_p50_ms": float("nan"), "ratio": float("inf"), "recovered": True}


def run(profile, **sizes):
    told = []
    return asyncio.run(measured(profile, Wish(**{"senders": ("python",)} | sizes), told.append)), told


def test_each_round_has_a_folder_of_its_own_and_every_line_is_told():
    before = os.sched_getaffinity(0)
    result, told = run(PROFILE, rounds=3)
    assert [(line.who, line.round) for line in result.lines] == [("python", 1), ("python", 2), ("python", 3)]
    assert told == result.lines
    assert os.sched_getaffinity(0) == before


def test_only_numbers_are_figures():
    result, _ = run(PROFILE._replace(measure=measured_nothing), rounds=1)
    assert result.lines[0].figures == {"recovered": 1.0}
    assert json.decode(json.encode(result), type=Result) == result


async def measured_too_little(setup, folder):
    """Costs that are noise."""
    yield "python", "", {COST: 3.0 if setup.number == 1 else -0.5, "lost": 0}


def test_a_cost_of_nothing_or_less_is_left_out_and_said():
    result, _ = run(PROFILE._replace(measure=measured_too_little), rounds=2)
    assert [line.figures for line in result.lines] == [{COST: 3.0, "lost": 0}, {"lost": 0}]
    assert result.absent == {"cost of python": "Round 2: it came to 0 or less, below what this size can tell."}


async def measured_but_one(setup, folder):
    """One cannot."""
    yield "ws", "", "It does not listen."
    yield "python", "", {"lost": 0}


def test_who_cannot_takes_nobody_along_and_why_is_said():
    result, told = run(PROFILE._replace(measure=measured_but_one), rounds=2)
    assert [(line.who, line.round) for line in told] == [("python", 1), ("python", 2)]
    assert result.absent == {"ws": "Round 2: It does not listen."}


def test_with_one_core_nothing_is_measured_and_why_is_said(monkeypatch):
    monkeypatch.setattr("uproar.bench.measuring.require", partial(require, cores=(3,)))
    result, told = run(PROFILE)
    assert (told, result.lines) == ([], [])
    assert result.absent["tried"].startswith("It needs 2 cores of a Linux machine")


def test_what_the_machine_cannot_is_said():
    result, _ = run(PROFILE._replace(measure=refused))
    assert (result.lines, result.absent) == ([], {"refused": "It needs more cores."})


def test_a_sender_that_cannot_be_had_is_left_out_and_said(monkeypatch):
    def none(wish):
        raise Misconfigured(f"there is no {wish}")

    monkeypatch.setattr("uproar.bench.measuring.open_sender", none)
    result, _ = run(PROFILE, senders=("io_uring",))
    assert (result.lines, result.absent) == ([], {"io_uring": "there is no io_uring"})


def test_auto_is_what_a_server_takes_here(monkeypatch):
    monkeypatch.setattr("uproar.bench.measuring.open_sender", lambda wish: Choice(None, "it was not built"))
    assert senders(("auto", "send", "python")) == ("python", "send")
