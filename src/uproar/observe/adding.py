"""The numbers of several processes, added up as if they were one's."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any, Final

from prometheus_client import Metric

from uproar.observe.counters import Metrics

Sample = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name, and its labels in order."""

Numbers = dict[str, list[tuple[Sample, float]]]
"""Samples by the name of their metric."""

OWN: Final = frozenset({"process_start_time_seconds", "process_max_fds"})
"""What makes no sense added up, and is the main process's alone."""


def numbers_of(metrics: Metrics) -> Numbers:
    """All numbers of one process, as they are now."""
    return {
        metric.name: [(_sample(sample), sample.value) for sample in metric.samples]
        for metric in metrics.registry.collect()
        if metric.name not in OWN
    }


class Added:
    """One process's metrics with the numbers of others. Those that ended are counted on, but for their gauges."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._others: dict[object, Numbers] = {}
        self._ended: Numbers = {}

    def tell(self, other: object, numbers: Numbers) -> None:
        """The other's numbers, all of them, instead of those it told before."""
        self._others[other] = numbers

    def end(self, other: object) -> None:
        """The other is no more."""
        last = self._others.pop(other, {})
        gauges = {metric.name for metric in self._metrics.registry.collect() if metric.type == "gauge"}
        for name in last.keys() - gauges:
            self._ended[name] = list(_sums(self._ended.get(name, ()), last[name]).items())

    def collect(self) -> Iterator[Metric]:
        """As a registry of `prometheus_client` does."""
        others = [self._ended, *self._others.values()]
        for metric in self._metrics.registry.collect():
            own = [(_sample(sample), sample.value) for sample in metric.samples]
            added = Metric(metric.name, metric.documentation, metric.type)
            for (name, labels), value in _sums(own, *(numbers.get(metric.name, ()) for numbers in others)).items():
                added.add_sample(name, dict(labels), value)
            yield added


def _sample(sample: Any) -> Sample:
    return sample.name, tuple(sample.labels.items())


def _sums(*samples: Iterable[tuple[Sample, float]]) -> dict[Sample, float]:
    sums: dict[Sample, float] = {}
    for sample, value in chain.from_iterable(samples):
        sums[sample] = sums.get(sample, 0.0) + value
    return sums
