"""The native senders under the compiler's sanitizers: no read or write beyond a buffer, nothing undefined."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import uproar.native

HOME = Path(__file__).parents[3]
SOURCE = Path(uproar.native.__file__).with_name("sender.c")
FLAGS = ("-std=c11", "-g", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")
SANITIZED = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory):
    """Runs Python with a library that was built so; its first argument is the library."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("there is no gcc")
    library = tmp_path_factory.mktemp("sanitized") / "sender.so"
    built = subprocess.run([compiler, *FLAGS, *SANITIZED, SOURCE, "-o", library], capture_output=True, text=True)
    if "cannot find" in built.stderr:
        pytest.skip("gcc has no sanitizers here")
    assert built.returncode == 0, built.stderr
    asan = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True).stdout.strip()
    more = {"LD_PRELOAD": asan, "ASAN_OPTIONS": "detect_leaks=0", "PYTHONMALLOC": "malloc"}

    def run(*words):
        command = [sys.executable, *(library if word is None else word for word in words)]
        return subprocess.run(command, cwd=HOME, env=os.environ | more, capture_output=True, text=True, timeout=120)

    return run


def test_a_crowd_finds_nothing(sanitized):
    done = sanitized("-m", "tests.unit.native.crowd", None, "30")
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_bad_counts_and_broken_rings_find_nothing(sanitized):
    done = sanitized("-m", "tests.unit.native.bad_calls", None)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_a_read_beyond_a_frame_would_be_found(sanitized):
    done = sanitized("-m", "tests.unit.native.bad_calls", None, "beyond")
    assert done.returncode != 0
    assert "AddressSanitizer" in done.stderr
