"""The triggers: each decodes what the platform gives, makes one workflow call, and encodes.

To follow a mail: :mod:`shared.workflows.tick`, then ``poll``, ``intake``, ``process``, ``attempt``
and ``hand_over``.
"""

import json
import os

import azure.functions as func

from shared.api.http import ApiRequest
from shared.composition import connector
from shared.domain.envelope import Envelope
from shared.domain.poll_message import decode_poll
from shared.settings import callers_have_tokens, schedule
from shared.workflows.accounts import web
from shared.workflows.health import check_health
from shared.workflows.process import give_up, process
from shared.workflows.recover import recover
from shared.workflows.serve_document import serve, serve_signed
from shared.workflows.tick import poll_queued, tick

STORAGE = "AzureWebJobsStorage"
POLL_SCHEDULE = schedule("POLL_SCHEDULE", os.environ)
RECOVERY_SCHEDULE = schedule("RECOVERY_SCHEDULE", os.environ)

# the platform checks function keys before our code runs, or not at all
API_LEVEL = func.AuthLevel.ANONYMOUS if callers_have_tokens(os.environ) else func.AuthLevel.FUNCTION

app = func.FunctionApp()


@app.function_name("tick")
@app.timer_trigger(arg_name="timer", schedule=POLL_SCHEDULE, use_monitor=False)
async def on_tick(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the platform wants it
    """Every few seconds: polls the sources that are due."""
    c = connector()
    await tick(c.ports, c.registry, c.poll_limits, c.settings.tick_budget)


@app.function_name("poll")
@app.queue_trigger(arg_name="message", queue_name="polls", connection=STORAGE)
async def on_poll(message: func.QueueMessage) -> None:
    """Polls sources that did not fit into a tick."""
    c = connector()
    await poll_queued(decode_poll(message.get_body()), c.ports, c.registry, c.poll_limits)


@app.function_name("email")
@app.queue_trigger(arg_name="message", queue_name="emails", connection=STORAGE)
async def on_email(message: func.QueueMessage) -> None:
    """Delivers one mail and acts on it in its mailbox."""
    c = connector()
    await process(Envelope.decode(message.get_body()), c.ports, c.registry, c.keeping)


@app.function_name("email_poison")
@app.queue_trigger(arg_name="message", queue_name="emails-poison", connection=STORAGE)
async def on_email_poison(message: func.QueueMessage) -> None:
    """Ends a delivery on which the function before failed every time."""
    c = connector()
    await give_up(Envelope.decode(message.get_body()), c.ports)


@app.function_name("outbox")
@app.queue_trigger(arg_name="message", queue_name="outbox", connection=STORAGE)
async def on_outbox(message: func.QueueMessage) -> None:
    """Goes on with one mail that is to be sent for sure."""
    await connector().outbox.send(message.get_body(), is_first=message.dequeue_count == 1)


@app.function_name("outbox_poison")
@app.queue_trigger(arg_name="message", queue_name="outbox-poison", connection=STORAGE)
async def on_outbox_poison(message: func.QueueMessage) -> None:
    """Puts off a send on which the function before failed every time, or ends it."""
    await connector().outbox.give_up(message.get_body())


@app.function_name("recover")
@app.timer_trigger(arg_name="timer", schedule=RECOVERY_SCHEDULE, use_monitor=False)
async def on_recover(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the platform wants it
    """Every few minutes: takes up deliveries and sends that stand still."""
    c = connector()
    try:
        await recover(c.ports, c.settings.recovery_after, c.settings.document_retention)
    finally:
        await c.outbox.recover(c.settings.recovery_after, c.settings.outbox_retention)


@app.function_name("health")
@app.route(
    "health", trigger_arg_name="request", methods=["GET"], auth_level=func.AuthLevel.FUNCTION
)
async def on_health(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the same
    """200 where the connector can work, 503 with reasons where not."""
    c = connector()
    health = await check_health(c.ports, c.registry, c.settings.mailbox_access)
    body = {"status": "ill" if health.reasons else "well", "reasons": health.reasons}
    return func.HttpResponse(
        json.dumps({**body, **health.details}),
        status_code=503 if health.reasons else 200,
        mimetype="application/json",
    )


@app.function_name("document")
@app.route(
    "documents/{id}",
    trigger_arg_name="request",
    methods=["GET"],
    auth_level=func.AuthLevel.FUNCTION,
)
async def on_document(request: func.HttpRequest) -> func.HttpResponse:
    """A document, for those who have a function key."""
    c = connector()
    served = await serve(request.route_params["id"], request.headers.get("Range"), c.ports)
    return func.HttpResponse(served.body, status_code=served.status, headers=served.headers)


@app.function_name("signed_document")
@app.route(
    "signed-documents/{id}",
    trigger_arg_name="request",
    methods=["GET"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
async def on_signed_document(request: func.HttpRequest) -> func.HttpResponse:
    """A document, for those who have a signed address of it."""
    c = connector()
    served = await serve_signed(
        request.route_params["id"],
        request.params.get("expires", ""),
        request.params.get("signature", ""),
        request.headers.get("Range"),
        c.ports,
        c.keeping.links,
    )
    return func.HttpResponse(served.body, status_code=served.status, headers=served.headers)


@app.function_name("mail")
@app.route("mail/{userId}/{*rest}", trigger_arg_name="request", auth_level=API_LEVEL)
async def on_mail(request: func.HttpRequest) -> func.HttpResponse:
    """Sends mail, and serves folders and messages."""
    answer = await connector().api.handle(
        ApiRequest(
            method=(request.method or "").upper(),
            url=request.url,
            user=request.route_params.get("userId", ""),
            rest=request.route_params.get("rest", ""),
            query=request.params,
            headers=_headers(request),
            body=request.get_body(),
        )
    )
    return func.HttpResponse(answer.body, status_code=answer.status, headers=answer.headers)


@app.function_name("openapi")
@app.route(
    "openapi.json",
    trigger_arg_name="request",
    methods=["GET"],
    auth_level=API_LEVEL,
)
async def on_openapi(request: func.HttpRequest) -> func.HttpResponse:
    """What may be asked of `mail`, for programs."""
    answer = connector().api.openapi(_headers(request))
    return func.HttpResponse(answer.body, status_code=answer.status, headers=answer.headers)


def _headers(request: func.HttpRequest) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _answered(reply: web.Reply) -> func.HttpResponse:
    return func.HttpResponse(reply.body, status_code=reply.status, headers=reply.headers)


@app.function_name("account_connect")
@app.route(
    "accounts/connect",
    trigger_arg_name="request",
    methods=["GET"],
    auth_level=func.AuthLevel.FUNCTION,
)
async def on_account_connect(request: func.HttpRequest) -> func.HttpResponse:
    """Sends a person to sign in."""
    return _answered(await web.connect(request.params, connector().accounts))


@app.function_name("account_consent")
@app.route(
    "accounts/consent",
    trigger_arg_name="request",
    methods=["GET"],
    auth_level=func.AuthLevel.FUNCTION,
)
async def on_account_consent(request: func.HttpRequest) -> func.HttpResponse:
    """Sends an administrator to agree for everybody."""
    return _answered(await web.consent(request.params, connector().accounts))


@app.function_name("account_callback")
@app.route(
    "accounts/callback",
    trigger_arg_name="request",
    methods=["GET"],
    auth_level=func.AuthLevel.ANONYMOUS,
)
async def on_account_callback(request: func.HttpRequest) -> func.HttpResponse:
    """Takes in who comes back: whose state and cookie belong together."""
    return _answered(await web.callback(request.params, request.headers, connector().accounts))


@app.function_name("accounts")
@app.route(
    "accounts", trigger_arg_name="request", methods=["GET"], auth_level=func.AuthLevel.FUNCTION
)
async def on_accounts(request: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - the same
    """Every account, without secrets."""
    return _answered(await web.listed(connector().accounts))


@app.function_name("account")
@app.route(
    "accounts/{name}",
    trigger_arg_name="request",
    methods=["GET", "DELETE"],
    auth_level=func.AuthLevel.FUNCTION,
)
async def on_account(request: func.HttpRequest) -> func.HttpResponse:
    """Shows an account, or disconnects it."""
    name, accounts = request.route_params["name"], connector().accounts
    if request.method == "DELETE":
        return _answered(await web.disconnected(name, accounts))
    return _answered(await web.shown(name, accounts))
