"""Takes what is recorded, in memory, and answers tests about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@dataclass
class Recorder:
    """What a test has recorded so far."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    def spans(self, name: str = "") -> list[ReadableSpan]:
        """The spans of a name, or all, in the order of their end."""
        ended = self.exporter.get_finished_spans()
        return [one for one in ended if name in ("", one.name)]

    def points(self) -> Iterator[tuple[str, Any]]:
        """The data points of all metrics, with the metric's name."""
        data = self.reader.get_metrics_data()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        yield metric.name, point

    def counted(self, name: str, **attributes: str) -> int:
        """The sum of a counter, or how many values a histogram has, over some attributes."""
        return sum(
            point.count if hasattr(point, "count") else point.value
            for metric, point in self.points()
            if metric == name and attributes.items() <= dict(point.attributes).items()
        )

    def text(self) -> str:
        """All that an exporter would be given."""
        spans = "".join(one.to_json() for one in self.spans())
        return spans + str(self.reader.get_metrics_data())


def trace_of(span: ReadableSpan) -> str:
    """The trace that a span is in."""
    return f"{identity(span)[0]:032x}"


def identity(span: ReadableSpan) -> tuple[int, int]:
    """Trace and span."""
    context = span.get_span_context()
    assert context is not None
    return context.trace_id, context.span_id


def followed(span: ReadableSpan) -> tuple[int, int] | None:
    """The span that a span follows; None where it begins a trace."""
    return (span.parent.trace_id, span.parent.span_id) if span.parent else None


def told(span: ReadableSpan) -> dict[str, Any]:
    """A span's attributes."""
    return dict(span.attributes or {})
