"""The design's picture of the house, executed: floors, rules, the HOT chain, docstrings, names that must not leak."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

from tests.architecture.tree import ROOT, SOURCE, imported, imports_any, is_port, is_rule, name_of, sources, tree_of

FILES = {"fcntl", "glob", "importlib", "io", "mmap", "os", "pathlib", "shutil", "sys", "tempfile"}
NETWORK = {"aiohttp", "http", "httptools", "httpx", "select", "selectors", "socket", "socketserver", "ssl"}
MACHINE = {"asyncio", "concurrent", "ctypes", "logging", "multiprocessing", "signal", "subprocess", "threading"}
SERVERS = {"apsw", "cassandra", "litestar", "redis", "sqlite3", "structlog", "typer", "urllib.request", "uvicorn"}
OUTSIDE = frozenset(FILES | NETWORK | MACHINE | SERVERS | {"uvloop"})
CLOCK_AND_DICE = frozenset({"time", "datetime", "random", "secrets", "uuid", "zoneinfo"})

OUTSIDE_ALLOWED = {"moderation/packs/__init__.py": {"importlib.resources.files"}}
"""Word lists that came with the package are read as if they stood in the code."""

ASYNC = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)

PATTERNS: dict[str, str] = {}
"""The files that may use backtracking patterns, and why none of them meets a user's text."""

everywhere = pytest.mark.parametrize("path", sources(), ids=name_of)
rules = pytest.mark.parametrize("path", [path for path in sources() if is_rule(path)], ids=name_of)


def test_imports_only_go_down_and_neighbours_are_strangers(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename="pyproject.toml", no_cache=True) == EXIT_STATUS_SUCCESS


@rules
def test_a_rule_has_no_outside(path):
    assert [name for name in imports_any(path, OUTSIDE) if name not in OUTSIDE_ALLOWED.get(name_of(path), ())] == []


@rules
def test_a_rule_has_no_clock_and_no_dice(path):
    assert imports_any(path, CLOCK_AND_DICE) == []


@rules
def test_a_rule_never_waits(path):
    waits = [node for node in ast.walk(tree_of(path)) if isinstance(node, ASYNC)]
    assert [node.lineno for node in waits if not (is_port(path) and _is_promise(node))] == []


@rules
def test_a_rule_opens_no_file(path):
    assert [call.lineno for call in _calls(path, "open")] == []


KNOWN_BY = {
    "litestar": ("api/",),
    "uvicorn": ("assembly/listening.py", "gateway/http/", "bench/"),
    "apsw": ("sqlite/", "log/sqlite", "store/sqlite", "timeline/sqlite", "cli/"),
}
"""Where an outside's own words may be spoken; everyone else speaks ours."""


@everywhere
def test_an_outsides_words_stay_where_it_is_met(path):
    strangers = frozenset(library for library, files in KNOWN_BY.items() if not name_of(path).startswith(files))
    assert imports_any(path, strangers) == []


def _is_promise(node: ast.AST) -> bool:
    """Whether this states what a kind will do, and does nothing: a docstring is all that it has."""
    return isinstance(node, ast.AsyncFunctionDef) and len(node.body) == 1 and ast.get_docstring(node) is not None


# ---- the HOT chain


def _method(path: Path, owner: str, name: str) -> ast.FunctionDef:
    classes = [node for node in tree_of(path).body if isinstance(node, ast.ClassDef) and node.name == owner]
    return next(node for node in classes[0].body if isinstance(node, ast.FunctionDef) and node.name == name)


BARE = (ast.For, ast.Expr, ast.Call, ast.Attribute, ast.Name, ast.expr_context)
"""All that the HOT loop is made of: a loop over names that calls one method on each."""


def test_the_hot_chain_is_bare():
    deliver = _method(SOURCE / "gateway" / "room.py", "Room", "deliver")
    body = [node for statement in deliver.body[1:] for node in ast.walk(statement)]
    assert [ast.unparse(node) for node in body if not isinstance(node, BARE)] == []
    assert [ast.unparse(node) for node in body if isinstance(node, ast.Call)] == ["transport.write(data)"]


def test_an_empty_slot_takes_the_write_and_does_nothing():
    write = _method(SOURCE / "gateway" / "viewer.py", "_Nowhere", "write")
    assert len(write.body) == 1
    assert ast.get_docstring(write)


# ---- docstrings


@everywhere
def test_a_module_opens_with_one_sentence(path):
    first = (ast.get_docstring(tree_of(path)) or "").split("\n\n")[0].replace("\n", " ")
    assert first.endswith((".", ":"))
    assert not re.search(r"\w\. [A-Z]", first), "more than one sentence"


@everywhere
def test_every_public_name_says_what_it_is(path):
    assert [name for name, node in _public(tree_of(path)) if not ast.get_docstring(node)] == []


Named = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def _public(within: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Named]]:
    for node in within.body:
        if isinstance(node, Named) and not node.name.startswith("_") and not _is_overload(node):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                yield from ((f"{node.name}.{name}", inner) for name, inner in _public(node))


def _is_overload(node: Named) -> bool:
    return any(ast.unparse(decorator).endswith(("overload", ".setter")) for decorator in node.decorator_list)


# ---- what is nowhere


def _calls(path: Path, function: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree_of(path)) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == function]


@everywhere
def test_nothing_is_imported_by_a_relative_name(path):
    assert [name for name in imported(path) if name.startswith(".")] == []


@everywhere
def test_nothing_is_placed_by_a_hash_that_changes_with_the_process(path):
    assert [call.lineno for call in _calls(path, "hash")] == []


@everywhere
def test_no_pattern_that_can_backtrack_meets_a_users_text(path):
    if name_of(path) not in PATTERNS:
        assert imports_any(path, frozenset({"re", "regex", "fnmatch"})) == []


def test_every_exception_still_stands():
    named = {*PATTERNS, *OUTSIDE_ALLOWED}
    assert [name for name in named if not (SOURCE / name).exists()] == []
    assert [name for name in PATTERNS if not imports_any(SOURCE / name, frozenset({"re", "regex", "fnmatch"}))] == []


# ---- what must not leak

# The patterns are put together from halves, so that this file does not hold what it looks for.
LEAKS = re.compile(
    "|".join(
        [
            r"(?<![\w.~}])/" + r"(?:work|root|home/\w+)/",
            r"(?<![\w.~}])/" + r"tmp/\w",
            r"//[\w.-]*" + r"(?:artifactory|nexus|pypi|registry\.npmjs|proxy\.golang)\b",
            r"index" + r"-url[ =]+\S*:",
            r"https?://\S+" + r"/simple\b",
        ]
    )
)


def _committed() -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return [ROOT / name for name in listed if name and (ROOT / name).is_file()]


def test_no_committed_file_names_a_registry_or_a_path_of_one_machine():
    found = []
    for path in _committed():
        text = path.read_bytes().decode("utf-8", "replace")
        found += [f"{path.relative_to(ROOT)}: {match[0]}" for match in LEAKS.finditer(text)]
    assert found == []
