"""The source tree as the walls see it: files, what they are, what they import."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "uproar"

SHELLS = frozenset({"worker", "service", "hub", "protocol", "server", "consume", "clock", "single_flight"})
"""Names of files that carry and decide nothing."""

SHELL_FOLDERS = frozenset({"api", "assembly", "bench", "cli", "link", "native", "sqlite"})
PORT_FOLDERS = frozenset({"log", "store", "timeline", "ledger", "presence"})
KINDS = ("memory", "sqlite", "embedded", "linked", "kafka", "redis", "cassandra")
"""How the files of a port's kinds and of their helpers begin."""


def sources() -> list[Path]:
    """Every Python file of the product."""
    return sorted(SOURCE.rglob("*.py"))


def name_of(path: Path) -> str:
    """The file as the design names it, as in `fanout/gather.py`."""
    return path.relative_to(SOURCE).as_posix()


def is_port(path: Path) -> bool:
    """Whether this states what a port promises."""
    folders = path.relative_to(SOURCE).parts[:-1]
    return len(folders) == 1 and folders[0] in PORT_FOLDERS and path.stem == "__init__"


def is_rule(path: Path) -> bool:
    """Whether this must do without I/O, clock and dice: all that is no shell by name or folder and no port's kind."""
    folder = path.relative_to(SOURCE).parts[0]
    if path.stem in SHELLS or folder in SHELL_FOLDERS:
        return False
    return folder not in PORT_FOLDERS or not path.stem.startswith(KINDS)


@cache
def tree_of(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(), filename=str(path))


def imported(path: Path) -> Iterator[str]:
    """Full names of what the file imports, `a.b.c` for `from a.b import c`; a relative import begins with a dot."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (f"{module}.{alias.name}" for alias in node.names)


def imports_any(path: Path, banned: frozenset[str]) -> list[str]:
    """Which of the file's imports are one of these modules, or lie in one."""
    return sorted({name for name in imported(path) if any(f"{name}.".startswith(f"{module}.") for module in banned)})
