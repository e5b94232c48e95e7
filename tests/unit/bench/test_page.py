"""Results on a page: their tables, between the page's marks, and never stale in docs/."""

import pytest

from tests.architecture.tree import ROOT
from uproar.bench.lines import Line, Machine, Report, Result, Setup
from uproar.bench.page import BEGIN, END, filled, part
from uproar.cli import application
from uproar.core.errors import Misconfigured

MACHINE = Machine("Some CPU", 2, 24, "Linux 6.18", "3.11.7")
LINES = [
    Line(who, "", number, {"cpu_us_per_frame": us, "lost": 0})
    for number in (1, 2, 3)
    for who, us in (("floor", 4), ("send", 4 + number))
]
RESULT = Result("steady", Setup(2_000, 3, 8, 10), LINES, {"nchan": "It is not here: install it.\nmore words"})
REPORT = Report("0.1.0 (abc)", "2026-11-24T15:45+00:00", MACHINE, [RESULT])


def test_a_result_is_two_tables_and_who_was_absent():
    text = part([(REPORT, "figures/steady.svg")])
    assert "### `uproar bench steady`" in text
    assert "2,000 viewers, 3 rounds of 8 s." in text
    assert "| send | 6 (5-7) |" in text
    assert "| CPU a frame, floor / send ≥ 0.9 | send | 0.667 (0.571-0.8) | **missed by 26 %** |" in text
    assert "| frames lost ≤ 0 | send | 0 | **met** |" in text
    assert "Not measured: nchan. It is not here: install it.\n" in text
    assert "more words" not in text
    assert "![The same as curves](figures/steady.svg)" in text
    assert "Measured with 0.1.0 (abc) on 2026-11-24: 2 cores of Some CPU, 24 GiB" in text


def test_a_page_keeps_what_is_around_its_marks():
    page = filled(f"before\n{BEGIN}\nold\n{END}\nafter\n", "new\n")
    assert page == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    assert filled(page, "new\n") == page


@pytest.mark.parametrize("page", ["", BEGIN, END, f"{END}{BEGIN}"])
def test_a_page_without_marks_is_refused(page):
    with pytest.raises(Misconfigured, match="does not say where"):
        filled(page, "new")


def test_the_page_of_figures_is_not_stale():
    files = [str(file) for file in sorted((ROOT / "docs" / "figures").glob("*.json"))]
    words = ["bench", "report", *files, "--into", str(ROOT / "docs" / "performance.md"), "--check"]
    assert files
    with pytest.raises(SystemExit) as ended:
        application(words)(words)
    assert ended.value.code == 0, "make figures"
