"""Handing a mail over: who it activates, its documents, its messages, and what the targets say."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.delivery import Delivery
from shared.domain.document_links import DocumentLinks
from shared.domain.errors import ExpressionFailed, StorageUnavailable
from shared.domain.mail import Mail
from shared.domain.outcome import Outcome, Rejected, TooLarge, Unavailable
from shared.domain.subscription import KeptDocuments, Subscription
from shared.domain.trace import next_span
from shared.ports import MailboxAddress, Ports
from shared.workflows.documents import Keeping, keep_documents
from shared.workflows.offload import offload_body


@dataclass(frozen=True, slots=True)
class HandedOver:
    """What one attempt came to.

    Args:
        outcomes: what the target of each subscription said that the mail activated.
        unmatched: why the mail did not activate the others.
    """

    outcomes: Mapping[str, Outcome]
    unmatched: Mapping[str, str]


def activated(
    mail: Mail, members: Mapping[str, Subscription], delivery: Delivery
) -> tuple[dict[str, Subscription], HandedOver]:
    """The subscriptions that a mail activates, and what is settled for the others already.

    Args:
        mail: the mail, with the metadata of its attachments.
        members: the subscriptions that wait for it.
        delivery: whose it is; the time of its claim is what expressions take for now.
    """
    matched: dict[str, Subscription] = {}
    outcomes: dict[str, Outcome] = {}
    unmatched: dict[str, str] = {}
    for name, subscription in members.items():
        try:
            why_not = subscription.correlation.why_not_activated(mail, delivery.claimed_at)
        except ExpressionFailed as error:
            outcomes[name] = Rejected(str(error))
            continue
        if why_not:
            unmatched[name] = why_not
        else:
            matched[name] = subscription
    return matched, HandedOver(outcomes, unmatched)


async def hand_over(  # noqa: PLR0917 - the mail, who gets it, and the world
    mail: Mail,
    matched: Mapping[str, Subscription],
    delivery: Delivery,
    traceparent: str,
    ports: Ports,
    keeping: Keeping,
) -> dict[str, Outcome]:
    """Keeps the mail's documents, then hands it to the target of each subscription, side by side.

    Raises:
        MailboxError: documents could not be read now.
        StorageUnavailable: documents could not be kept.
    """
    if not matched:
        return {}
    address = MailboxAddress(matched[min(matched)].polling.credential, delivery.mailbox)
    wanted = _wanted_documents(matched)
    mail = await keep_documents(mail, delivery, wanted, address, ports, keeping)

    async def one(subscription: Subscription) -> Outcome:
        trace = next_span(traceparent)
        return await _deliver(subscription, mail, delivery, trace, ports, keeping.links)

    answers = await asyncio.gather(*(one(subscription) for subscription in matched.values()))
    return dict(zip(matched, answers, strict=True))


def _wanted_documents(matched: Mapping[str, Subscription]) -> KeptDocuments:
    """What some of the subscriptions want: it is kept once, and all see it."""
    wishes = [subscription.documents for subscription in matched.values()]
    return KeptDocuments(
        attachments=any(wish.attachments for wish in wishes),
        mime=any(wish.mime for wish in wishes),
    )


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
        message = correlation.message(subscription.name, mail, now, traceparent)
        answer = await ports.targets.deliver(subscription.target, message)
        if isinstance(answer, TooLarge) and subscription.documents.body:
            mail = await offload_body(mail, delivery, ports, links)
            message = correlation.message(subscription.name, mail, now, traceparent)
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
