"""The settings as this machine has them: a file, the environment and flags are read here."""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Final

import typer

from uproar.core.errors import Misconfigured
from uproar.settings import Loaded, load

FILE: Final = Path("uproar.toml")

ConfigFlag = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="Settings in TOML, instead of ./uproar.toml.")
]
DataFlag = Annotated[str | None, typer.Option("--data", metavar="DIR", help="The directory of all that is kept.")]


def configure(config: Path | None = None, **flags: object) -> Loaded:
    """The settings of this run; flags are keyed by setting name, None where not given. Raises `Misconfigured`."""
    file = config or FILE
    return load(_read(file, needed=config is not None), os.environ, flags, str(file))


def _read(file: Path, needed: bool) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if not needed:
            return {}
        raise Misconfigured(f"There is no file {file}.") from None
    except (OSError, ValueError) as fault:
        raise Misconfigured(f"{file} cannot be read: {fault}.") from fault
