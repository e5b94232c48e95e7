"""Tables in Markdown."""

from collections.abc import Iterable, Sequence
from typing import Final

MADE: Final = "Made from the code by `uproar docs`; a test notices when it is stale."


def table(heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table with these heads, one line a row, ending in a line break."""
    lines = [_line(heads), _line("---" for _ in heads), *map(_line, rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
