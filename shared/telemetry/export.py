"""Where spans and metrics go: to Application Insights, if the settings say so.

The providers are not the global ones, which libraries use: the Graph SDK's own spans hold whole
addresses, with mailboxes and filters in them. Nothing here is imported before it is needed.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING

from shared.telemetry.logs import logger
from shared.telemetry.metrics import record_metrics
from shared.telemetry.tracing import record_spans, wanted_trace

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricReader
    from opentelemetry.sdk.trace import SpanProcessor

SCOPE = "m365_mail_connector"
CONNECTION = "APPLICATIONINSIGHTS_CONNECTION_STRING"
EVERY = 60_000
"""Milliseconds between two exports of metrics."""

ROLE_NAMES = ("WEBSITE_CLOUD_ROLENAME", "WEBSITE_SITE_NAME")
"""The settings by which the platform names the app in its own telemetry; the first goes before."""

QUIET = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",  # would ask the global provider
)
"""What the exporter would tell of itself, or ask Microsoft; an operator may allow it."""


def export_telemetry(environment: MutableMapping[str, str], *, mailboxes: bool) -> None:
    """Exports spans and metrics from now on. Whatever hinders that is logged, and hinders no mail.

    The exporter signs in as ``APPLICATIONINSIGHTS_AUTHENTICATION_STRING`` says, and the SDK samples
    as ``OTEL_TRACES_SAMPLER`` says.

    Args:
        environment: the app settings of the platform.
        mailboxes: whether spans may name mailboxes.
    """
    if not environment.get(CONNECTION, "").strip():
        logger().warning("telemetry.not_exported", reason=f"{CONNECTION} is missing")
        return
    for name in QUIET:
        environment.setdefault(name, "true")
    try:
        # they take 70 ms of CPU, which only those pay who export
        from azure.monitor.opentelemetry.exporter import (  # noqa: PLC0415
            AzureMonitorMetricExporter,
            AzureMonitorTraceExporter,
        )
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

        connection = {"connection_string": environment[CONNECTION], "disable_offline_storage": True}
        record(
            BatchSpanProcessor(AzureMonitorTraceExporter(**connection)),
            PeriodicExportingMetricReader(AzureMonitorMetricExporter(**connection), EVERY),
            environment,
            mailboxes=mailboxes,
        )
    except Exception as error:  # noqa: BLE001 - telemetry is no reason to stop
        logger().warning("telemetry.not_exported", reason=type(error).__name__)


def record(
    spans: SpanProcessor,
    metrics: MetricReader,
    environment: Mapping[str, str],
    *,
    mailboxes: bool = False,
) -> Callable[[], None]:
    """Records spans and metrics for these to export; gives what ends that.

    What was not exported yet is when the process ends.
    """
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415 - see above
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415

    class Ids(RandomIdGenerator):
        """Gives a trace that begins the id that it is to have."""

        def generate_trace_id(self) -> int:
            return wanted_trace.get() or super().generate_trace_id()

        def is_trace_id_random(self) -> bool:
            return False

    # the names by which the platform's own telemetry knows app and instance
    resource = Resource.create(
        {
            "service.name": next(filter(None, map(environment.get, ROLE_NAMES)), SCOPE),
            "service.instance.id": environment.get("WEBSITE_INSTANCE_ID") or socket.gethostname(),
        }
    )
    tracers = TracerProvider(resource=resource, id_generator=Ids())
    tracers.add_span_processor(spans)
    meters = MeterProvider([metrics], resource)
    record_spans(tracers.get_tracer(SCOPE), mailboxes=mailboxes)
    record_metrics(meters.get_meter(SCOPE))

    def end() -> None:
        record_spans(None)
        record_metrics(None)
        tracers.shutdown()
        meters.shutdown()

    return end
