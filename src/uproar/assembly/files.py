"""How many files a process may have open, and how many viewers fit by that."""

import resource
from contextlib import suppress
from typing import Final

OWN: Final = 100  # what a process has open beside its viewers, and a few to spare
ENDLESS: Final = 1 << 30  # where there is no limit


def raise_limit() -> None:
    """Let this process, and those that it starts, have as many open as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # a system that allows fewer than it says
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def viewers_that_fit() -> int:
    """In one process: an open file each."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return ENDLESS if soft == resource.RLIM_INFINITY else max(1, soft - OWN)
