"""How long an unpacked package takes to its first poll: `python -m localdev.package.cold_start`.

Give it zips. They take turns, so that other work on the machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from statistics import median

from azure.storage.queue.aio import QueueClient
from rich.console import Console
from rich.table import Table

from localdev.callback_receiver import CallbackReceiver
from localdev.graph_simulator import GraphSimulator
from localdev.package.clean_run import clean_command
from localdev.stack import local_stack, new_signing_secret

MAILBOX = "support@contoso.example"
MAILS = 10
_FIRST_POLL = """
import asyncio, json, time
import function_app
imported = time.process_time()
from shared.composition import connector
async def poll():
    await function_app.on_tick(None)
    spent = time.process_time(), time.time() - float(sys.argv[2])
    print(json.dumps({"imported": imported, "cpu": spent[0], "seconds": spent[1]}))
    await connector().close()
asyncio.run(poll())
"""


class WrongCount(Exception):
    """The mails that were queued are not those of the mailbox."""


@dataclass(frozen=True, slots=True)
class ColdStart:
    """One start, in seconds.

    Args:
        imported: CPU until `function_app` was imported.
        cpu: until its first mails were queued.
        seconds: the same by the clock.
    """

    imported: float
    cpu: float
    seconds: float


async def cold_start(app: Path) -> ColdStart:
    """Starts an unpacked package that nothing can be written to, with storage and Graph beside it.

    Raises:
        CalledProcessError: it did not run.
        WrongCount: it did not queue every mail.
    """
    simulator, secret = GraphSimulator(), new_signing_secret()
    simulator.add_mailbox(MAILBOX)
    for number in range(MAILS):
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = "ann@example.org", MAILBOX, f"Mail {number}"
        mail.set_content("A few words.\n" * 20)
        simulator.deliver(MAILBOX, mail.as_bytes())
    with tempfile.TemporaryDirectory() as directory:
        receiver = CallbackReceiver(secret)
        async with local_stack(simulator, receiver, secret, Path(directory)) as stack:
            await stack.subscribe("cold/start", userId=MAILBOX)
            start = await asyncio.to_thread(_start, app, stack.app_settings)
            async with QueueClient.from_connection_string(stack.storage, "emails") as queue:
                queued = (await queue.get_queue_properties()).approximate_message_count
    if queued != MAILS:
        raise WrongCount(f"{queued} mails were queued, not {MAILS}")
    return start


def _start(app: Path, settings: Mapping[str, str]) -> ColdStart:
    command = [*clean_command(app, _FIRST_POLL), repr(time.time())]
    ended = subprocess.run(  # noqa: S603 - this very Python
        command, env=dict(settings), cwd=app, stdout=subprocess.PIPE, text=True, check=True
    )
    return ColdStart(**json.loads(ended.stdout.splitlines()[-1]))


async def _main(zips: list[Path], starts: int) -> None:
    measured: dict[Path, list[ColdStart]] = {one: [] for one in zips}
    with tempfile.TemporaryDirectory() as directory:
        apps = {one: Path(directory, str(number)) for number, one in enumerate(zips)}
        for one, app in apps.items():
            with zipfile.ZipFile(one) as archive:
                archive.extractall(app)
        for _ in range(starts):
            for one, app in apps.items():
                measured[one].append(await cold_start(app))
    table = Table("package", "import, CPU s", "first poll, CPU s", "ratio", "by the clock, s")
    first = median(start.cpu for start in measured[zips[0]])
    for one, results in measured.items():
        cpu = median(start.cpu for start in results)
        table.add_row(
            str(one.parent.name),
            f"{median(start.imported for start in results):.2f}",
            f"{cpu:.2f}",
            f"{cpu / first:.2f}",
            f"{median(start.seconds for start in results):.2f}",
        )
    Console().print(table, f"Medians of {starts} starts, in turns.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zips", nargs="+", type=Path)
    parser.add_argument("--starts", type=int, default=9)
    given = parser.parse_args()
    asyncio.run(_main(given.zips, given.starts))
