"""How many processes serve viewers on the cores that this one may use."""

import os
import sys
from pathlib import Path
from typing import Final, Literal

from uproar.core.errors import Misconfigured

QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
MOST: Final = 8  # that `auto` chooses: the process that has the port fills a core of its own before they are all full


def gateways_on(cores: float, wish: int | Literal["auto"], platform: str = sys.platform) -> int:
    """As many as wished for; `auto`: a core each, but for the one of the process that has the port.

    On two cores that process would have to share with the only gateway, and pay for the way between them: 1, itself.
    Raises `Misconfigured` where the system cannot pass viewers on.
    """
    if platform != "linux" and wish not in (1, "auto"):
        raise Misconfigured(f"gateways cannot be {wish} here: passing viewers to other processes needs Linux.")
    if wish != "auto":
        return wish
    return max(1, min(MOST, int(cores) - 1)) if platform == "linux" else 1


def usable_cores(quota: Path = QUOTA) -> float:
    """Those that this process may run on, or as much of them as its group may use (cgroup 2)."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        most, _, period = quota.read_text().partition(" ")
    except OSError:
        return allowed
    return allowed if most == "max" else min(allowed, int(most) / int(period))
