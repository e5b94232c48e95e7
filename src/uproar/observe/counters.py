"""The numbers of one process, counted as things happen."""

from typing import Final, Generic, Protocol, Self, TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from uproar.observe import names
from uproar.observe.names import LABEL_VALUES, MILLISECONDS_AND_UP, Metric

OTHER: Final = "other"

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which no board shows


class _Labelled(Protocol):
    def labels(self, value: str, /) -> Self: ...


Child = TypeVar("Child", bound=_Labelled)


class Family(Generic[Child]):
    """A metric with one label, of at most `LABEL_VALUES` values: whatever comes after those is `other`."""

    def __init__(self, parent: Child, values: tuple[str, ...]) -> None:
        self._parent = parent
        self._children: dict[str | int, Child] = {value: parent.labels(value) for value in values}

    def labels(self, value: str | int) -> Child:
        """The metric for this value; callers in a hurry keep it."""
        return self._children.get(value) or self._admit(value)

    def _admit(self, value: str | int) -> Child:
        if len(self._children) >= LABEL_VALUES:
            return self._parent.labels(OTHER)
        child = self._children[value] = self._parent.labels(str(value))
        return child


class Metrics:
    """Every metric of `names`, as an attribute, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.posts = self._counters(names.POSTS)
        self.refusals = self._counters(names.REFUSALS)
        self.ack_seconds = self._histogram(names.ACK_SECONDS)
        self.post_to_display_seconds = self._histogram(names.POST_TO_DISPLAY_SECONDS)
        self.fanout_frame_seconds = self._histogram(names.FANOUT_FRAME_SECONDS)
        self.frames = self._counter(names.FRAMES)
        self.deliveries = self._counters(names.DELIVERIES)
        self.viewers = self._gauge(names.VIEWERS)
        self.streams = self._gauge(names.STREAMS)
        self.gateways = self._gauge(names.GATEWAYS)
        self.lagging_viewers = self._gauge(names.LAGGING_VIEWERS)
        self.skipped = self._counter(names.SKIPPED)
        self.resumes = self._counters(names.RESUMES)
        self.store_reads = self._counter(names.STORE_READS)
        self.timeline_reads = self._counter(names.TIMELINE_READS)
        self.log_lag = self._gauges(names.LOG_LAG)
        self.dead_letters = self._counters(names.DEAD_LETTERS)
        self.left_out = self._counter(names.LEFT_OUT)
        self.reactions = self._counter(names.REACTIONS)
        self.dropped_reactions = self._counter(names.DROPPED_REACTIONS)
        self.closes = self._counters(names.CLOSES)
        self.handshakes_refused = self._counters(names.HANDSHAKES_REFUSED)
        self.connections_refused = self._counter(names.CONNECTIONS_REFUSED)
        self.loop_lag_seconds = self._histogram(names.LOOP_LAG_SECONDS)
        self.asides_dropped = self._counter(names.ASIDES_DROPPED)

    def _counter(self, metric: Metric) -> Counter:
        return Counter(metric.name, metric.sentence, registry=self.registry)

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.name, metric.sentence, registry=self.registry)

    def _histogram(self, metric: Metric) -> Histogram:
        return Histogram(metric.name, metric.sentence, buckets=MILLISECONDS_AND_UP, registry=self.registry)

    def _counters(self, metric: Metric) -> Family[Counter]:
        return Family(Counter(metric.name, metric.sentence, [metric.label], registry=self.registry), metric.values)

    def _gauges(self, metric: Metric) -> Family[Gauge]:
        return Family(Gauge(metric.name, metric.sentence, [metric.label], registry=self.registry), metric.values)
