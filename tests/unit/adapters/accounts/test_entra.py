"""Applications of many tenants, without Entra ID."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import msal  # type: ignore[import-untyped]
import pytest
import requests
from azure.identity.aio import ManagedIdentityCredential

from shared.adapters.accounts import entra
from shared.adapters.accounts.application import Application
from shared.adapters.accounts.entra import Entra

OK = {"access_token": "a", "expires_in": 3600, "refresh_token": "r"}


class FakeApp:
    """Stands for msal's application; that of the tenant `slow` waits until another was asked."""

    asked = threading.Event()

    def __init__(self, _client: str, *, authority: str, http_client: Any, **_: Any) -> None:
        self.http_client = http_client
        self.is_slow = authority.endswith("/slow")
        if self.is_slow:
            assert self.asked.wait(5), "the other tenant was held up"

    def acquire_token_by_refresh_token(self, *_: Any) -> dict[str, Any]:
        """Tells that it was asked."""
        if not self.is_slow:
            self.asked.set()
        return OK


@pytest.fixture(autouse=True)
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    FakeApp.asked.clear()
    monkeypatch.setattr(msal, "ConfidentialClientApplication", FakeApp)


def new_entra() -> Entra:
    application = Application(client_id="app", secret="secret", identity=ManagedIdentityCredential)
    return Entra(application, "", "https://graph.example", "https://entra.example")


async def test_a_slow_tenant_holds_up_no_other() -> None:
    """Its endpoints are asked for while others are served."""
    asked = new_entra()

    found = await asyncio.gather(*(asked.refresh(tenant, "r", []) for tenant in ("slow", "fast")))
    await asked.close()

    assert [one.access_token for one in found] == ["a", "a"]


async def test_a_session_that_is_forgotten_is_not_closed_under_its_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends with the last who uses it."""
    monkeypatch.setattr(entra, "APPS_KEPT", 1)
    closed: list[str] = []
    monkeypatch.setattr(requests.Session, "close", lambda _: closed.append("closed"))
    asked = new_entra()

    for tenant in ("one", "two", "three"):
        await asked.refresh(tenant, "r", [])

    assert closed == []
    await asked.close()
    assert closed == ["closed"]
