"""Results on a terminal: medians with their ends, ratios to the floor, verdicts, and who was absent."""

from rich.console import Console

from uproar.bench.bars import judge
from uproar.bench.catalogue import PROFILES
from uproar.bench.lines import Line, Result, Setup
from uproar.bench.tables import progress, tables

STEADY = PROFILES["steady"]
LINES = [
    Line(who, case, number, {"cpu_us_per_frame": us + number, "lost": 0})
    for number in (1, 2, 3)
    for who, case, us in (("floor", "", 2), ("send", "", 3), ("send", "deflated", 30))
]


def shown(profile, lines, absent=()):
    result = Result(profile.name, Setup(20, 3, 8, 10), lines, dict(absent))
    console = Console(width=200, record=True)
    with console.capture() as capture:
        console.print(tables(profile, result, list(judge(profile.bars, lines))))
    return [[cell.strip() for cell in line.split("│")[1:-1]] or line for line in capture.get().splitlines()]


def test_each_has_its_medians_and_the_floors_share():
    rows = shown(STEADY, LINES)
    assert ["floor", "4 (3-5)", "0", ""] in rows
    assert ["send", "5 (4-6)", "0", "0.8 (0.75-0.833)"] in rows
    assert ["send, deflated", "32 (31-33)", "0", "0.125 (0.0968-0.152)"] in rows


def test_each_bar_has_its_verdict():
    rows = shown(STEADY, LINES)
    assert ["CPU a frame, floor / send ≥ 0.9", "send", "0.8 (0.75-0.833)", "missed by 11 %"] in rows
    assert ["frames lost ≤ 0", "send", "0", "met"] in rows


def test_samples_of_a_long_run_are_told_as_they_come_and_stand_in_no_table():
    endurance = PROFILES["endurance"]
    sample = Line("send", "1.0 min", 1, {"minute": 1.0, "rss_mib": 80.0})
    rows = shown(endurance, [sample, Line("send", "", 1, {"rss_mib_late": 1.0})])
    assert progress(endurance, sample) == "endurance, round 1, send, 1.0 min: RSS, MiB 80"
    assert ["send", "1"] in rows
    assert not [row for row in rows if row[0] == "send, 1.0 min"]


def test_who_was_absent_is_told_where_nothing_was_measured():
    rows = shown(PROFILES["gateways"], [], {"gateways": "It needs 5 cores, and this machine has 2."})
    assert rows[-1] == "gateways: It needs 5 cores, and this machine has 2."
