"""Peers are installed once, whole or not at all, and what is missing is told in a sentence."""

import subprocess

import pytest

from uproar.bench import installed
from uproar.bench.installed import NotHere, go_peers, node_peers, python_peers, source, tool


@pytest.fixture
def peers(monkeypatch, tmp_path):
    """A checkout's `bench/peers/` and a cache of this test's own."""
    folder = tmp_path / "bench" / "peers"
    for language in ("python", "node", "go"):
        (folder / language).mkdir(parents=True)
        (folder / language / "requirements.txt").write_text(language)
    monkeypatch.setattr(installed, "HERE", tmp_path / "bench")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(installed, "tool", lambda name: name)
    return folder


@pytest.fixture
def runs(monkeypatch):
    """The installers' commands, none of which is run."""
    commands = []
    monkeypatch.setattr(installed, "_run", lambda command, folder: commands.append(command))
    return commands


@pytest.mark.parametrize("made", [python_peers, node_peers, go_peers])
def test_what_is_installed_stays_until_it_is_made_of_something_else(peers, runs, made):
    first = made()
    before = len(runs)
    assert before
    assert (made(), len(runs)) == (first, before)
    for changed in peers.rglob("*.txt"):
        changed.write_text("other")
    assert made() != first
    assert len(runs) == 2 * before


def test_packages_are_taken_by_their_hashes_alone(peers, runs):
    python_peers()
    assert "--require-hashes" in runs[-1]


def test_a_failed_installation_leaves_nothing(peers, monkeypatch, tmp_path):
    def fails(command, **options):
        return subprocess.CompletedProcess(command, 1, "", "no such module")

    monkeypatch.setattr(subprocess, "run", fails)
    with pytest.raises(NotHere, match="no such module"):
        go_peers()
    assert list((tmp_path / "cache" / "uproar" / "bench" / "peers").iterdir()) == []


def test_a_missing_program_is_named():
    with pytest.raises(NotHere, match="needs no-such-program"):
        tool("no-such-program")


def test_without_a_checkout_one_sentence_says_how_to_name_it(monkeypatch, tmp_path):
    monkeypatch.setattr(installed, "HERE", tmp_path)
    with pytest.raises(NotHere, match="BENCH_SOURCES"):
        source("go")
