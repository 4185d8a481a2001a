from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from shared.telemetry.export import record
from tests.unit.telemetry.recorder import Recorder


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """Has all spans and metrics of a test recorded."""
    recorder = Recorder()
    end = record(SimpleSpanProcessor(recorder.exporter), recorder.reader, {})
    yield recorder
    end()
