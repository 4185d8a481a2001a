"""Carries requests out: finds the operation, holds limits, lets faults strike, renders errors."""

from __future__ import annotations

import asyncio
import time
import uuid
from random import Random

import localdev.graph_simulator.routes  # noqa: F401 -- registers the operations
from localdev.graph_simulator.directory import Directory
from localdev.graph_simulator.errors import (
    GraphError,
    access_denied,
    invalid_user,
    mailbox_not_enabled,
)
from localdev.graph_simulator.exchange import Answer, Request, error_answer
from localdev.graph_simulator.faults import Dropped, FaultInjector
from localdev.graph_simulator.identity import AccessToken
from localdev.graph_simulator.mailbox import Mailbox
from localdev.graph_simulator.metrics import Metrics
from localdev.graph_simulator.operations import Call, Quirks, Resolved, resolve
from localdev.graph_simulator.throttling import Throttle


class Engine:
    """One Graph, whatever way requests come in.

    Args:
        directory: The state that operations act on.
        throttle: The limits per mailbox.
        injector: What fails.
        metrics: What is counted.
        quirks: How Graph differs from its documentation.
        random: What quirks are drawn from.
    """

    def __init__(
        self,
        *,
        directory: Directory,
        throttle: Throttle,
        injector: FaultInjector,
        metrics: Metrics,
        quirks: Quirks,
        random: Random,
    ) -> None:
        self.directory = directory
        self.throttle = throttle
        self.injector = injector
        self.metrics = metrics
        self.quirks = quirks
        self.random = random

    async def answer(
        self, request: Request, token: AccessToken, *, in_batch: bool = False
    ) -> Answer:
        """Carry one operation out.

        Raises:
            Dropped: If the connection is to break; never inside a batch.
        """
        self.metrics.requests += 1
        try:
            answer = await self._carried_out(request, token, in_batch=in_batch)
        except GraphError as error:
            answer = rendered(error, request)
        except Dropped:
            if not in_batch:
                raise
            lost = GraphError(504, "GatewayTimeout", "The request timed out at the gateway.")
            answer = rendered(lost, request)
        self.metrics.answered(answer.status)
        return answer

    async def _carried_out(self, request: Request, token: AccessToken, *, in_batch: bool) -> Answer:
        resolved = resolve(request)
        self.metrics.by_operation[resolved.operation.name] += 1
        mailbox = self._mailbox(resolved, token)
        upload = 0 if request.method in ("GET", "DELETE") else request.upload_size()
        loop = asyncio.get_running_loop()
        until = loop.time() + self.injector.faults.latency
        with self.throttle.admitted(token.app_id, mailbox.address, upload):
            try:
                return self._done(request, resolved, mailbox, token, in_batch=in_batch)
            finally:
                # what it takes is the latency: the simulator's own work is a part of it
                if (left := until - loop.time()) > 0:
                    await asyncio.sleep(left)

    def _done(
        self,
        request: Request,
        resolved: Resolved,
        mailbox: Mailbox,
        token: AccessToken,
        *,
        in_batch: bool,
    ) -> Answer:
        fault = self.injector.draw(request, resolved.operation.name, in_batch=in_batch)
        if fault is not None and not fault.after_effect:
            raise fault.error
        call = Call(
            request,
            resolved,
            directory=self.directory,
            mailbox=mailbox,
            token=token,
            quirks=self.quirks,
            random=self.random,
        )
        answer = resolved.operation.handler(call)
        if fault is not None:
            raise fault.error
        return answer

    def _mailbox(self, resolved: Resolved, token: AccessToken) -> Mailbox:
        user = resolved.keys[0]
        mailbox = self.directory.find(user)
        about_user = resolved.operation.name == "GET user"
        if mailbox is None:
            if about_user:
                raise GraphError(
                    404,
                    "Request_ResourceNotFound",
                    f"Resource '{user}' does not exist or one of its queried reference-property "
                    "objects are not present.",
                )
            raise invalid_user(user)
        if not about_user and not token.reaches(mailbox.address):
            raise access_denied()
        if not about_user and not mailbox.rest_enabled:
            raise mailbox_not_enabled()
        return mailbox


def rendered(error: GraphError, request: Request) -> Answer:
    """Return an error as an answer, with the ids that support asks for."""
    request_id = str(uuid.uuid4())
    client_id = request.headers.get("client-request-id", request_id)
    date = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    return error_answer(error, request_id, client_id, date)
