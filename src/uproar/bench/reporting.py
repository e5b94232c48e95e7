"""Files of measurements, and the page and pictures that are made of them."""

from collections.abc import Sequence
from pathlib import Path

from msgspec import DecodeError, json

from uproar.bench.drawn import drawn
from uproar.bench.lines import Report
from uproar.bench.page import filled, part
from uproar.core.errors import Misconfigured


def read(file: Path) -> Report:
    """What `--json` wrote. Raises `Misconfigured` where the file holds something else."""
    try:
        return json.decode(file.read_bytes(), type=Report)
    except (OSError, DecodeError) as fault:
        raise Misconfigured(f"{file} holds no measurement ({fault}).") from fault


def write(report: Report, file: Path) -> None:
    """For `read`."""
    file.write_bytes(json.format(json.encode(report)) + b"\n")


def made(files: Sequence[Path], page: Path) -> dict[Path, str]:
    """The page with these measurements between its marks, and a picture beside each file that has something to draw."""
    reports = {file: read(file) for file in files}
    pictures = {file.with_suffix(".svg"): drawn(report.results) for file, report in reports.items()}
    drawn_ones = {picture: text for picture, text in pictures.items() if text}
    links = {picture: picture.resolve().relative_to(page.resolve().parent).as_posix() for picture in drawn_ones}
    placed = [(report, links.get(file.with_suffix(".svg"), "")) for file, report in reports.items()]
    return {page: filled(page.read_text(encoding="utf-8"), part(placed)), **drawn_ones}


def stale(texts: dict[Path, str]) -> list[Path]:
    """The files that are not there, or hold something else."""
    return [file for file, text in texts.items() if not file.exists() or file.read_text(encoding="utf-8") != text]
