"""An app that people sign in to, and what it takes to do so."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import aiohttp
from yarl import URL

from tests.end_to_end.world import LISTENING, World, new_world, until

ADA = "ada@contoso.example"
BOB = "bob@contoso.example"
ORDERS = "orders@contoso.example"


@dataclass
class AccountApp:
    """A world whose app runs at an address that is known beforehand.

    Args:
        url: where the app is reached.
    """

    world: World
    url: str

    async def listens(self) -> None:
        """Waits until the app can be called."""
        await until(lambda: bool(LISTENING.search(self.world.log)), "the app listens")

    async def connect(self, name: str, user: str, **query: str) -> tuple[int, str]:
        """Goes the whole way as a browser does; gives the last page, as status and text."""
        trust = ssl.create_default_context(cafile=self.world.stack.graph.ca_file)
        jar = aiohttp.CookieJar(unsafe=True)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust), cookie_jar=jar
        ) as http:
            address = URL(f"{self.url}/api/accounts/connect").with_query(name=name, **query)
            answer = await http.get(address)
            for form in ({"user": user}, {"user": user, "consent": "accept"}):
                if answer.url.path.endswith("/authorize"):
                    answer = await http.post(answer.url, data=form)
            return answer.status, unescape(re.sub(r"<[^>]+>", " ", await answer.text()))

    async def call(self, method: str, path: str) -> tuple[int, str]:
        """Calls a route of the app; gives status and text."""
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, f"{self.url}/api/{path}") as answer,
        ):
            return answer.status, await answer.text()


@asynccontextmanager
async def account_app(directory: Path) -> AsyncIterator[AccountApp]:
    """Everything but the app; Ada may open the shared mailbox, and Bob may not."""
    port = _free_port()
    settings = {
        "PUBLIC_URL": f"http://localhost:{port}",
        "ACCOUNT_KEY_FILE": str(directory / "account.key"),
    }
    async with new_world(directory, settings=settings) as world:
        world.simulator.add_user(ADA, shared=[ORDERS])
        world.simulator.add_user(BOB)
        yield AccountApp(world, settings["PUBLIC_URL"])


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])
