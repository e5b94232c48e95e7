"""`uproar bench` over the real thing: a small measurement, and all that it leaves."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from uproar.bench.catalogue import PROFILES
from uproar.bench.compiled import compiler

UPROAR = Path(sys.executable).with_name("uproar")
WITHIN_S = 120

needs_compiler = pytest.mark.skipif(compiler() is None, reason="this machine has no C compiler")


def bench(*words, **environment):
    command = [UPROAR, "bench", *words]
    return subprocess.run(
        command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )


@needs_compiler
def test_a_small_measurement_is_told_kept_and_drawn(tmp_path):
    kept, drawn = tmp_path / "steady.json", tmp_path / "steady.svg"
    size = ("--quick", "--viewers", "20", "--senders", "python", "--deflate")
    ran = bench("steady", *size, "--json", str(kept), "--svg", str(drawn), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert ran.returncode == 0, ran.stderr
    assert "steady" in ran.stdout
    assert "frames lost ≤ 0" in ran.stdout
    assert "frames a second / asked for, deflated ≥ 0.98" in ran.stdout
    told = json.loads(kept.read_bytes())
    assert told["machine"]["cores"] == os.cpu_count()
    (result,) = told["results"]
    assert (result["setup"]["viewers"], result["setup"]["rounds"]) == (20, 1)
    lines = {(line["who"], line["case"]): line["figures"] for line in result["lines"]}
    assert set(lines) == {("floor", ""), ("python", ""), ("python", "deflated")}
    assert [(figures["lost"], figures["wrong"], figures["closes"]) for figures in lines.values()] == [(0, 0, 0)] * 3
    assert lines["floor", ""]["frames_per_s"] == 10
    assert lines["python", ""]["frames_per_s"] == 10
    assert lines["python", ""]["frame_bytes"] == pytest.approx(2_048, rel=0.05)
    assert lines["python", "deflated"]["frames_per_s"] == 10
    assert lines["python", "deflated"]["frame_bytes"] < 1_024
    assert "latency_p50_ms" in lines["python", "deflated"]  # some were inflated
    names = [text.text.split()[0] for text in ElementTree.parse(drawn).iter() if text.tag.endswith("text")]
    assert {"floor", "python"} <= set(names)
    assert "### `uproar bench steady`" in bench("report", str(kept)).stdout


def test_what_is_not_known_is_named():
    ran = bench("steady", "nonsense")
    assert ran.returncode == 2
    assert "There is no nonsense" in ran.stderr


def test_without_the_programs_one_sentence_says_where_they_are_looked_for(tmp_path):
    ran = bench("steady", "--quick", BENCH_SOURCES=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].endswith("name the bench/ of a checkout of uproar in BENCH_SOURCES.")


def test_the_list_tells_of_every_profile():
    ran = bench("list")
    assert [line.split()[0] for line in ran.stdout.splitlines()] == list(PROFILES)
