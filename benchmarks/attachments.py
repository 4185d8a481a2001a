"""What do attachments cost: requests to Graph, and memory of the app's process?"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from azure.storage.blob.aio import ContainerClient

from benchmarks.figures import Figure
from benchmarks.lab import LOOK_EVERY, Lab, RunFailed
from benchmarks.mails import mails
from localdev.app_process import AppProcess
from localdev.callback_receiver import CallbackReceiver
from localdev.graph_simulator import GraphSimulator, Metrics
from localdev.graph_simulator.content import Attachment
from localdev.peak_memory import peak_mb
from localdev.stack import local_stack, new_signing_secret

MAILBOX = "support@contoso.example"
REQUESTS_A_MAIL = 2.05
EXTRA_REQUESTS = 1
PEAK_MB = 150
MEGABYTE = 1_000_000
SMALL = 20_000
STALLED_AFTER = 180.0


async def measure(lab: Lab) -> list[Figure]:
    """Runs the app on mail with small attachments, with a large one, and with many large ones."""
    count = lab.sizes.mails
    lab.say(f"{count:,} mails with 3 small attachments each")
    small = await _run([[SMALL] * 3] * count)
    lab.say("1 mail with an attachment of 100 MB")
    large = await _run([[100 * MEGABYTE]])
    lab.say("8 mails with an attachment of 30 MB each")
    many = await _run([[30 * MEGABYTE]] * 8)
    extra = small.metrics.by_operation["GET attachments"]
    extra += small.metrics.by_operation["GET attachment $value"]
    memory = "peak resident set of the app's process, the embedded host included"
    return [
        Figure(
            what="Graph requests a mail, 3 small attachments",
            value=small.metrics.requests / count,
            budget=REQUESTS_A_MAIL,
            binding=True,
            how=f"{count} mails, list to post-processing: {small.metrics.requests}",
        ),
        Figure(
            what="of these for its attachments",
            value=extra / count,
            budget=EXTRA_REQUESTS,
            binding=True,
            how=f"the simulator's count of requests for attachments: {extra}",
        ),
        Figure(
            what="peak memory, an attachment of 100 MB",
            value=large.peak_mb,
            unit="MiB",
            budget=PEAK_MB,
            how=memory,
        ),
        Figure(
            what="peak memory, 8 attachments of 30 MB at once",
            value=many.peak_mb,
            unit="MiB",
            how=f"{memory}; they share ATTACHMENT_MEMORY_MB",
        ),
        Figure(
            what="peak memory, 3 small attachments a mail",
            value=small.peak_mb,
            unit="MiB",
            how=f"{memory}; {count} mails",
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Result:
    metrics: Metrics
    peak_mb: float | None


async def _run(sizes: Sequence[Sequence[int]]) -> _Result:
    """Runs the app until every mail is post-processed, and checks that every byte was kept.

    Args:
        sizes: for each mail the sizes of its attachments.
    """
    secret = new_signing_secret()
    simulator, receiver = _filled(sizes), CallbackReceiver(secret)
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory) / "app.log"
        async with local_stack(simulator, receiver, secret, Path(directory)) as stack:
            await stack.subscribe("bench/support", userId=MAILBOX)
            simulator.metrics.reset()
            async with AppProcess(stack.app_settings, log) as app:
                try:
                    async with asyncio.timeout(STALLED_AFTER):
                        while app.is_running and simulator.messages(MAILBOX, "inbox"):  # noqa: ASYNC110 - nobody tells
                            await asyncio.sleep(LOOK_EVERY)
                except TimeoutError:
                    raise RunFailed(log.read_text(errors="replace")[-2000:]) from None
                peak = peak_mb(app.pid) if app.is_running else None
            kept = await _kept(stack.storage)
    wanted = sorted(size for mail in sizes for size in mail)
    if kept != wanted:
        raise RunFailed(f"{len(kept)} documents are kept, not {len(wanted)} of the right sizes")
    return _Result(simulator.metrics, peak)


async def _kept(storage: str) -> list[int]:
    """The sizes of all documents."""
    async with ContainerClient.from_connection_string(storage, "documents") as container:
        return sorted([blob.size async for blob in container.list_blobs()])


def _filled(sizes: Sequence[Sequence[int]]) -> GraphSimulator:
    simulator = GraphSimulator()
    simulator.add_mailbox(MAILBOX)
    content = {size: os.urandom(size) for size in {size for mail in sizes for size in mail}}
    start = datetime.now(UTC) - timedelta(seconds=len(sizes))
    for number, (mime, attached) in enumerate(zip(mails(len(sizes)), sizes, strict=True)):
        # a second apart: a second that fills a page is listed by ids
        received = start + timedelta(seconds=number)
        mail_id = simulator.deliver(MAILBOX, mime, received=received)
        # not by way of MIME, which the simulator would hold several times over
        simulator.message(MAILBOX, mail_id).content.attachments += [
            Attachment(
                kind="file",
                name=f"{part}.bin",
                content_type="application/octet-stream",
                content=content[size],
            )
            for part, size in enumerate(attached)
        ]
    simulator.prerender(MAILBOX, "text")
    return simulator
