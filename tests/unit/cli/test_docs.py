"""The pages that are made from the code are those of the code."""

from pathlib import Path

import pytest

from uproar.api.document import operations
from uproar.api.server import openapi
from uproar.cli.docs import PAGES
from uproar.cli.rest_page import kind
from uproar.cli.tables import table
from uproar.core.refusal import Refusal
from uproar.observe.names import METRICS
from uproar.settings import manual

DOCS = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_not_stale(name):
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run: uproar docs"


def test_every_setting_metric_and_refusal_has_its_line():
    told = [f"| `{line.name}` | `{line.environment}` |" for line in manual()]
    assert [line for line in told if line not in PAGES["settings.md"]()] == []
    assert [metric.name for metric in METRICS if f"| `{metric.name}` |" not in PAGES["metrics.md"]()] == []
    assert [each for each in Refusal if f"| {each.code} | `{each.reason}` |" not in PAGES["protocol.md"]()] == []


def test_every_rest_call_and_every_body_has_its_place():
    page, api = PAGES["protocol.md"](), openapi()
    calls = [f"| `{method} {path}` |" for method, path, _ in operations(api)]
    assert len(calls) >= 25
    assert [call for call in calls if call not in page] == []
    named = {"Shown": "Comment", "ShownParent": "Parent", "Batch": "batch", "Joined": "joined"}
    bodies = [f"### `{named.get(name, name)}`\n" for name in api["components"]["schemas"]]
    assert [body for body in bodies if page.count(body) != 1] == []


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 200.0}, "integer, 1 to 200"),
        ({"type": "integer"}, "integer"),
        ({"type": "string", "maxLength": 9}, "text of 0 to 9 characters"),
        ({"type": "string", "pattern": "^a$"}, "text like `^a$`"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Shown"}}, "list of `Comment`"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 4}, "list of up to 4 text"),
        ({"type": "object", "additionalProperties": {"type": "number"}}, "map of text to number"),
        ({"anyOf": [{"type": "boolean"}, {"type": "null"}]}, "true or false or null"),
        ({"enum": ["live", "ended"]}, "`live` or `ended`"),
    ],
)
def test_a_schema_in_words(schema, words):
    assert kind(schema, {"Shown": "Comment"}) == words


def test_docs_are_written_once_and_then_checked(uproar, tmp_path):
    first = uproar("docs", "--out", "pages")
    assert (first.status, len(first.out.splitlines())) == (0, len(PAGES))
    assert (uproar("docs", "--out", "pages").out, uproar("docs", "--out", "pages", "--check").status) == ("", 0)
    (tmp_path / "pages" / "settings.md").write_text("old")
    checked = uproar("docs", "--out", "pages", "--check")
    assert (checked.status, checked.out) == (1, "pages/settings.md is stale: uproar docs\n")
    assert (tmp_path / "pages" / "settings.md").read_text() == "old"


def test_a_bar_in_a_cell_ends_no_column():
    assert table(("a", "b"), [("x|y", "z")]) == "| a | b |\n| --- | --- |\n| x\\|y | z |\n"
