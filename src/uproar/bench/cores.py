"""Which cores a measurement gets: one for the server, or the floor in its place, and one for viewers and who posts."""

import os
from collections.abc import Sequence
from typing import Final

from uproar.bench.profile import CannotMeasure


def allowed() -> tuple[int, ...]:
    """Those that this process may use; none where the system does not tell, as only Linux does."""
    affinity = getattr(os, "sched_getaffinity", None)
    return tuple(sorted(affinity(0))) if affinity else ()


CORES: Final = allowed()
"""As the process began: whoever measures leaves the server's core to the server later."""
SERVER_CPU, LOAD_CPU = (CORES * 2 or (0, 0))[:2]


def require(count: int, why: str, cores: Sequence[int] = CORES) -> None:
    """Raises `CannotMeasure` where there are fewer."""
    if len(cores) < count:
        raise CannotMeasure(f"It needs {count} cores of a Linux machine, {why}, and may use {len(cores) or 'none'}.")
