"""Numbers of several processes read as if they were one's."""

from msgspec import msgpack
from prometheus_client.parser import text_string_to_metric_families

from uproar.observe.adding import Added, Numbers, numbers_of
from uproar.observe.counters import Metrics
from uproar.observe.expose import expose


def busy(viewers=0, posts=0, close="4001", closes=0, lags=()):
    """Another process's numbers, as they come over a link."""
    metrics = Metrics()
    metrics.viewers.set(viewers)
    metrics.posts.labels("ok").inc(posts)
    metrics.closes.labels(close).inc(closes)
    for lag in lags:
        metrics.loop_lag_seconds.observe(lag)
    return msgpack.decode(msgpack.encode(numbers_of(metrics)), type=Numbers)


def told(added):
    families = text_string_to_metric_families(expose(added).decode())
    return {(sample.name, *sample.labels.values()): sample.value for family in families for sample in family.samples}


def test_alone_the_numbers_are_the_own_ones():
    metrics = Metrics()
    metrics.posts.labels("ok").inc(3)
    assert told(Added(metrics))["uproar_posts_total", "ok"] == 3


def test_counters_gauges_and_histograms_are_added_up():
    metrics = Metrics()
    metrics.viewers.set(1)
    metrics.loop_lag_seconds.observe(0.003)
    added = Added(metrics)
    added.tell("a", busy(viewers=10, posts=2, lags=[0.003, 9]))
    added.tell("b", busy(viewers=100, posts=5, close="4002", closes=4))
    found = told(added)
    assert found["uproar_viewers",] == 111
    assert found["uproar_posts_total", "ok"] == 7
    assert found["uproar_closes_total", "4002"] == 4  # which the main process never saw
    assert found["uproar_loop_lag_seconds_bucket", "0.005"] == 2
    assert found["uproar_loop_lag_seconds_bucket", "+Inf"] == found["uproar_loop_lag_seconds_count",] == 3


def test_what_is_told_replaces_what_was_told_before():
    added = Added(Metrics())
    added.tell("a", busy(viewers=10, posts=2))
    added.tell("a", busy(viewers=9, posts=3))
    assert (told(added)["uproar_viewers",], told(added)["uproar_posts_total", "ok"]) == (9, 3)


def test_counters_of_who_ended_never_fall_and_gauges_are_gone():
    added = Added(Metrics())
    for run in range(3):
        added.tell(run, busy(viewers=10, posts=2, closes=1, lags=[0.1]))
        added.end(run)
        added.end(run)
    found = told(added)
    assert (found["uproar_viewers",], found["uproar_posts_total", "ok"], found["uproar_closes_total", "4001"]) == (
        0,
        6,
        3,
    )
    assert found["uproar_loop_lag_seconds_count",] == 3
