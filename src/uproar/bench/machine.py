"""This machine, and the version that was measured on it."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from uproar.bench.lines import Machine

PACKAGE = Path(__file__).parents[1]


def machine() -> Machine:
    """As /proc and the interpreter tell it."""
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    system = f"{platform.system()} {platform.release()}"
    return Machine(_cpu(), os.cpu_count() or 1, round(memory_bytes / (1 << 30)), system, platform.python_version())


def measured_version() -> str:
    """As in `0.1.0 (b82140f)`; with `+` behind the commit where files were changed since."""
    commit = _git("ls-files", "__init__.py") and _git("rev-parse", "--short", "HEAD")  # not of a checkout around it
    changed = "+" if commit and _git("status", "--porcelain", "--untracked-files=no", ".") else ""
    return version("uproar") + (f" ({commit}{changed})" if commit else "")


def _cpu() -> str:
    file = Path("/proc/cpuinfo")
    told = file.read_text().splitlines() if file.exists() else []
    names = (line.partition(":")[2].strip() for line in told if line.startswith("model name"))
    return next(names, platform.machine())


def _git(*words: str) -> str:
    """What git says of the package's own folder; nothing where that is no checkout."""
    if not shutil.which("git"):
        return ""
    told = subprocess.run(["git", "-C", str(PACKAGE), *words], capture_output=True, text=True)
    return told.stdout.strip() if told.returncode == 0 else ""
