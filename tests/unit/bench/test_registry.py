"""How each peer is started, and what is said where it cannot be had."""

from pathlib import Path

import pytest

from uproar.bench import registry
from uproar.bench.installed import NotHere
from uproar.bench.registry import PEERS, Start

PORT, INNER = 41_234, 42_345
MADE = Path("made")
PUBLISHERS = [name for name, peer in PEERS.items() if not peer.broker]
NAMED = {"centrifugo": "BENCH_CENTRIFUGO", "uwebsockets": "BENCH_UWEBSOCKETS"}
BROKERS = [name for name, peer in PEERS.items() if peer.broker]


@pytest.fixture
def start(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "tool", lambda name: name)
    return Start(PORT, INNER, tmp_path, 2048, 10, 5)


@pytest.mark.parametrize("name", PUBLISHERS)
def test_whoever_publishes_itself_is_told_what(name, start):
    assert PEERS[name].command(MADE, start)[-4:] == [str(PORT), "2048", "10", "5"]


@pytest.mark.parametrize("name", BROKERS)
def test_a_broker_gets_a_configuration_of_this_run(name, start):
    configuration = Path(PEERS[name].command(MADE, start)[-1])
    text = configuration.read_text()
    assert configuration.parent == start.folder
    assert str(PORT) in text
    assert str(INNER) in text
    assert not {"PORT", "INNER", "FOLDER"} & set(text.replace(":", " ").replace('"', " ").replace(";", " ").split())


@pytest.mark.parametrize(("name", "variable"), NAMED.items())
def test_a_program_that_the_user_builds_is_asked_for_by_its_variable(name, variable, monkeypatch, tmp_path):
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(NotHere, match=variable):
        PEERS[name].made()
    program = tmp_path / "program"
    monkeypatch.setenv(variable, str(program))
    with pytest.raises(NotHere, match=str(program)):
        PEERS[name].made()
    program.touch(mode=0o755)
    assert PEERS[name].made() == program


def test_without_its_module_nchan_names_the_package(monkeypatch, tmp_path):
    monkeypatch.setattr(registry, "NCHAN", tmp_path / "ngx_nchan_module.so")
    with pytest.raises(NotHere, match="libnginx-mod-nchan"):
        PEERS["nchan"].made()
