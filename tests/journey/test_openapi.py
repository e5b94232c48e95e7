"""The OpenAPI page is true to the letter: whatever is asked, the answer is one that it tells.

schemathesis asks everything that the page allows, much that it does not, and chains of calls by the page's links; what
of it does not hold here, and why, is written in `schemathesis.toml`. `SCHEMATHESIS_EXAMPLES` asks more of each call.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "25")
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page(served):
    with urlopen(f"{served.url}/openapi.json", timeout=10) as answer:
        return json.loads(answer.read())


def references(value):
    """Every `$ref` within."""
    if isinstance(value, dict) and "$ref" in value:
        yield value["$ref"]
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from references(one)


def operations(page):
    return [operation for methods in page["paths"].values() for operation in methods.values()]


def test_the_page_has_every_call_of_the_protocol(page):
    assert len(operations(page)) >= 25


def test_the_page_points_only_to_what_it_has(page):
    schemas = {f"#/components/schemas/{name}" for name in page["components"]["schemas"]}
    assert set(references(page["paths"])) <= schemas
    assert set(references(page["components"])) <= schemas
    names = [operation["operationId"] for operation in operations(page)]
    assert len(names) == len(set(names))
    links = [
        link["operationId"]
        for operation in operations(page)
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    ]
    assert links
    assert set(links) <= set(names)


def test_every_answer_is_documented(served, boss, tmp_path):
    comment = served.call("POST", "/v1/streams/s1/comments", {"text": "known"}, boss)[1]
    shutil.copy(CONFIG, tmp_path)
    (tmp_path / "comments.txt").write_text(f'"{comment["id"]}"\n')
    config = ["--config-file", str(tmp_path / CONFIG.name)]
    asked = [f"{served.url}/openapi.json", "-n", EXAMPLES, "-H", f"Authorization: Bearer {boss}"]
    ran = subprocess.run(
        [SCHEMATHESIS, *config, "run", *asked, "--no-color"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.findall(r"✅ +(Coverage|Fuzzing|Stateful)", ran.stdout)[:3] == ["Coverage", "Fuzzing", "Stateful"]
