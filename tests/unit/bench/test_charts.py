"""Charts: sound XML, axes that read, names that do not lie on each other."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uproar.bench.charts import Series, apart, bars, curves, decades, ticks
from uproar.bench.drawn import drawn
from uproar.bench.lines import Line, Result, Setup
from uproar.bench.svg import sheet

SVG = "{http://www.w3.org/2000/svg}"


def parsed(*drawings):
    return ElementTree.fromstring(sheet(drawings))


def texts(tree):
    return [found.text for found in tree.iter(f"{SVG}text")]


def test_a_bar_reaches_to_the_median_and_each_round_has_a_dot():
    tree = parsed(bars("Cost", "small", [Series("a<b", 1, [1, 2, 6]), Series("floor", 0, [4, 4, 4])], mark=1))
    widths = [float(rect.get("width")) for rect in tree.iter(f"{SVG}rect") if rect.get("fill-opacity")]
    assert widths[1] == pytest.approx(2 * widths[0], rel=1e-3)
    assert len(list(tree.iter(f"{SVG}circle"))) == 6
    assert {"Cost", "small", "a<b", "floor"} <= set(texts(tree))


def test_curves_rise_with_their_values_and_say_their_names():
    tree = parsed(curves("Late", "ms", ["p50", "p99"], [Series("send", 2, [10, 100])], logarithmic=True))
    (polyline,) = tree.iter(f"{SVG}polyline")
    (left, low), (right, high) = (map(float, point.split(",")) for point in polyline.get("points").split())
    assert left < right
    assert low > high  # y goes down
    assert {"p50", "p99", "send 100"} <= set(texts(tree))


def test_drawings_stand_below_each_other():
    one = bars("One", "", [Series("a", 1, [1])])
    tree = parsed(one, bars("Two", "", [Series("a", 1, [1])]))
    assert [group.get("transform") for group in tree.iter(f"{SVG}g")] == [
        "translate(0 0)",
        f"translate(0 {one.height})",
    ]


@given(st.floats(1e-6, 1e9))
def test_ticks_are_few_and_within(most):
    found = ticks(most)
    assert 3 <= len(found) <= 10
    assert found[0] == 0
    assert found[-1] <= most * (1 + 1e-9)


@given(st.floats(1e-3, 1e6), st.floats(2.6, 1e4))
def test_decades_lie_between_and_there_is_one(low, factor):
    found = decades(low, low * factor)
    assert found == sorted(found)
    assert found
    assert all(low <= tick <= low * factor for tick in found)


@given(st.lists(st.floats(0, 300), max_size=9))
def test_names_are_moved_apart_and_keep_their_order(places):
    moved = apart(places, 16)
    order = sorted(moved)
    assert all(below - above >= 16 - 1e-9 for above, below in zip(order, order[1:], strict=False))
    assert sorted(range(len(places)), key=lambda at: (places[at], moved[at])) == sorted(
        range(len(places)), key=moved.__getitem__
    )


def test_a_result_has_its_ratios_and_latencies():
    late = {f"latency_{word}_ms": value for word, value in zip(("p50", "p90", "p99", "max"), (1, 2, 3, 4), strict=True)}
    lines = [Line(who, "", 1, {"cpu_us_per_frame": us} | late) for who, us in (("floor", 1), ("send", 2), ("ws", 4))]
    tree = ElementTree.fromstring(drawn([Result("steady", Setup(20, 1, 1, 10), lines)]))
    assert len(list(tree.iter(f"{SVG}polyline"))) == 3
    assert {"0.5", "0.25"} <= {text.removesuffix("0") for text in texts(tree)}


def test_a_run_is_drawn_over_its_minutes():
    lines = [Line("send", f"{at} min", 1, {"minute": at, "rss_mib": 50 + at}) for at in range(1, 9)]
    tree = ElementTree.fromstring(drawn([Result("endurance", Setup(20, 1, 1, 10), lines)]))
    (polyline,) = tree.iter(f"{SVG}polyline")
    assert len(polyline.get("points").split()) == 8


def test_nothing_is_drawn_of_nothing():
    assert drawn([Result("growth", Setup(0, 1, 1, 10), [Line("send", "", 1, {"acked": 5})])]) == ""
