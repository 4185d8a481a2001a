"""A target and the port to it: the fake, or an adapter on what stands in for its target."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from localdev.callback_receiver import DROPPED, CallbackReceiver, RunningReceiver
from shared.adapters.secrets import SecretStore
from shared.adapters.targets import AllTargets
from shared.domain.outcome import Answer, Unavailable
from shared.domain.target import (
    CamundaTarget,
    ClientCredentials,
    EngineAuth,
    TargetMessage,
    WebhookTarget,
)
from shared.ports import Targets
from tests.builders import URL, target_message
from tests.fakes.engine import FakeEngine, fake_engine
from tests.fakes.targets import FakeTargets

VARIABLES_LIMIT = 1_500_000
SECRET = "whsec_" + "c2VjcmV0" * 4

ENGINE_SECRETS = {
    "CLIENT": "s3cret",
    "WRONG": "other",
    "PAIR": "ada:pässword",
    "BROKEN": "ada:p\udce4ssword",
}
VARIABLES = 2_000
"""Bytes of variables that the engine is sent."""


class World(ABC):
    """A target system, and what happens to it."""

    targets: Targets
    target = WebhookTarget(URL)

    @abstractmethod
    def fails_next(self, retry_after: int | None = None, *, after_accepting: bool = False) -> None:
        """The next message is answered 503; before it is accepted, or after."""

    @abstractmethod
    def rejects(self, subscription: str) -> None:
        """It never takes mail of a subscription."""

    @abstractmethod
    def accepted(self) -> list[str]:
        """The webhook ids that were accepted, in order."""

    async def deliver(self, message: TargetMessage | None = None) -> Answer:
        """Hands over a message."""
        return await self.targets.deliver(self.target, message or target_message())


class FakeWorld(World):
    """In memory."""

    def __init__(self) -> None:
        self.fake = FakeTargets()
        self.targets = self.fake

    def fails_next(self, retry_after: int | None = None, *, after_accepting: bool = False) -> None:
        """The next message is answered 503."""
        outcome = Unavailable("answered 503", retry_after)
        self.fake.fail_next(outcome, after_accepting=after_accepting)

    def rejects(self, subscription: str) -> None:
        """It never takes mail of a subscription."""
        self.fake.reject(subscription, "answered 422")

    def accepted(self) -> list[str]:
        """The webhook ids that were accepted."""
        return list(self.fake.accepted)


class ReceiverWorld(World):
    """The webhook adapter on the callback receiver."""

    def __init__(
        self, receiver: CallbackReceiver, running: RunningReceiver, targets: AllTargets
    ) -> None:
        self.receiver = receiver
        self.running = running
        self.targets = targets
        self.target = WebhookTarget(running.hook("mail"))

    def fails_next(self, retry_after: int | None = None, *, after_accepting: bool = False) -> None:
        """The next message is answered 503."""
        self.receiver.fail_next(503, retry_after, after_accepting=after_accepting)

    def breaks_next(self) -> None:
        """The connection of the next message breaks, after it was accepted."""
        self.receiver.fail_next(DROPPED, after_accepting=True)

    def rejects(self, subscription: str) -> None:
        """It never takes mail of a subscription."""
        self.receiver.reject(subscription, 422)

    def accepted(self) -> list[str]:
        """The webhook ids that were accepted."""
        return self.receiver.accepted_ids


@asynccontextmanager
async def receiver_world(
    secrets: dict[str, str] | None = None,
    default: str = SECRET,
    answer_within: timedelta = timedelta(seconds=30),
) -> AsyncIterator[ReceiverWorld]:
    """A receiver that checks signatures, and an adapter with secrets."""
    receiver = CallbackReceiver(SECRET)
    targets = AllTargets(SecretStore(secrets or {}), default, answer_within, VARIABLES_LIMIT)
    async with receiver.serve() as running:
        yield ReceiverWorld(receiver, running, targets)
        await targets.close()


class Cluster:
    """An engine, and the adapter to it."""

    def __init__(self, engine: FakeEngine, targets: AllTargets) -> None:
        self.engine = engine
        self.targets = targets
        self.target = CamundaTarget(engine.url)

    async def deliver(self, number: int = 1, **target: Any) -> Answer:
        """Hands over a message, in the way that the test says."""
        return await self.targets.deliver(replace(self.target, **target), target_message(number))

    def oidc(self, name: str = "CLIENT") -> EngineAuth:
        """Client credentials of the engine's identity provider."""
        return EngineAuth(oidc=self.client(name))

    def client(self, name: str = "CLIENT") -> ClientCredentials:
        """A client of the engine's identity provider, by the name of its secret."""
        url = f"{self.engine.url}/oauth/token"
        return ClientCredentials(url, "mail", name, "zeebe", "all")


@asynccontextmanager
async def new_cluster() -> AsyncIterator[Cluster]:
    """An engine that listens, and an adapter with secrets."""
    targets = AllTargets(SecretStore(ENGINE_SECRETS), "", timedelta(seconds=30), VARIABLES)
    async with fake_engine() as engine:
        yield Cluster(engine, targets)
        await targets.close()
