"""What a check of this machine found."""

from typing import Final, Literal, NamedTuple

State = Literal["ok", "warning", "broken"]
OK: Final = "ok"
WARNING: Final = "warning"
BROKEN: Final = "broken"


class Finding(NamedTuple):
    """What one check found, and how to mend it where it is not `ok`."""

    state: State
    what: str
    mend: str = ""
