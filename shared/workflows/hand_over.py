"""Handing a mail over: who it activates, its documents, its messages, and what the targets say."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from shared.domain.delivery import Delivery
from shared.domain.document_links import DocumentLinks
from shared.domain.errors import ExpressionFailed, StorageUnavailable
from shared.domain.mail import Mail
from shared.domain.outcome import Outcome, Rejected, TooLarge, Unavailable
from shared.domain.subscription import KeptDocuments, Subscription
from shared.domain.trace import next_span
from shared.ports import MailboxAddress, Ports
from shared.telemetry import frames, logger, span
from shared.workflows.aside import aside
from shared.workflows.documents import Keeping, keep_documents
from shared.workflows.offload import offload_body

DELIVERY_DEADLINE = timedelta(minutes=2)
"""The longest that one target is waited for: shorter than a mail as a whole is worked on."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Which of its subscriptions a mail activates.

    Args:
        matched: those.
        unmatched: why it does not activate the others.
        failed: what came of those whose condition cannot be evaluated.
    """

    matched: Mapping[str, Subscription]
    unmatched: Mapping[str, str]
    failed: Mapping[str, Outcome]


async def judge(mail: Mail, members: Mapping[str, Subscription], delivery: Delivery) -> Judged:
    """Asks the condition of each subscription about a mail.

    Args:
        mail: the mail, with the metadata of its attachments.
        members: the subscriptions that wait for it.
        delivery: whose it is; the time of its claim is what expressions take for now.
    """
    matched: dict[str, Subscription] = {}
    unmatched: dict[str, str] = {}
    failed: dict[str, Outcome] = {}
    for name, subscription in members.items():
        try:
            correlation = subscription.correlation
            judged = partial(correlation.why_not_activated, mail, delivery.claimed_at)
            why_not = await aside(mail, [correlation.activation], judged)
        except ExpressionFailed as error:
            failed[name] = Rejected(str(error))
            continue
        if why_not:
            unmatched[name] = why_not
        else:
            matched[name] = subscription
    return Judged(matched, unmatched, failed)


async def hand_over(  # noqa: PLR0917 - the mail, who gets it, and the world
    mail: Mail,
    matched: Mapping[str, Subscription],
    delivery: Delivery,
    traceparent: str,
    ports: Ports,
    keeping: Keeping,
    *,
    patient: bool,
) -> dict[str, Outcome]:
    """Keeps the mail's documents, then hands it to the target of each subscription, side by side.

    Args:
        mail: the mail, with the metadata of its attachments.
        matched: the subscriptions that it activates.
        delivery: whose it is.
        traceparent: W3C trace context of the envelope.
        ports: the world outside.
        keeping: how documents are kept.
        patient: whether the mail can still wait for what its mailbox does not give now.

    Raises:
        MailboxError: documents could not be read now.
        StorageUnavailable: documents could not be kept.
    """
    if not matched:
        return {}
    address = MailboxAddress(matched[min(matched)].polling.credential, delivery.mailbox)
    wanted = _wanted_documents(matched)
    with span("documents", when=wanted.mime or (wanted.attachments and mail["attachments"])):
        mail = await keep_documents(
            mail, delivery, wanted, address, ports, keeping, patient=patient
        )

    async def one(subscription: Subscription) -> Outcome:
        with span("target", subscription=subscription.name) as call:
            trace = call.traceparent or next_span(traceparent)
            outcome = await _alone(
                subscription.name,
                _deliver(subscription, mail, delivery, trace, ports, keeping.links),
            )
            call.note(outcome=type(outcome).__name__.lower())
        return outcome

    answers = await asyncio.gather(*(one(subscription) for subscription in matched.values()))
    return dict(zip(matched, answers, strict=True))


def _wanted_documents(matched: Mapping[str, Subscription]) -> KeptDocuments:
    """What some of the subscriptions want: it is kept once, and all see it."""
    wishes = [subscription.documents for subscription in matched.values()]
    return KeptDocuments(
        attachments=any(wish.attachments for wish in wishes),
        mime=any(wish.mime for wish in wishes),
    )


async def _alone(subscription: str, delivering: Awaitable[Outcome]) -> Outcome:
    """What one delivery comes to, whatever happens: the acceptances of others must be recorded."""
    try:
        async with asyncio.timeout(DELIVERY_DEADLINE.total_seconds()):
            return await delivering
    except TimeoutError:
        return Unavailable(f"not delivered within {DELIVERY_DEADLINE}")
    except Exception as error:  # noqa: BLE001 - one subscription never stops another
        reason = f"the connector itself failed ({type(error).__name__}); its log says why"
        logger().error(
            "delivery.failing", reason=reason, subscription=subscription, frames=frames(error)
        )
        return Unavailable(reason)


async def _deliver(  # noqa: PLR0917 - the same
    subscription: Subscription,
    mail: Mail,
    delivery: Delivery,
    traceparent: str,
    ports: Ports,
    links: DocumentLinks,
) -> Outcome:
    """Hands over one message; a body that makes it too large becomes a document, where allowed."""
    correlation, now = subscription.correlation, delivery.claimed_at
    try:
        made = partial(correlation.message, subscription.name, mail, now, traceparent)
        expressions = correlation.message_id, correlation.correlation_key, correlation.result
        message = await aside(mail, expressions, made)
        answer = await ports.targets.deliver(subscription.target, message)
        if isinstance(answer, TooLarge) and subscription.documents.body:
            message = await offload_body(message, mail, delivery, ports, links)
            answer = await ports.targets.deliver(subscription.target, message)
    except ExpressionFailed as error:
        return Rejected(str(error))
    except StorageUnavailable as error:
        # the other subscriptions' targets may have the mail by now: that must be recorded
        return Unavailable(str(error), tried=False)
    if isinstance(answer, TooLarge):
        hint = "" if subscription.documents.body else ". Set offloadBody, or a resultExpression"
        return Rejected(f"{answer.reason}{hint}")
    return answer
