"""Profiles: how large one is, whatever was wished, and how its rounds are run."""

import asyncio
import os

import pytest
from msgspec import json

from uproar.bench.lines import Result, Setup
from uproar.bench.measuring import measured, senders
from uproar.bench.profile import CannotMeasure, Profile, Wish
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


PROFILE = Profile(tried, ("viewers",), viewers=2_000, beside_peers=True)


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


def test_whoever_is_measured_beside_nobody_has_no_peers():
    assert PROFILE._replace(beside_peers=False).setup(Wish(("send",), peers=("ws",))).peers == ()


async def measured_nothing(setup, folder):
    """Has figures of nothing, and one that is a yes."""
    yield "python", "", {"ack_p50_ms": float("nan"), "ratio": float("inf"), "recovered": True}


def run(profile, **sizes):
    told = []
    setup = Setup(**SIZES | {"senders": ("python",)} | sizes)
    return asyncio.run(measured(profile, setup, told.append)), told


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
