"""Whether a webhook's endpoint can be reached, without handing anything over."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from localdev.certificates import ensure_certificates
from shared.adapters import webhook
from shared.adapters.secrets import SecretStore
from shared.adapters.webhook import Webhooks
from shared.domain.target import WebhookTarget


class Unused:
    """Stands for HTTP, which is not needed: a connection says enough."""


async def reachable(url: str) -> str:
    """Asks an adapter of its own."""
    http: object = Unused()
    return await Webhooks(http, SecretStore({}), "").reachable(WebhookTarget(url))  # type: ignore[arg-type]


@asynccontextmanager
async def listener(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listens, and reads what it is sent; gives the port."""
    received: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            received.append(await reader.read())
        except (OSError, ssl.SSLError):
            received.append(b"")
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
    assert not any(received)


def server_side(directory: Path) -> ssl.SSLContext:
    """A server's TLS, by an authority that nobody trusts yet."""
    files = ensure_certificates(directory)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(files.server_certificate, files.server_key)
    return context


async def test_an_endpoint_that_nobody_listens_at_is_not_reached() -> None:
    """The reason is the kind of error, without the address."""
    assert await reachable("http://127.0.0.1:1/hook?key=secret") == (
        "not reached (ConnectionRefusedError)"
    )


async def test_a_certificate_must_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the authorities of this machine, as when mail is sent."""
    async with listener(server_side(tmp_path)) as port:
        distrusted = await reachable(f"https://127.0.0.1:{port}/hook")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        trusted = await reachable(f"https://127.0.0.1:{port}/hook")

    assert distrusted.startswith("its certificate is not trusted (")
    assert trusted == ""


async def test_an_endpoint_that_is_silent_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It takes the connection, and says nothing of TLS."""
    monkeypatch.setattr(webhook, "_CONNECT_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]

        assert await reachable(f"https://127.0.0.1:{port}/") == "no connection within 0.05 s"
