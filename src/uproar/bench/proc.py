"""What a process and all below it take of the machine, read from outside in /proc."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_KIB = os.sysconf("SC_PAGE_SIZE") // 1024
KIB_A_MIB: Final = 1024


class Process(NamedTuple):
    """One line of /proc: its parent's id, CPU seconds of its own so far, resident KiB now."""

    parent: int
    cpu_s: float
    rss_kib: int


class Usage(NamedTuple):
    """CPU seconds so far and resident KiB now, added up over processes."""

    cpu_s: float
    rss_kib: int


def read_stat(line: str) -> Process:
    """What /proc/PID/stat says (proc(5)); a program's name may hold spaces and brackets."""
    fields = line.rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    return Process(int(fields[1]), ticks / TICKS_PER_S, int(fields[21]) * PAGE_KIB)


def below(root: int, parents: Mapping[int, int]) -> set[int]:
    """`root` and all its descendants; `parents` has each process's parent."""
    tree: set[int] = set()
    found = {root}
    while found:
        tree |= found
        found = {pid for pid, parent in parents.items() if parent in found} - tree
    return tree


def usage(root: int) -> Usage:
    """What `root` and its descendants take; whoever ended counts no more."""
    living = _living()
    tree = below(root, {pid: process.parent for pid, process in living.items()}) & living.keys()
    return Usage(sum(living[pid].cpu_s for pid in tree), sum(living[pid].rss_kib for pid in tree))


def _living() -> dict[int, Process]:
    living = {}
    for folder in PROC.iterdir():
        if folder.name.isdecimal() and (line := _stat_of(folder)):
            living[int(folder.name)] = read_stat(line)
    return living


def _stat_of(folder: Path) -> str:
    try:
        return (folder / "stat").read_text()
    except OSError:  # it has just ended
        return ""
