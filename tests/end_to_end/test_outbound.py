"""The page about sending: its examples, as a reader copies them, on the whole app."""

import asyncio
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.end_to_end.mails import mail
from tests.end_to_end.world import LISTENING, World, new_world, until

BOX = "support@contoso.example"
PAGE = Path(__file__).parents[2] / "docs" / "outbound.md"
EXAMPLES = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


async def address(world: World) -> str:
    """Where the app listens."""
    await until(lambda: bool(LISTENING.search(world.log)), "the app listens")
    return str(LISTENING.findall(world.log)[-1])


async def run(command: str, environment: dict[str, str]) -> str:
    """What a shell prints for a command that must succeed."""
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-ec",
        command,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, err.decode()
    return out.decode()


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples are for curl")
async def test_the_examples_of_the_page_work(tmp_path: Path) -> None:
    """In their order; what is sent arrives where it is sent to."""
    async with new_world(tmp_path) as world:
        world.simulator.add_mailbox("ada@example.org")
        [received] = world.deliver(BOX, mail(subject="Order"))
        async with world.app():
            variables = {"APP": await address(world), "KEY": "", "MAILBOX": BOX, "MAIL": received}
            for example in EXAMPLES:
                await run(example, variables)

            sent = world.simulator.sent
            # those that are promised go in the background
            await until(lambda: len(sent) >= 6, "all mails sent")
            at_once = ["Your order", "RE: Order", "RE: Order", "FW: Order"]
            promised = ["Your receipt", "Order 4711"]
            assert sorted(one.content.subject for one in sent) == sorted(at_once + promised)
            assert len(world.simulator.messages("ada@example.org", "inbox")) >= 2
            assert world.simulator.directory.mailbox(BOX).purged


async def test_the_app_sends_pages_and_refuses(tmp_path: Path) -> None:
    """Through the platform's routes, with a cap that all instances share; no log has it."""
    async with new_world(tmp_path, settings={"MAILS_PER_RECIPIENT_AND_HOUR": "2"}) as world:
        world.deliver(BOX, *(mail(n) for n in range(5)))
        async with world.app(), aiohttp.ClientSession() as http:
            base = f"{await address(world)}/api/mail/{BOX}"

            async def ask(method: str, url: str, body: Any = None) -> tuple[int, Any]:
                async with http.request(method, url, json=body) as answer:
                    return answer.status, json.loads(await answer.read() or b"null")

            order = {"to": ["eve@example.org"], "subject": "hush", "body": "hush", "identify": True}
            statuses = [(await ask("POST", f"{base}/send", order))[0] for _ in range(3)]
            seen: list[str] = []
            link: str | None = f"{base}/folders/inbox/messages?$top=2&$select=id"
            while link is not None:
                _, page = await ask("GET", link)
                seen += [one["id"] for one in page["value"]]
                link = page.get("nextLink")
            _, document = await ask("GET", base.replace(f"mail/{BOX}", "openapi.json"))

            assert statuses == [200, 200, 429]
            assert len(set(seen)) == len(seen) == 5
            assert document["openapi"] == "3.1.0"
            assert "hush" not in world.log
            assert "eve@example.org" not in world.log
            assert "api.answered" in world.log
