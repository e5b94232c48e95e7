"""The peers' programs, installed on first use and kept in the user's cache under the hash of what they are made of."""

import contextlib
import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from uproar.bench.compiled import HERE, cache


class NotHere(Exception):
    """Why a peer cannot be had on this machine, in one sentence, and what the installer said."""


def source(name: str) -> Path:
    """What a peer is made of: a file or folder in a checkout's `bench/peers/`; `NotHere` where there is none."""
    path = HERE / "peers" / name
    if not path.exists():
        raise NotHere(f"{path} is not here: name the bench/ of a checkout of uproar in BENCH_SOURCES.")
    return path


def python_peers() -> Path:
    """The interpreter that has the Python peers' packages; `NotHere` where they cannot be installed."""
    return _installed("python", "requirements.txt", _install_python) / "bin" / "python"


def node_peers() -> Path:
    """The folder of the peers for Node.js, with their packages beside them; `NotHere` likewise."""
    return _installed("node", "*", _install_node)


def go_peers() -> Path:
    """The folder of the programs made of the Go modules; `NotHere` likewise."""
    return _installed("go", "**/*", _install_go)


def tool(name: str) -> str:
    """The path of a program of the system; `NotHere` where it is not installed."""
    found = shutil.which(name)
    if found is None:
        raise NotHere(f"This peer needs {name}, and it is not here: install it.")
    return found


def _install_python(given: Path, folder: Path) -> None:
    _run([sys.executable, "-m", "venv", str(folder)], given)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    _run([*pip, "install", "--require-hashes", "--requirement", "requirements.txt"], given)


def _install_node(given: Path, folder: Path) -> None:
    tool("node")
    shutil.copytree(given, folder, dirs_exist_ok=True)
    _run([tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder)


def _install_go(given: Path, folder: Path) -> None:
    programs = ["./gorilla", "github.com/nats-io/nats-server/v2"]
    _run([tool("go"), "build", "-o", f"{folder}/", *programs], given)


def _installed(language: str, made_of: str, install: Callable[[Path, Path], None]) -> Path:
    """It appears whole or not at all, whoever else installs it too."""
    made_from = source(language)
    folder = cache() / "peers" / f"{language}-{_digest(made_from, made_of)}"
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as around:
            made = Path(around) / folder.name
            made.mkdir()
            install(made_from, made)
            with contextlib.suppress(OSError):  # another was faster
                made.rename(folder)
    return folder


def _digest(folder: Path, made_of: str) -> str:
    files = sorted(path for path in folder.glob(made_of) if path.is_file())
    return hashlib.sha256(b"\0".join([sys.version.encode(), *(path.read_bytes() for path in files)])).hexdigest()[:16]


def _run(command: list[str], folder: Path) -> None:
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if told.returncode:
        raise NotHere(f"`{' '.join(command)}` failed:\n{told.stderr or told.stdout}")
