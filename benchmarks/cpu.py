"""How much CPU does one mail cost, from the poll to its end?"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path
from statistics import median

from azure.storage.queue.aio import QueueClient

from benchmarks.figures import Figure
from benchmarks.lab import Job, Lab
from benchmarks.mails import mails
from benchmarks.page import listed_page, read_in_a_child
from localdev.app_process import ROOT, AppProcess
from localdev.azurite import Azurite
from shared.domain.delivery import DeliveryKey
from shared.domain.envelope import Envelope
from shared.domain.mail import mail_from_graph
from shared.domain.trace import new_traceparent

CPU_A_MAIL_MS = 4.0
EXPRESSIONS = (
    (
        "activationCondition",
        'contains(value.subject, "Ticket") or matches(response.body, "(?s).*") and not(automatic)',
    ),
    ("correlationKeyExpression", "substring(value.internetMessageId, 1, 40)"),
    ("resultVariable", "email"),
    ("resultExpression", "{sender: lower case(sender.address), files: attachments.name}"),
)
"""Three expressions, of which one looks through the whole body."""

SENT_AT_ONCE = 16


async def measure(lab: Lab) -> list[Figure]:
    """Measures the app's process, the host in it alone, and the SDK's models."""
    count, repetitions = lab.sizes.mails, range(lab.sizes.repetitions)
    process = median([await _of_the_app(lab, count, one) for one in repetitions])
    with_feel = median([await _of_the_app(lab, count, one, EXPRESSIONS) for one in repetitions])
    lab.say(f"{count} messages through the host with an app that does nothing")
    host = median([await _of_the_host(count) for _ in repetitions])
    models = await read_in_a_child(await listed_page(mails(100)))
    runs = f"median of {len(repetitions)}"
    return [
        Figure(
            what="CPU a mail in the worker, poll to done",
            value=process - host,
            unit="ms",
            budget=CPU_A_MAIL_MS,
            how="process and host below, subtracted: on Azure the host is another process",
        ),
        Figure(
            what="the same with three expressions",
            value=with_feel - host,
            unit="ms",
            budget=CPU_A_MAIL_MS,
            how="a condition, a correlation key and a result; otherwise the same runs",
        ),
        Figure(
            what="CPU a mail of the app's process, host included",
            value=process,
            unit="ms",
            how=f"CPU of a run of {count} mails less that of a run of 1, by {count - 1}; {runs}",
        ),
        Figure(
            what="CPU a message of the host alone",
            value=host,
            unit="ms",
            how=f"the embedded host receives and deletes {count} of the same messages, for an app"
            f" that does nothing, less the same for 1; {runs}",
        ),
        Figure(
            what="for comparison: a message as the SDK's model",
            value=models["models"],
            unit="ms",
            how="CPU of deserialising the page that the app lists, 100 messages, with msgraph-sdk's"
            " models; a fresh process, median of 5",
        ),
        Figure(
            what="for comparison: a message as the app reads it",
            value=models["json"],
            unit="ms",
            how="the same page with json.loads, and each message turned into our e-mail",
        ),
    ]


async def _of_the_app(
    lab: Lab, count: int, repetition: int, columns: tuple[tuple[str, str], ...] = ()
) -> float:
    """Milliseconds of CPU a mail."""
    many = await lab.run(Job(mails=count, repetition=repetition, columns=columns))
    one = await lab.run(Job(mails=1, repetition=repetition, columns=columns))
    return _per_mail(many.report.worker_cpu_seconds, one.report.worker_cpu_seconds, count)


async def _of_the_host(count: int) -> float:
    return _per_mail(await _host_cpu(count), await _host_cpu(1), count)


def _per_mail(many: float | None, one: float | None, count: int) -> float:
    if many is None or one is None:
        raise OSError("this system does not tell what a process used")
    return 1000 * (many - one) / (count - 1)


async def _host_cpu(count: int) -> float | None:
    """Seconds of CPU of a host that works off so many messages."""
    [message] = (await listed_page(mails(1)))["value"]
    key = DeliveryKey("source", "key")
    envelope = Envelope(key=key, mail=mail_from_graph(message), traceparent=new_traceparent())
    with tempfile.TemporaryDirectory() as directory:
        for file in (ROOT / "benchmarks/empty_app/function_app.py", ROOT / "host.json"):
            shutil.copy(file, directory)
        async with Azurite() as azurite:
            queue = QueueClient.from_connection_string(azurite.connection_string, "emails")
            async with queue:
                await queue.create_queue()
                await _send(queue, envelope.encode(), count)
                app = AppProcess(
                    {"AzureWebJobsStorage": azurite.connection_string},
                    Path(directory) / "app.log",
                    options=("--app-dir", directory),
                )
                async with app:
                    await _until_empty(queue)
                    await app.stop()
    return app.usage.cpu_seconds


async def _until_empty(queue: QueueClient) -> None:
    """Returns when all messages are gone, those included that are being worked on."""
    while (await queue.get_queue_properties()).approximate_message_count:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0.25)


async def _send(queue: QueueClient, message: str, count: int) -> None:
    for start in range(0, count, SENT_AT_ONCE):
        some = range(start, min(count, start + SENT_AT_ONCE))
        await asyncio.gather(*(queue.send_message(message) for _ in some))
