"""Sending: at once, or as a durable send whose status can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from shared.api.calls import Answered, BadRequest, Call, sent
from shared.api.models import DurableSend, SentMail, durable
from shared.domain.outbound.odata_query import Option
from shared.domain.outbound.outbox import KEY_PATTERN, read_key
from shared.domain.outbound.requests import SendRequest
from shared.workflows.outbound.send import send
from shared.workflows.outbox.enqueue import enqueue, find_send

KEY_HEADER = "Idempotency-Key"
LOOK_AFTER = 2
"""Seconds after which it makes sense to ask what became of a send."""

_KEYS = "1 to 128 of A-Z a-z 0-9 . _ ~ : @ = + -, such as a UUID,"


def _key(value: str) -> str:
    try:
        read_key(value)
    except ValueError:
        return _KEYS
    return "" if value.strip() else _KEYS


QUERY: Mapping[str, Option] = {
    "async": Option(
        "Promises to send the mail and answers at once: it is sent in the background, whatever"
        " fails on the way.",
        {"type": "boolean", "default": False},
        lambda value: "" if value in {"true", "false"} else "true or false",
    )
}
HEADERS: Mapping[str, Option] = {
    KEY_HEADER: Option(
        "Names a durable send (`async=true`): the same key with the same request is the same send,"
        " however often it is asked for. One is made where it is left out.",
        {"type": "string", "pattern": f'^("{KEY_PATTERN}"|{KEY_PATTERN})$'},
        _key,
    )
}


async def send_mail(call: Call) -> SentMail | Answered:
    """Sends a mail, or promises to."""
    request, written = call.outgoing(call.body[0]), call.body[1]
    if call.query.get("async") == "true":
        return await _promise(call, request, written)
    if KEY_HEADER in call.headers:
        raise BadRequest(f"{KEY_HEADER} is for sends that are kept: ask with ?async=true.")
    return sent(await send(call.sending, call.caller, request))


async def _promise(call: Call, request: SendRequest, written: str) -> Answered:
    key = read_key(call.headers.get(KEY_HEADER))
    call.progress.promises(is_named=KEY_HEADER in call.headers)
    item = (await enqueue(call.outbox, call.caller, request, key, written)).item
    here = urlsplit(call.address).path
    headers = {"Location": f"{here}/sends/{quote(key, safe='~:@=+')}"}
    if item.state.is_final:
        return Answered(durable(item), 200, headers)
    return Answered(durable(item), 202, headers | {"Retry-After": str(LOOK_AFTER)})


async def get_send(call: Call) -> DurableSend:
    """Where a durable send stands."""
    item = await find_send(call.outbox, call.caller.mailbox, call.path["key"])
    if item is None:
        raise BadRequest(
            "No send of this mailbox has this key: none was accepted, or it ended long ago.",
            404,
            "sendNotFound",
        )
    return durable(item)
