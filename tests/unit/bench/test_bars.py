"""Bars: whose figure is held to what, in which rounds, and by how much it misses."""

import pytest

from uproar.bench.bars import BEST_PEER, Bar, Side, judge
from uproar.bench.catalogue import PROFILES
from uproar.bench.lines import COST, FLOOR, Line, floor_ratios


def lines_of(**values):
    """`floor=(1, 2)`: the figure `us` of the floor in rounds 1 and 2; `send__calm` has a case."""
    for name, of_rounds in values.items():
        who, _, case = name.partition("__")
        for number, value in enumerate(of_rounds, 1):
            if value is not None:
                yield Line(who, case, number, {"us": value})


def verdicts(bar, **values):
    return list(judge([bar], list(lines_of(**values))))


FLOOR_OVER_SEND = Bar("floor / send", Side("us", FLOOR), "at least", 0.9, Side("us", "send"))


@pytest.mark.parametrize(
    ("bar", "values", "median", "missed_by"),
    [
        (Bar("", Side("us"), "at most", 10), {"send": (9, 10, 11)}, 10, 0),
        (Bar("", Side("us"), "at most", 10), {"send": (9, 12, 13)}, 12, 0.2),
        (Bar("", Side("us"), "at least", 10), {"send": (8, 8, 20)}, 8, 0.2),
        (Bar("", Side("us"), "at most", 10, every_round=True), {"send": (1, 1, 15)}, 1, 0.5),
        (Bar("", Side("us"), "at least", 1, every_round=True), {"send": (0.5, 1, 1)}, 1, 0.5),
        (Bar("", Side("us"), "at most", 0, every_round=True), {"send": (0, 0, 3)}, 0, 3),
        (Bar("", Side("us", case="calm"), "at most", 1), {"send": (9,), "send__calm": (1,)}, 1, 0),
        (FLOOR_OVER_SEND, {"floor": (9, 4), "send": (10, 8)}, 0.7, 0.2 / 0.9),
        (FLOOR_OVER_SEND, {"floor": (9, None), "send": (10, 1)}, 0.9, 0),
        (
            Bar("", Side("us", BEST_PEER), "at least", 1, Side("us", "send")),
            {"send": (1, 1), "ws": (2, 9), "nats": (4, 4)},
            3,
            0,
        ),
    ],
)
def test_a_figure_is_held_to_its_bar(bar, values, median, missed_by):
    (verdict,) = verdicts(bar, **values)
    assert (verdict.value.median, verdict.missed_by) == (pytest.approx(median), pytest.approx(missed_by))
    assert verdict.met == (missed_by == 0)


@pytest.mark.parametrize(
    ("bar", "values"),
    [
        (FLOOR_OVER_SEND, {"send": (1,)}),
        (FLOOR_OVER_SEND, {"floor": (1,)}),
        (FLOOR_OVER_SEND, {"floor": (1, None), "send": (None, 1)}),
        (Bar("", Side("us"), "at most", 1), {"floor": (1,), "ws": (1,)}),
        (Bar("", Side("ms"), "at most", 1), {"send": (1,)}),
        (Bar("", Side("us", BEST_PEER), "at least", 1, Side("us", "send")), {"send": (1,)}),
    ],
)
def test_what_was_not_measured_has_no_verdict(bar, values):
    assert verdicts(bar, **values) == []


def test_a_bar_of_ours_holds_every_form_against_its_own():
    bar = Bar("", Side("us", case="stopped"), "at most", 1, Side("us", case="calm"))
    found = verdicts(bar, python__calm=(2,), python__stopped=(1,), send__calm=(1,), send__stopped=(2,))
    assert [(one.who, one.value.median) for one in found] == [("python", 0.5), ("send", 2)]


@pytest.mark.parametrize(
    ("bound", "value", "words"),
    [
        (10, 10, "met"),
        (10, 11, "missed by 10 %"),
        (10, 10.01, "missed by 1 %"),
        (10, 31, "missed: 3.1 × the bar"),
        (0, 0, "met"),
        (0, 2, "missed"),
    ],
)
def test_a_verdict_in_words(bound, value, words):
    (verdict,) = verdicts(Bar("", Side("us"), "at most", bound), send=(value,))
    assert verdict.words == words


@pytest.mark.parametrize(
    ("value", "words"), [(2, "met"), (1.8, "missed by 10 %"), (0, "missed by 100 %"), (-1, "missed by 150 %")]
)
def test_what_is_too_little_misses_by_a_share_of_the_bar(value, words):
    (verdict,) = verdicts(Bar("", Side("us"), "at least", 2), send=(value,))
    assert verdict.words == words


@pytest.mark.parametrize(
    ("peers", "whose"),
    [
        ({"ws": (2, 9), "nats": (4, 10)}, "send; best peer: ws (of ws, nats)"),
        ({"ws": (2, 9), "nats": (4, 4)}, "send; best peer: ws or nats (of ws, nats)"),
    ],
)
def test_a_verdict_beside_the_best_peer_names_it_and_among_whom(peers, whose):
    (verdict,) = verdicts(Bar("", Side("us"), "at most", 1, Side("us", BEST_PEER)), send=(1, 1), **peers)
    assert verdict.whose == whose


def test_a_verdict_of_ones_own_figure_names_its_form():
    (verdict,) = verdicts(Bar("", Side("us"), "at most", 1), send=(1,), ws=(1,))
    assert verdict.whose == "send"


@pytest.mark.parametrize("cost", [0, -2])
def test_a_cost_of_nothing_or_less_is_no_figure(cost):
    lines = [Line("floor", "", 1, {COST: 4}), Line("send", "", 1, {COST: cost}), Line("ws", "", 1, {COST: cost})]
    bars = [Bar("", Side(COST), "at most", 9), Bar("", Side(COST, BEST_PEER), "at least", 1, Side(COST, FLOOR))]
    assert list(judge(bars, lines)) == []
    assert floor_ratios(lines) == {}


NOBODY_SERVED = {"frames_per_s": 0, "asked_per_s": 10, "lost": 0, "wrong": 0, "closes": 0}


@pytest.mark.parametrize(
    ("name", "cases"),
    [("steady", ("", "deflated")), ("latency", ("",)), ("rounds", ("",)), ("scaling", ("few", "many"))],
)
@pytest.mark.parametrize(
    ("changed", "missed"),
    [
        ({"frames_per_s": 10}, set()),
        ({"frames_per_s": 9.8}, set()),
        ({"frames_per_s": 0}, {"frames a second / asked for"}),
        ({"frames_per_s": 9.7}, {"frames a second / asked for"}),
        ({"frames_per_s": 10, "lost": 1}, {"frames lost"}),
        ({"frames_per_s": 10, "wrong": 1}, {"frames damaged or repeated"}),
        ({"frames_per_s": 10, "closes": 1}, {"closes"}),
    ],
)
def test_a_server_that_delivers_too_little_or_wrongly_does_not_pass(name, cases, changed, missed):
    lines = [Line("send", case, 1, NOBODY_SERVED | changed) for case in cases]
    found = [one.bar.what for one in judge(PROFILES[name].bars, lines) if not one.met]
    assert sorted(found) == sorted(f"{what}, {case}" if case else what for what in missed for case in cases)


def test_a_bar_in_words():
    assert str(Bar("ack p99, ms", Side("ack_p99_ms"), "at most", 40)) == "ack p99, ms ≤ 40"


def test_ratios_are_of_the_same_round():
    costs = {"floor": (1, 4, 9), "send": (2, 4, None), "ws__calm": (None, None, 3)}
    lines = [Line(one.who, one.case, one.round, {COST: one.figures["us"]}) for one in lines_of(**costs)]
    ratios = floor_ratios(lines)
    assert {key: of.median for key, of in ratios.items()} == {("send", ""): 0.75, ("ws", "calm"): 3}


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_every_profile_says_what_it_does(profile):
    assert profile.sentence.endswith(".")
    assert profile.shows
