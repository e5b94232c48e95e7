"""A way to run `uproar` inside the test's process."""

import sys
from collections.abc import Mapping

import pytest

from uproar.cli import main


class Ran:
    """What a command printed, and the status it ended with."""

    def __init__(self, status: int, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err


@pytest.fixture
def uproar(monkeypatch, capsys, tmp_path):
    """Runs a command in an empty directory, with no `UPROAR_…` but those given."""

    def run(*arguments: str, environment: Mapping[str, str] = {}) -> Ran:
        monkeypatch.chdir(tmp_path)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "argv", ["uproar", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return Ran(int(ended.value.code or 0), printed.out, printed.err)

    return run
