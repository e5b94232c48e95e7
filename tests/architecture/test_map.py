"""The picture in docs/architecture.md is the one that the imports are held to."""

import re
import tomllib

from tests.architecture.tree import ROOT

FLOOR = re.compile(r"^floor (\d+)\s+(.*)$", re.MULTILINE)
PART = re.compile(r"(\w+)(?:/|\.py)(?=\s)")


def test_the_map_shows_the_floors_that_imports_are_held_to():
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    shown = [(int(number), set(PART.findall(f"{rest} "))) for number, rest in FLOOR.findall(page)]
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]["layers"]
    assert shown == [
        (len(layers) - 1 - above, {part.strip() for part in layer.split("|")}) for above, layer in enumerate(layers)
    ]
