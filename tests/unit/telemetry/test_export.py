import gzip
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from infra.template import INFRA
from shared.telemetry import export, span
from shared.telemetry.export import CONNECTION, QUIET, SCOPE, export_telemetry, record
from shared.telemetry.metrics import record_metrics
from shared.telemetry.tracing import record_spans
from tests.builders import MAILBOX
from tests.unit.telemetry.recorder import Recorder
from tests.unit.workflows.world import World

ROOT = INFRA.parent
KEY = "00000000-0000-0000-0000-000000000001"


class Ingestion:
    """Stands for Application Insights: takes what is sent to it."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        ingestion = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                items = json.loads(body)
                ingestion.taken += items
                answer = json.dumps(
                    {"itemsReceived": len(items), "itemsAccepted": len(items), "errors": []}
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Keeps quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    @property
    def connection(self) -> str:
        """The connection string that leads here."""
        return f"InstrumentationKey={KEY};IngestionEndpoint=http://127.0.0.1:{self.server.server_port}/"

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The data of all items of a kind."""
        return [one["data"]["baseData"] for one in self.taken if one["data"]["baseType"] == kind]


@pytest.fixture
def ingestion() -> Iterator[Ingestion]:
    """An endpoint that takes telemetry."""
    ingestion = Ingestion()
    ingestion.thread.start()
    yield ingestion
    ingestion.server.shutdown()
    ingestion.thread.join()
    ingestion.server.server_close()


@pytest.fixture
def ended() -> Iterator[None]:
    """Nothing is recorded after a test."""
    yield
    record_spans(None)
    record_metrics(None)


async def test_application_insights_is_given_spans_and_metrics(
    ingestion: Ingestion, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By the exporter that is deployed; in the names of app and trace, and nobody's address."""
    ends = []
    recorded = export.record
    monkeypatch.setattr(
        export, "record", lambda *given, **options: ends.append(recorded(*given, **options))
    )
    for name in QUIET:
        monkeypatch.setenv(name, "true")  # the exporter reads the process's own
    environment = {CONNECTION: ingestion.connection, "WEBSITE_SITE_NAME": "func-mail"}
    export_telemetry(environment, mailboxes=False)
    world = World()
    world.deliver(1, subject="Confidential")
    await world.poll_and_work()
    [end] = ends
    end()

    spans = ingestion.of("RemoteDependencyData")
    assert {one["name"] for one in spans} == {
        "poll", "claim", "queue", "deliver", "target", "post-process"
    }  # fmt: skip
    found = [
        metric
        for one in ingestion.of("MetricData")
        for metric in one["metrics"]
        if metric["name"] == "mails.found"
    ]
    assert [metric["value"] for metric in found] == [1]
    assert {one["tags"]["ai.cloud.role"] for one in ingestion.taken} == {"func-mail"}
    assert all(one["success"] for one in spans)
    for word in ("Confidential", MAILBOX, "ada@example.org"):
        assert word not in json.dumps(ingestion.taken)
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"WEBSITE_SITE_NAME": "func-mail"}, "func-mail"),
        ({"WEBSITE_SITE_NAME": "pod", "WEBSITE_CLOUD_ROLENAME": "func-mail"}, "func-mail"),
        ({"WEBSITE_SITE_NAME": ""}, SCOPE),
    ],
)
def test_the_app_is_named_as_the_platform_names_it(environment: dict[str, str], name: str) -> None:
    """Alerts and workbook look for both by one name; outside Azure a setting gives it."""
    recorder = Recorder()
    end = record(SimpleSpanProcessor(recorder.exporter), recorder.reader, environment)
    with span("poll"):
        pass
    end()

    [poll] = recorder.spans()
    assert poll.resource.attributes["service.name"] == name


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize("connection", ["", "nonsense"])
async def test_telemetry_that_cannot_be_exported_stops_nothing(
    connection: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A line in the log says so, without the connection string."""
    with caplog.at_level(logging.WARNING):
        export_telemetry({CONNECTION: connection}, mailboxes=False)
    world = World()
    world.deliver(1)
    await world.poll_and_work()

    assert "telemetry.not_exported" in caplog.text
    assert "nonsense" not in caplog.text
    assert world.targets.accepted


def test_the_exporter_is_deployed() -> None:
    """At an exact version, with the SDK that it was tried with."""
    pins = (ROOT / "requirements.txt").read_text()

    for name in ("azure-monitor-opentelemetry-exporter", "opentelemetry-api", "opentelemetry-sdk"):
        assert f"\n{name}==" in pins


def test_nothing_else_exports_what_libraries_record() -> None:
    """Neither host nor worker: the Graph SDK's own spans hold addresses and filters."""
    host = json.loads((ROOT / "host.json").read_text())
    template = (INFRA / "modules" / "functionapp.bicep").read_text()

    assert "telemetryMode" not in host
    assert "PYTHON_APPLICATIONINSIGHTS_ENABLE_TELEMETRY" not in template
    assert "azure-monitor-opentelemetry==" not in (ROOT / "requirements.txt").read_text()
