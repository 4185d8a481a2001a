"""A browser that clicks through the simulator's pages, without being one."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl, urlsplit

import aiohttp

from localdev.graph_simulator import RunningSimulator
from localdev.graph_simulator.sign_ins import SignIns
from shared.account_ports import AccountPorts
from shared.workflows.accounts import web
from shared.workflows.accounts.web import Reply


@dataclass
class Browser:
    """Somebody's browser, and the app's routes that it calls.

    Attributes:
        cookies: what the app has given it.
        titles: the titles of Entra's pages that it has seen.
    """

    ports: AccountPorts
    running: RunningSimulator
    sign_ins: SignIns
    cookies: dict[str, str] = field(default_factory=dict)
    titles: list[str] = field(default_factory=list)

    async def connect(self, name: str, user: str, consent: str = "accept", **query: str) -> Reply:
        """Goes the whole way: from the connect address to the page that the callback gives."""
        begun = await self.begin(name, **query)
        if begun.status != 302:
            return begun
        return await self.call_back(await self.sign_in(begun.headers["Location"], user, consent))

    async def begin(self, name: str, **query: str) -> Reply:
        """Opens the connect address."""
        return self._kept(await web.connect({"name": name, **query}, self.ports))

    async def consent(self, admin: str, answer: str = "accept", tenant: str = "") -> Reply:
        """Goes the whole way of an administrator's consent."""
        begun = self._kept(await web.consent({"tenant": tenant}, self.ports))
        if begun.status != 302:
            return begun
        return await self.call_back(await self.sign_in(begun.headers["Location"], admin, answer))

    async def sign_in(self, url: str, user: str, consent: str = "accept") -> str:
        """Clicks through Entra's pages; gives the address to which it is sent back."""
        trust = ssl.create_default_context(cafile=self.running.ca_file)
        connector = aiohttp.TCPConnector(ssl=trust)
        async with aiohttp.ClientSession(connector=connector) as http:
            form: dict[str, str] = {}
            html = ""
            for _ in range(4):
                async with http.post(url, data=form, allow_redirects=False) as answer:
                    if answer.status == 302:
                        return answer.headers["Location"]
                    html = await answer.text()
                self.titles.append(html.partition("<title>")[2].partition("</title>")[0])
                form = {"user": user, "consent": consent} if "user" in form else {"user": user}
        raise AssertionError(f"nothing but pages: {self.titles} {html}")

    async def call_back(self, url: str) -> Reply:
        """Opens the callback."""
        query = dict(parse_qsl(urlsplit(url).query))
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return await web.callback(query, {"Cookie": cookie}, self.ports)

    def _kept(self, reply: Reply) -> Reply:
        given = SimpleCookie(reply.headers.get("Set-Cookie", ""))
        self.cookies.update({name: morsel.value for name, morsel in given.items()})
        return reply
