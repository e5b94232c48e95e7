"""A recorded chat: JSON lines `{t_ms, user, text}`, plain or gzipped."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from uproar.core.errors import Misconfigured


class Said(Struct, frozen=True):
    """One comment of a recording, `t_ms` after its start."""

    t_ms: Annotated[int, Meta(ge=0)]
    user: str
    text: str


def read_recording(file: Path) -> list[Said]:
    """All of it, by time. Raises `Misconfigured` where it is no recording."""
    try:
        with gzip.open(file) if file.suffix == ".gz" else file.open("rb") as lines:
            said = sorted(_each(file, lines), key=lambda one: one.t_ms)
    except (OSError, EOFError) as fault:
        raise Misconfigured(f"{file} cannot be read: {fault}.") from fault
    if not said:
        raise Misconfigured(f"There is nothing in {file}.")
    return said


def _each(file: Path, lines: Iterator[bytes]) -> Iterator[Said]:
    decode = msgspec.json.Decoder(Said).decode
    for number, line in enumerate(lines, 1):
        try:
            if line.strip():
                yield decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise Misconfigured(f"{file}, line {number}: {fault}.") from None
