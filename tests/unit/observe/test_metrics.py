"""Every metric stands once, is counted, and is told."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from uproar.observe.adding import Added
from uproar.observe.counters import OTHER, Metrics
from uproar.observe.expose import expose
from uproar.observe.names import LABEL_VALUES, METRICS


def told(metrics):
    """{(sample name, its labels' values): value}"""
    families = text_string_to_metric_families(expose(Added(metrics)).decode())
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_every_named_metric_is_told_and_no_other():
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", expose(Added(Metrics())).decode(), re.MULTILINE))
    assert types == {metric.name: metric.kind for metric in METRICS}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_names_keep_the_conventions(metric):
    assert metric.name.startswith("uproar_")
    assert metric.name.endswith("_total") is (metric.kind == "counter")
    assert metric.name.endswith("_seconds") is (metric.kind == "histogram")
    assert metric.sentence.endswith(".")
    assert bool(metric.label) >= bool(metric.values)


def test_counts_are_told():
    metrics = Metrics()
    metrics.posts.labels("ok").inc()
    metrics.posts.labels("ok").inc(2)
    metrics.closes.labels(4001).inc()
    metrics.log_lag.labels("persist").set(7)
    metrics.viewers.set(3)
    metrics.ack_seconds.observe(0.004)
    numbers = told(metrics)
    assert numbers["uproar_posts_total", "ok"] == 3
    assert numbers["uproar_closes_total", "4001"] == 1
    assert numbers["uproar_log_lag", "persist"] == 7
    assert numbers["uproar_viewers",] == 3
    assert (numbers["uproar_ack_seconds_bucket", "0.0025"], numbers["uproar_ack_seconds_bucket", "0.005"]) == (0, 1)


def test_known_values_are_there_before_anything_happens():
    numbers = told(Metrics())
    for metric in METRICS:
        assert [numbers[metric.name, value] for value in metric.values] == [0] * len(metric.values)


def test_a_label_is_bounded():
    metrics = Metrics()
    for n in range(10 * LABEL_VALUES):
        metrics.refusals.labels(f"reason-{n}").inc()
    values = {key[1]: value for key, value in told(metrics).items() if key[0] == "uproar_refusals_total"}
    assert len(values) == LABEL_VALUES + 1
    assert values[OTHER] == 9 * LABEL_VALUES


def test_a_value_has_one_child():
    metrics = Metrics()
    assert metrics.closes.labels(4001) is metrics.closes.labels(4001)


def test_two_processes_worth_of_metrics_do_not_meet():
    one, two = Metrics(), Metrics()
    one.frames.inc()
    assert told(two)["uproar_frames_total",] == 0
