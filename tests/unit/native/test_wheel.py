"""A wheel holds the native sender where a compiler is; without one it installs as well, and transports send."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from uproar.native import LIBRARY

HOME = Path(__file__).parents[3]
BUILT_FROM = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", "NOTICE")

SAY = """
from uproar.native import open_sender
sender, why = open_sender("auto")
print(sender and sender.name, why)
"""


@pytest.fixture
def wheel(tmp_path):
    """Builds a wheel in a copy of the tree with this environment, and unpacks it: its name and its folder."""
    tree = tmp_path / "tree"
    shutil.copytree(HOME / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    for name in BUILT_FROM:
        shutil.copy(HOME / name, tree)

    def build(**environment):
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "out"]
        subprocess.run(command, cwd=tree, env=os.environ | environment, check=True, capture_output=True, timeout=120)
        (found,) = (tmp_path / "out").iterdir()
        ZipFile(found).extractall(tmp_path / "installed")
        return found.name, tmp_path / "installed"

    return build


def said_by(installed):
    """What the installed package chooses, and why."""
    environment = os.environ | {"PYTHONPATH": str(installed)}
    command = [sys.executable, "-c", SAY]
    return subprocess.run(command, env=environment, check=True, capture_output=True, text=True, cwd="/").stdout


@pytest.mark.skipif(not any(map(shutil.which, ("cc", "gcc", "clang"))), reason="there is no C compiler")
def test_where_a_compiler_is_the_wheel_holds_the_library_and_is_for_this_platform(wheel):
    name, installed = wheel()
    assert not name.endswith("-none-any.whl")
    assert (installed / "uproar" / "native" / LIBRARY.name).exists()
    assert said_by(installed).startswith("send ")


@pytest.mark.parametrize("environment", [{"PATH": ""}, {"CC": "false"}], ids=["no compiler", "one that fails"])
def test_without_a_compiler_the_wheel_is_for_every_platform_and_sends_through_transports(wheel, environment):
    name, installed = wheel(**environment)
    assert name.endswith("-none-any.whl")
    assert not list(installed.rglob("*.so"))
    assert said_by(installed).startswith("None the native sender was not built")
