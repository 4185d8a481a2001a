from datetime import UTC, datetime, timedelta
from pathlib import Path

import azure.functions as func
import pytest
from azure.storage.queue import QueueMessage

from localdev.functions_host import HostError, load_app
from localdev.functions_host.functions import read_functions
from localdev.functions_host.queue_message import decode_message
from localdev.functions_host.routes import server_paths, specificity
from localdev.functions_host.runner import encode_output


def app_with_timer(schedule: str = "%EVERY%") -> func.FunctionApp:
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule=schedule)
    async def tick(timer: func.TimerRequest, context: func.Context) -> None: ...

    return app


def test_reads_bindings_with_settings_resolved() -> None:
    """The trigger is in the form of function.json."""
    [function] = read_functions(app_with_timer(), {"EVERY": "00:00:10"})

    assert (function.name, function.kind) == ("tick", "timerTrigger")
    assert function.trigger["schedule"] == "00:00:10"
    assert function.is_async
    assert function.wants_context


def test_an_app_can_be_read_twice() -> None:
    """For a second host in the same process."""
    app = app_with_timer("00:00:10")

    assert len(read_functions(app, {})) == len(read_functions(app, {}))


def test_a_missing_setting_names_the_function() -> None:
    """And the setting."""
    with pytest.raises(HostError, match="function tick: the app setting EVERY"):
        read_functions(app_with_timer(), {})


def test_a_disabled_function_is_left_out() -> None:
    """By the app setting that the platform has for it."""
    settings = {"EVERY": "00:00:10", "AzureWebJobs.tick.Disabled": "true"}

    assert read_functions(app_with_timer(), settings) == []


def test_an_unknown_binding_is_refused_by_name() -> None:
    """With the function, the binding and its type."""
    app = func.FunctionApp()

    @app.blob_trigger(arg_name="blob", path="in/{name}", connection="AzureWebJobsStorage")
    async def load(blob: func.InputStream) -> None: ...

    with pytest.raises(HostError, match="function load: the binding blob of type blobTrigger"):
        read_functions(app, {})


def test_a_retry_policy_is_refused() -> None:
    """Rather than to run without it."""
    app = func.FunctionApp()

    @app.timer_trigger(arg_name="timer", schedule="00:00:10")
    @app.retry(strategy="fixed_delay", max_retry_count="3", delay_interval="00:00:01")
    async def tick(timer: func.TimerRequest) -> None: ...

    with pytest.raises(HostError, match="function tick: retry policies"):
        read_functions(app, {})


def test_a_parameter_without_a_binding_is_refused() -> None:
    """As by the platform: an HTTP trigger's is called req unless it says otherwise."""
    app = func.FunctionApp()

    @app.route("greeting")
    async def greet(request: func.HttpRequest) -> str: ...  # type: ignore[empty-body]

    with pytest.raises(HostError, match="function greet: no binding has the name request"):
        read_functions(app, {})


def test_loads_function_app_from_a_directory(tmp_path: Path) -> None:
    """Whatever the app object is called."""
    (tmp_path / "function_app.py").write_text(
        "import azure.functions as func\nmail = func.FunctionApp()\nsame = mail\n"
    )

    assert isinstance(load_app(tmp_path), func.FunctionApp)


def test_a_directory_without_an_app_is_an_error(tmp_path: Path) -> None:
    """No file, or a file that defines none."""
    with pytest.raises(HostError, match=r"no function_app\.py"):
        load_app(tmp_path)
    (tmp_path / "function_app.py").write_text("")
    with pytest.raises(HostError, match="defines 0 FunctionApp objects"):
        load_app(tmp_path)


@pytest.mark.parametrize(
    ("template", "paths"),
    [
        ("mails/{id}", ["/api/mails/{id}"]),
        ("mails/{id:int}", [r"/api/mails/{id:-?\d{1,10}}"]),
        ("files/{*rest}", ["/api/files/{rest:.*}", "/api/files"]),
        ("mails/{id?}", ["/api/mails/{id}", "/api/mails"]),
    ],
)
def test_translates_routes(template: str, paths: list[str]) -> None:
    """Parameters, constraints, the rest of the path, and an optional end."""
    assert server_paths(template, "api") == paths


def test_refuses_an_unknown_route_constraint() -> None:
    """Rather than to match too much."""
    with pytest.raises(HostError, match="constraint length"):
        server_paths("{id:length}", "")


def test_literal_routes_go_before_parameters() -> None:
    """And those before the rest of the path."""
    routes = ["{*rest}", "mails/{id}", "mails/health", "mails/{id}/parts"]
    first, *_, last = sorted(routes, key=specificity)

    assert (first, last) == ("mails/health", "{*rest}")


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        (None, []),
        ("one", ["one"]),
        (b"one", ["one"]),
        (["one", func.QueueMessage(body="two")], ["one", "two"]),
        (func.QueueMessage(body="one"), ["one"]),
    ],
)
def test_encodes_queue_outputs(value: object, texts: list[str]) -> None:
    """Nothing, a text, bytes, messages, and lists of them."""
    assert encode_output(value) == texts


def test_a_queue_message_is_what_production_gives() -> None:
    """The library's own converter makes it, with all that the platform tells."""
    now = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
    message = QueueMessage(
        "eyJhIjogMX0=",
        id="id-0",
        inserted_on=now,
        expires_on=now + timedelta(days=7),
        next_visible_on=now + timedelta(minutes=10),
        dequeue_count=3,
        pop_receipt="receipt",
    )

    decoded = decode_message(message, "base64")

    assert decoded.get_json() == {"a": 1}
    assert (decoded.id, decoded.pop_receipt, decoded.dequeue_count) == ("id-0", "receipt", 3)
    assert decoded.insertion_time == message.inserted_on
    assert decoded.expiration_time == message.expires_on
    assert decoded.time_next_visible == message.next_visible_on


def test_a_text_that_is_no_base64_is_an_error() -> None:
    """The usual sign of `messageEncoding` forgotten in host.json."""
    with pytest.raises(ValueError, match="base64"):
        decode_message(QueueMessage('{"a": 1}', id="id-0"), "base64")
