"""Files of measurements: what was written is read again, and the page follows."""

import pytest

from uproar.bench.drawn import drawn
from uproar.bench.lines import COST, Line, Machine, Report, Result, Setup
from uproar.bench.page import BEGIN, END
from uproar.bench.reporting import made, read, stale, write
from uproar.core.errors import Misconfigured


def report_of(name, us):
    lines = [Line("floor", "", 1, {"cpu_us_per_frame": 4.0}), Line("send", "", 1, {"cpu_us_per_frame": us})]
    return Report("0.1.0", "2026-11-24T15:45+00:00", Machine("cpu", 2, 24, "Linux", "3.11"), [result_of(name, lines)])


def result_of(name, lines):
    return Result(name, Setup(20, 1, 2.0, 10.0, ("send",), ("ws",)), lines, {"ws": "It is not here."})


def test_what_was_written_is_read_again(tmp_path):
    file = tmp_path / "steady.json"
    write(report_of("steady", 5.0), file)
    assert read(file) == report_of("steady", 5.0)


def test_a_page_and_its_pictures_are_stale_until_they_are_written(tmp_path):
    page, file = tmp_path / "docs" / "page.md", tmp_path / "docs" / "figures" / "steady.json"
    file.parent.mkdir(parents=True)
    page.write_text(f"Hello.\n{BEGIN}\n{END}\nBye.\n")
    write(report_of("steady", 5.0), file)
    texts = made([file], page)
    assert stale(texts) == [page, file.with_suffix(".svg")]
    for path, text in texts.items():
        path.write_text(text)
    assert stale(made([file], page)) == []
    assert "(figures/steady.svg)" in page.read_text()
    assert page.read_text().startswith("Hello.\n")
    write(report_of("steady", 6.0), file)
    assert stale(made([file], page)) == [page, file.with_suffix(".svg")]


def test_what_has_nothing_to_draw_has_no_picture(tmp_path):
    page, file = tmp_path / "page.md", tmp_path / "growth.json"
    page.write_text(BEGIN + END)
    lines = [Line("send", "", 1, {"acked": 5})]
    write(Report("0.1.0", "2026-11-24", Machine("", 1, 1, "", ""), [result_of("growth", lines)]), file)
    assert list(made([file], page)) == [page]


@pytest.mark.parametrize("cost", [0, -1.5])
def test_a_cost_of_nothing_or_less_is_not_drawn(cost):
    lines = [Line("floor", "", 1, {COST: 4.0}), Line("send", "", 1, {COST: 5.0}), Line("send", "", 2, {COST: cost})]
    assert drawn([result_of("steady", [*lines, Line("floor", "", 2, {COST: 4.0})])])
    assert not drawn([result_of("steady", [lines[0], Line("send", "", 1, {COST: cost})])])


@pytest.mark.parametrize("text", [None, "", "{}", "nonsense"])
def test_what_is_no_measurement_is_told(tmp_path, text):
    file = tmp_path / "steady.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(Misconfigured, match="holds no measurement"):
        read(file)
