"""A dry run of a subscription: which mail matches now, and what would become of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from shared.domain import odata
from shared.domain.delivery import Delivery, DeliveryKey
from shared.domain.errors import AnswerTooLarge, ExpressionFailed
from shared.domain.expressions import scope_of
from shared.domain.mail import Mail, mail_from_graph, mail_key, received_at
from shared.domain.source import source_id
from shared.domain.subscription import Operation, PostProcess, Subscription
from shared.domain.target import CamundaTarget, EngineCall, Target, TargetMessage
from shared.feel import Expression, FeelError, to_json
from shared.ports import MailboxAddress, Ports
from shared.workflows.deliveries import sources_of

LARGEST_PAGE = 50

GraphMessage = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What one expression gives for one mail.

    Args:
        column: where it stands.
        value: JSON.
        warnings: why the value, or a part of it, is null.
        error: why there is no value.
    """

    column: str
    value: Any = None
    warnings: tuple[str, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewedMail:
    """One mail, and what would become of it.

    Args:
        key: what the ledger has it by, or would have.
        known: what the ledger has of it; then it is not taken in again.
        why_not: why it does not activate; empty where it does.
        message: what the target would be handed; None where it would be handed nothing.
        failure: why it would be a dead letter; empty where it would not.
        afterwards: what would be done in the mailbox, in words.
    """

    key: DeliveryKey
    mail_id: str
    received_at: datetime
    sender: str = ""
    subject: str = ""
    automatic: bool = False
    archived: bool = False
    known: Delivery | None
    expressions: tuple[Evaluated, ...] = ()
    why_not: str = ""
    message: TargetMessage | None = None
    failure: str = ""
    afterwards: tuple[str, ...] = ()

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes of each variable as JSON."""
        variables = self.message.variables if self.message else {}
        return {name: len(json.dumps(value)) for name, value in variables.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A dry run.

    Args:
        condition: the OData condition of the subscription's filter; empty for all mail.
        host: scheme and host of the target.
        call: what the target would be asked for.
        more: whether more mail matches than was looked at.
    """

    subscription: Subscription
    condition: str
    host: str
    call: str
    mails: tuple[PreviewedMail, ...] = field(default=())
    more: bool = False


async def preview(subscription: Subscription, ports: Ports, top: int) -> Preview:
    """Looks at the mail that a subscription matches now, oldest first, as the app would take it.

    Args:
        subscription: a valid row; it need not be in the table.
        ports: the world outside.
        top: mails that are looked at.

    Raises:
        MailboxError: the mailbox or the folder cannot be read.
    """
    polling = subscription.polling
    address = MailboxAddress(polling.credential, polling.mailbox)
    folder_id = await ports.mailboxes.find_folder(address, polling.folder)
    listing = _Listing(subscription, address, folder_id, ports)
    messages, more = await listing.messages(top)
    sources = await sources_of(subscription.name, source_id(subscription), ports)
    mails = [await _previewed(subscription, one, sources, ports) for one in messages]
    host, call = where(subscription.target)
    return Preview(
        subscription=subscription,
        condition=polling.condition,
        host=host,
        call=call,
        mails=tuple(mails),
        more=more,
    )


def where(target: Target) -> tuple[str, str]:
    """Scheme and host of a target, and what it is asked for. No more of the address is told."""
    address = urlsplit(target.url)
    host = f"{address.scheme}://{address.netloc}"
    if not isinstance(target, CamundaTarget):
        return host, "POST of a signed message"
    if target.call is EngineCall.START:
        return host, f"start of process {target.process_id}"
    return host, f"{target.call} of a message"


def in_words(actions: PostProcess) -> tuple[str, ...]:
    """Mailbox operations, in the order in which they are done."""
    created = ", which is made if it is missing" if actions.create_folder else ""
    details = {
        Operation.CATEGORIZE: f": {', '.join(actions.categories)}",
        Operation.MOVE: f" to {actions.move_to}{created}",
    }
    return tuple(f"{operation}{details.get(operation, '')}" for operation in actions.operations)


class _Listing:
    """Lists mail, as polling does."""

    def __init__(
        self, subscription: Subscription, address: MailboxAddress, folder_id: str, ports: Ports
    ) -> None:
        self._polling = subscription.polling
        self._address = address
        self._folder_id = folder_id
        self._mailboxes = ports.mailboxes

    async def messages(self, top: int) -> tuple[list[GraphMessage], bool]:
        """Up to so many messages, and whether there are more."""
        try:
            return await self._listed(
                odata.listing(odata.BEGINNING, self._polling.condition, min(top, LARGEST_PAGE)), top
            )
        except AnswerTooLarge:
            ids, more = await self._listed(
                odata.id_listing(odata.BEGINNING, self._polling.condition, top), top
            )
        return [message for one in ids for message in await self._fetched(one)], more

    async def _listed(self, query: Mapping[str, str], top: int) -> tuple[list[GraphMessage], bool]:
        found: list[GraphMessage] = []
        link: str | None = None
        while True:
            page = await self._mailboxes.list_messages(
                self._address, self._folder_id, query, self._polling.body_format, link
            )
            found += page.messages
            link = page.next_link
            if link is None or len(found) >= top:
                return found[:top], link is not None or len(found) > top

    async def _fetched(self, message: GraphMessage) -> Sequence[GraphMessage]:
        """The whole mail; what was listed where it is too large, nothing where it is gone."""
        try:
            return await self._mailboxes.fetch_messages(
                self._address, [message["id"]], self._polling.body_format
            )
        except AnswerTooLarge:
            return [message]


async def _previewed(
    subscription: Subscription, message: GraphMessage, sources: Sequence[str], ports: Ports
) -> PreviewedMail:
    received = received_at(message)
    mail_part = mail_key(message["id"], received)
    known = await _known(sources, mail_part, ports)
    key = known.key if known else DeliveryKey(sources[0], mail_part)
    dead = _in_words_when_dead(subscription)
    if "body" not in message:
        failure = "it is larger than what is read at once"
        return PreviewedMail(
            key=key,
            mail_id=message["id"],
            received_at=received,
            known=known,
            failure=failure,
            afterwards=dead,
        )
    mail = mail_from_graph(message)
    correlation, now = subscription.correlation, ports.clock.now()
    seen = correlation.seen(mail)
    why_not, failure, sent = "", "", None
    afterwards = in_words(subscription.polling.post_process)
    try:
        why_not = correlation.why_not_activated(mail, now)
        if not why_not:
            sent = correlation.message(subscription.name, mail, now, "")
        elif not correlation.consume_unmatched:
            afterwards = ()
    except ExpressionFailed as error:
        failure, afterwards = str(error), dead
    return PreviewedMail(
        key=key,
        mail_id=message["id"],
        received_at=received,
        sender=mail["from"]["address"],
        subject=mail["subject"],
        automatic=mail["automatic"],
        archived=seen["archived"],
        known=known,
        expressions=tuple(_evaluations(subscription, seen, now)),
        why_not=why_not,
        message=sent,
        failure=failure,
        afterwards=afterwards,
    )


def _in_words_when_dead(subscription: Subscription) -> tuple[str, ...]:
    aside = subscription.polling.on_dead
    return () if aside is None else (f"move to {aside}, which is made if it is missing",)


async def _known(sources: Sequence[str], mail: str, ports: Ports) -> Delivery | None:
    for source in sources:
        delivery = await ports.ledger.read(DeliveryKey(source, mail))
        if delivery is not None:
            return delivery
    return None


def _evaluations(subscription: Subscription, seen: Mail, now: datetime) -> Sequence[Evaluated]:
    correlation = subscription.correlation
    expressions = {
        "activationCondition": correlation.activation,
        "correlationKeyExpression": correlation.correlation_key,
        "messageIdExpression": correlation.message_id,
        "resultExpression": correlation.result,
    }
    return [
        _evaluated(column, expression, seen, now)
        for column, expression in expressions.items()
        if expression is not None
    ]


def _evaluated(column: str, expression: Expression, seen: Mail, now: datetime) -> Evaluated:
    try:
        result = expression.diagnose(scope_of(seen), now=now)
        warnings = tuple(str(warning) for warning in result.warnings)
        return Evaluated(column=column, value=to_json(result.value), warnings=warnings)
    except FeelError as error:
        return Evaluated(column=column, error=str(error))
