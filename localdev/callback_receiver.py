"""A webhook server that plays the target system: it accepts each mail once, faults on demand."""

import argparse
import asyncio
import collections
import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

_MAX_BODY_BYTES = 64 * 1024 * 1024
_STOP_SECONDS = 5.0

# A status that stands for a connection that breaks instead of an answer.
DROPPED = 0


@dataclass(frozen=True, slots=True)
class AcceptedMail:
    """What is remembered of an accepted mail; never its body or subject."""

    order: int
    received_at: datetime
    message_id: str
    message_name: str | None
    subscription: str | None
    mail_id: str | None
    internet_message_id: str | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A wrong answer: a status, or `DROPPED`; before the mail is accepted, or after."""

    status: int
    retry_after: int | None = None
    after_accepting: bool = False


# What is drawn from when `fault_rate` says so. After accepting, the answer is what gets lost:
# the retry is told 409.
FAULTS = tuple(
    Fault(status, retry_after, after_accepting)
    for status, retry_after in ((503, 1), (429, 1), (429, None), (500, None), (DROPPED, None))
    for after_accepting in (False, True)
)


@dataclass(slots=True)
class Counters:
    """How requests ended. `received` counts all of them; a lost answer is also `accepted`."""

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    bad_signatures: int = 0
    faults: int = 0
    lost_answers: int = 0


@dataclass(frozen=True, slots=True)
class RunningReceiver:
    """A receiver that listens."""

    url: str

    def hook(self, name: str) -> str:
        """Return the address of a hook. All are treated alike."""
        return f"{self.url}/hooks/{name}"


class CallbackReceiver:
    """Accepts mail as Standard Webhooks, each `webhook-id` once.

    A mail is JSON `{messageId, messageName, timeToLive, subscription, variables}`. The first
    time it is answered 202, then 409.

    Args:
        secret: the signing secret, `whsec_…` or base64; without it, nothing is checked.
        fault_rate: which part of the requests meets a fault, 0 to 1.
        seed: what faults are drawn from, with the message id and the attempt, so that a run
            can be repeated whatever order requests come in.
        latency: seconds that each request takes at least.
        on_accept: called when a mail is accepted, before the answer.
    """

    def __init__(
        self,
        secret: str | None = None,
        *,
        fault_rate: float = 0.0,
        seed: int = 0,
        latency: float = 0.0,
        on_accept: Callable[[AcceptedMail], None] | None = None,
    ) -> None:
        self.counters = Counters()
        self.accepted: dict[str, AcceptedMail] = {}
        self.on_accept = on_accept
        self._webhook = None if secret is None else Webhook(secret)
        self._fault_rate = fault_rate
        self._seed = seed
        self._latency = latency
        self._attempts: collections.Counter[str] = collections.Counter()
        self._next_faults: collections.deque[Fault] = collections.deque()
        self._rejected: dict[str, int] = {}
        self._silent_paths: set[str] = set()
        self._closing = asyncio.Event()

    @property
    def accepted_ids(self) -> list[str]:
        """The webhook ids in the order of their acceptance."""
        return list(self.accepted)

    def fail_next(
        self,
        status: int,
        retry_after: int | None = None,
        times: int = 1,
        *,
        after_accepting: bool = False,
    ) -> None:
        """Answer the next requests with this status; `DROPPED` breaks the connection."""
        self._next_faults.extend([Fault(status, retry_after, after_accepting)] * times)

    def reject(self, subscription: str, status: int = 422) -> None:
        """Answer each mail of a subscription with this status, such as 400 or 422."""
        self._rejected[subscription] = status

    def never_answer(self, path: str) -> None:
        """Let requests to this path wait until the receiver stops."""
        self._silent_paths.add(path)

    @contextlib.asynccontextmanager
    async def serve(
        self, port: int = 0, address: str = "127.0.0.1"
    ) -> AsyncIterator[RunningReceiver]:
        """Listen while the block runs."""
        self._closing.clear()
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_post("/{path:.*}", self._receive)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, address, port).start()
            yield RunningReceiver(f"http://{address}:{runner.addresses[0][1]}")
        finally:
            self._closing.set()
            await runner.cleanup()

    async def _receive(self, request: web.Request) -> web.Response:
        self.counters.received += 1
        if request.path in self._silent_paths:
            await self._closing.wait()
            return _drop(request)
        try:
            body = await request.read()
        except ConnectionResetError:
            return _drop(request)  # the sender has gone: nothing was given
        if self._latency:
            await asyncio.sleep(self._latency)
        if not self._is_signed(request, body):
            self.counters.bad_signatures += 1
            return web.Response(status=401)
        try:
            message = json.loads(body)
            message_id = message["messageId"]
        except (ValueError, TypeError, LookupError):
            self.counters.rejected += 1
            return web.Response(status=400, text="not a JSON object with a messageId")
        # one mail may be two messages, for two subscriptions: the header tells them apart
        identity = request.headers.get("webhook-id") or str(message_id)
        return self._answer(request, identity, message)

    def _answer(self, request: web.Request, identity: str, message: dict[str, Any]) -> web.Response:
        fault = self._fault(identity)
        if fault is not None and not fault.after_accepting:
            return self._fail(request, fault)
        if status := self._rejected.get(str(message.get("subscription"))):
            self.counters.rejected += 1
            return web.Response(status=status)
        if identity in self.accepted:
            self.counters.duplicates += 1
            answer = web.Response(status=409)
        else:
            self._accept(identity, message)
            answer = web.json_response({"messageId": message["messageId"]}, status=202)
        return answer if fault is None else self._fail(request, fault)

    def _accept(self, identity: str, message: dict[str, Any]) -> None:
        self.counters.accepted += 1
        mail = _find_mail(message.get("variables"))
        accepted = AcceptedMail(
            order=self.counters.accepted,
            received_at=datetime.now(UTC),
            message_id=str(message["messageId"]),
            message_name=message.get("messageName"),
            subscription=message.get("subscription"),
            mail_id=mail.get("id"),
            internet_message_id=mail.get("internetMessageId"),
        )
        self.accepted[identity] = accepted
        if self.on_accept is not None:
            self.on_accept(accepted)

    def _is_signed(self, request: web.Request, body: bytes) -> bool:
        if self._webhook is None:
            return True
        try:
            self._webhook.verify(body, dict(request.headers), json_parse=False)
        except (WebhookVerificationError, ValueError):  # the latter for what is no base64
            return False
        return True

    def _fault(self, message_id: str) -> Fault | None:
        if self._next_faults:
            return self._next_faults.popleft()
        if not self._fault_rate:
            return None
        self._attempts[message_id] += 1
        draw = random.Random(f"{self._seed}:{message_id}:{self._attempts[message_id]}")
        return draw.choice(FAULTS) if draw.random() < self._fault_rate else None

    def _fail(self, request: web.Request, fault: Fault) -> web.Response:
        self.counters.faults += 1
        self.counters.lost_answers += fault.after_accepting
        if fault.status == DROPPED:
            return _drop(request)
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return web.Response(status=fault.status, headers=headers)


def _find_mail(variables: Any) -> dict[str, Any]:
    """Return the mail among a message's variables: one of them, or all of them together."""
    if not isinstance(variables, dict):
        return {}
    for value in (variables, *variables.values()):
        if isinstance(value, dict) and "internetMessageId" in value:
            return value
    return {}


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _print_line(mail: AcceptedMail) -> None:
    """Print one line; JSON, because a mail's sender chose some of it and a terminal obeys."""
    line = {
        "order": mail.order,
        "subscription": mail.subscription,
        "messageId": mail.message_id,
        "internetMessageId": mail.internet_message_id,
    }
    sys.stdout.write(f"accepted {json.dumps(line)}\n")
    sys.stdout.flush()


async def _run(options: argparse.Namespace) -> None:
    receiver = CallbackReceiver(
        options.secret,
        fault_rate=options.fault_rate,
        seed=options.seed,
        latency=options.latency,
        on_accept=_print_line,
    )
    async with receiver.serve(options.port, options.address) as running:
        sys.stdout.write(f"listening at {running.url}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Listen until interrupted; print one line for each accepted mail."""
    parser = argparse.ArgumentParser(
        prog="python3 -m localdev.callback_receiver", description=__doc__
    )
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7072, help="0 for any")
    parser.add_argument("--secret", help="checked if given: whsec_… or base64")
    parser.add_argument("--fault-rate", type=float, default=0.0, help="0 to 1")
    parser.add_argument("--seed", type=int, default=0, help="of the faults")
    parser.add_argument("--latency", type=float, default=0.0, help="seconds")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_run(parser.parse_args()))


if __name__ == "__main__":
    main()
