import asyncio
import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import azure.functions as func
import pytest
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from localdev.functions_host import FunctionsHost

PLAIN = {"extensions": {"queues": {"messageEncoding": "none"}}}

Process = Callable[[func.QueueMessage], Any]


def app_with(process: Process) -> func.FunctionApp:
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="mail", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    async def handle(mail: func.QueueMessage) -> None:
        await process(mail)

    return app


async def queue_with(
    storage: QueueServiceClient, settings: dict[str, str], *texts: str
) -> QueueClient:
    queue = storage.get_queue_client(settings["QUEUE"])
    await queue.create_queue()
    await asyncio.gather(*(queue.send_message(text) for text in texts))
    return queue


async def contents(storage: QueueServiceClient, name: str) -> list[QueueMessage]:
    """Return what is visible, without taking it."""
    return list(await storage.get_queue_client(name).peek_messages(max_messages=32))


async def test_success_deletes_messages(
    storage: QueueServiceClient, settings: dict[str, str]
) -> None:
    """A hundred, each run once; the queue's own properties are told."""
    queue = await queue_with(storage, settings, *(f"mail {i}" for i in range(100)))
    seen: list[func.QueueMessage] = []

    async def process(mail: func.QueueMessage) -> None:
        seen.append(mail)

    async with FunctionsHost(app_with(process), settings, host_json=PLAIN) as host:
        await host.idle()
        assert host.invocations["handle"].succeeded == 100

    assert sorted(mail.get_body() for mail in seen) == sorted(
        f"mail {i}".encode() for i in range(100)
    )
    assert (await queue.get_queue_properties()).approximate_message_count == 0
    first = seen[0]
    assert first.dequeue_count == 1
    assert first.insertion_time is not None
    assert first.time_next_visible is not None
    assert first.time_next_visible - first.insertion_time >= timedelta(minutes=9)


async def test_failures_are_retried_and_then_poison(
    storage: QueueServiceClient, settings: dict[str, str]
) -> None:
    """Three times here; one bad message stops no other."""
    queue = await queue_with(storage, settings, "bad", "good")
    counts: list[int | None] = []

    async def process(mail: func.QueueMessage) -> None:
        if mail.get_body() == b"bad":
            counts.append(mail.dequeue_count)
            raise ValueError("made up")

    host_json = {"extensions": {"queues": {"messageEncoding": "none", "maxDequeueCount": 3}}}
    async with FunctionsHost(app_with(process), settings, host_json=host_json) as host:
        await host.idle()

    assert counts == [1, 2, 3]
    assert (await queue.get_queue_properties()).approximate_message_count == 0
    poison = await contents(storage, f"{settings['QUEUE']}-poison")
    assert [message.content for message in poison] == ["bad"]


async def test_base64_is_what_messages_are_in_by_default(
    storage: QueueServiceClient, settings: dict[str, str]
) -> None:
    """A message that is not goes to the poison queue as it is, and no function sees it."""
    await queue_with(storage, settings, base64.b64encode("Grüße".encode()).decode(), "{plain}")
    bodies: list[bytes] = []

    async def process(mail: func.QueueMessage) -> None:
        bodies.append(mail.get_body())

    async with FunctionsHost(app_with(process), settings) as host:
        await host.idle()

    assert bodies == ["Grüße".encode()]
    poison = await contents(storage, f"{settings['QUEUE']}-poison")
    assert [message.content for message in poison] == ["{plain}"]


async def test_a_missing_queue_is_created(
    storage: QueueServiceClient, settings: dict[str, str]
) -> None:
    """So that a first run needs no preparation."""

    async def process(mail: func.QueueMessage) -> None: ...

    async with FunctionsHost(app_with(process), settings, host_json=PLAIN) as host:
        await host.idle()

    assert await contents(storage, settings["QUEUE"]) == []


async def test_a_message_whose_host_died_comes_back(
    storage: QueueServiceClient, settings: dict[str, str]
) -> None:
    """When the time is up that it is hidden for, with its dequeue count raised."""
    await queue_with(storage, settings, "mail")
    counts: list[int | None] = []
    taken = asyncio.Event()

    async def hang(mail: func.QueueMessage) -> None:
        counts.append(mail.dequeue_count)
        taken.set()
        await asyncio.Event().wait()

    async def process(mail: func.QueueMessage) -> None:
        counts.append(mail.dequeue_count)
        taken.set()

    for function in (hang, process):
        taken.clear()
        host = FunctionsHost(
            app_with(function),
            settings,
            host_json=PLAIN,
            hidden_for=timedelta(seconds=1),
            max_polling_interval=timedelta(milliseconds=100),
            stop_within=0,
        )
        async with asyncio.timeout(20), host:
            await taken.wait()
            if function is process:
                await host.idle()

    assert counts == [1, 2]
    assert await contents(storage, settings["QUEUE"]) == []


async def test_a_message_is_kept_hidden_while_its_function_runs(
    storage: QueueServiceClient, settings: dict[str, str]
) -> None:
    """Past the time that it was first hidden for; then its deletion still succeeds."""
    queue = await queue_with(storage, settings, "mail")
    started, finish = asyncio.Event(), asyncio.Event()
    counts: list[int | None] = []

    async def process(mail: func.QueueMessage) -> None:
        counts.append(mail.dequeue_count)
        started.set()
        await finish.wait()

    host = FunctionsHost(
        app_with(process),
        settings,
        host_json=PLAIN,
        hidden_for=timedelta(seconds=1),
        max_polling_interval=timedelta(milliseconds=100),
    )
    async with asyncio.timeout(20), host:
        await started.wait()
        until = asyncio.get_running_loop().time() + 2.5
        while asyncio.get_running_loop().time() < until:
            assert await contents(storage, settings["QUEUE"]) == []
            await asyncio.sleep(0.1)
        finish.set()
        await host.idle()

    assert counts == [1]
    assert (await queue.get_queue_properties()).approximate_message_count == 0


async def test_outputs_go_to_their_queues(
    storage: QueueServiceClient, settings: dict[str, str]
) -> None:
    """And wake the function that waits there. Nothing is sent where nothing is set."""
    app = func.FunctionApp()
    seen: list[bytes] = []

    @app.queue_trigger(arg_name="mail", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    @app.queue_output(arg_name="out", queue_name="%QUEUE%-2", connection="AzureWebJobsStorage")
    @app.queue_output(arg_name="no", queue_name="%QUEUE%-3", connection="AzureWebJobsStorage")
    def first(mail: func.QueueMessage, out: func.Out[str], no: func.Out[str]) -> None:
        assert no.get() is None
        out.set(mail.get_body().decode() + "!")

    @app.queue_trigger(arg_name="mail", queue_name="%QUEUE%-2", connection="AzureWebJobsStorage")
    async def second(mail: func.QueueMessage) -> None:
        seen.append(mail.get_body())

    await queue_with(storage, settings, base64.b64encode(b"mail").decode())
    async with FunctionsHost(app, settings) as host:
        await host.idle()

    assert seen == [b"mail!"]


@pytest.mark.parametrize("prefix", ["Mail", "AzureWebJobsMail"])
async def test_connections_are_found_by_name(
    storage: QueueServiceClient, settings: dict[str, str], prefix: str
) -> None:
    """With the platform's prefix or without."""
    settings[prefix] = settings.pop("AzureWebJobsStorage")
    await queue_with(storage, settings, "mail")
    app = func.FunctionApp()
    seen: list[bytes] = []

    @app.queue_trigger(arg_name="mail", queue_name="%QUEUE%", connection="Mail")
    async def handle(mail: func.QueueMessage) -> None:
        seen.append(mail.get_body())

    async with FunctionsHost(app, settings, host_json=PLAIN) as host:
        await host.idle()

    assert seen == [b"mail"]
