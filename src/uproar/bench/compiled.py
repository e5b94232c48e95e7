"""The bench's C programs, compiled on first use and kept in the user's cache under the hash of their sources."""

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

HERE: Final = Path(os.environ.get("BENCH_SOURCES") or Path(__file__).parents[3] / "bench")
"""The programs' sources and the peers: a checkout's `bench/`; the package has none of them."""

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-Werror")
ZLIB = ("-DWITH_ZLIB",), ("-lz",)  # before and behind the source; a machine may have no headers of it
PLAIN = (), ()


class CannotCompile(Exception):
    """Why there is no program, in one sentence and what the compiler said."""


def program(name: str) -> Path:
    """The program made of `bench/NAME.c`; `CannotCompile` where there is no source or compiler, or it refuses."""
    source = _source(name)
    built = cache() / f"{name}-{_digest(source)}"
    if not built.exists():
        built.parent.mkdir(parents=True, exist_ok=True)
        _compile(_compiler(), source, built)
    return built


def compiler() -> str | None:
    """The system's C compiler, if it has one."""
    return next(filter(None, map(shutil.which, COMPILERS)), None)


def _source(name: str) -> Path:
    source = HERE / f"{name}.c"
    if not source.exists():
        raise CannotCompile(f"{source} is not here: name the bench/ of a checkout of uproar in BENCH_SOURCES.")
    return source


def _compiler() -> str:
    found = compiler()
    if found is None:
        raise CannotCompile(f"The bench needs a C compiler, and none of {', '.join(COMPILERS)} is here: install gcc.")
    return found


def cache() -> Path:
    """Where all is kept that the bench makes once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "uproar" / "bench"


def _digest(source: Path) -> str:
    parts = [path.read_bytes() for path in (source, *sorted(HERE.glob("*.h")))]
    return hashlib.sha256(b"\0".join([*parts, repr((FLAGS, ZLIB)).encode()])).hexdigest()[:16]


def _compile(compiler: str, source: Path, built: Path) -> None:
    """With zlib if that works; the program appears whole or not at all, whoever else compiles it too."""
    with tempfile.TemporaryDirectory(dir=built.parent) as folder:
        made = Path(folder) / built.name
        for before, behind in (ZLIB, PLAIN):
            command = [compiler, *FLAGS, *before, "-o", str(made), str(source), *behind]
            told = subprocess.run(command, capture_output=True, text=True)
            if told.returncode == 0:
                made.replace(built)
                return
    raise CannotCompile(f"{compiler} does not compile {source.name}:\n{told.stderr}")
