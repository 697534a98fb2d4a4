"""Metrics as Prometheus reads them; the only user of prometheus_client.

Imported when somebody asks for the first time: it is 3 MiB that most daemons never need. Its
web server is never used, nor its global registry.

The format: https://prometheus.io/docs/instrumenting/exposition_formats/, text 0.0.4.
"""

from collections.abc import Iterable, Mapping, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    SummaryMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from claw.model.metrics import METRICS, Kind, Metric

Samples = Sequence[tuple[tuple[str, ...], float]]


class _Values(Collector):
    """Hands over figures that were worked out before, and those of this process."""

    def __init__(self, values: Mapping[str, Samples]) -> None:
        self._values = values

    def collect(self) -> Iterable[Family]:
        own = {family.name: family for family in _process.collect()}
        for metric in METRICS.values():
            name = metric.name.removesuffix("_total")
            if name in own:
                family = own[name]
                family.documentation = metric.help
                yield family
            elif not self._values.keys().isdisjoint(metric.series):
                yield self._family(metric)

    def _family(self, metric: Metric) -> Family:
        if metric.kind is Kind.SUMMARY:
            return self._summary(metric)
        kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
        family = kind(metric.name, metric.help, labels=metric.labels)
        for labels, value in self._values.get(metric.name, ()):
            family.add_metric(labels, value)
        return family

    def _summary(self, metric: Metric) -> Family:
        family = SummaryMetricFamily(metric.name, metric.help, labels=metric.labels)
        of_sum, of_count = metric.series
        sums = dict(self._values.get(of_sum, ()))
        for labels, count in self._values.get(of_count, ()):
            family.add_metric(labels, count_value=int(count), sum_value=sums[labels])
        return family


_process = ProcessCollector(namespace="claw", registry=None)


def text_of(values: Mapping[str, Samples]) -> str:
    """Return the figures as text.

    Args:
        values: Samples by name of a time series; see `claw.master.metrics.gathering`.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Values(values))
    return generate_latest(registry).decode()
