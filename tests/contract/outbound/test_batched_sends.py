"""Drafts of one mailbox are made and sent together, and what hits one hits no other."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

import pytest

from localdev.graph_simulator.exchange import Request
from shared.adapters.graph.send_batches import TOGETHER
from shared.domain.errors import AnswerLost, MailboxRefused
from shared.domain.outbound.outbox import OutboxMessage, SendState
from shared.outbound_ports import Draft
from shared.workflows.outbox.send_queued import send_queued
from tests.builders import MAILBOX
from tests.contract.outbound.worlds import ADA, OutboundWorld
from tests.fakes.outbox_world import OutboxWorld

SENDS = 20
TO = {"toRecipients": [{"emailAddress": {"address": ADA}}]}
BATCH = "POST $batch"


async def drafts(world: OutboundWorld, amount: int = SENDS) -> list[Draft]:
    """So many drafts, made at the same time."""
    return await asyncio.gather(
        *(world.operations.create_draft(world.caller, TO, f"key-{n}") for n in range(amount))
    )


async def sent(world: OutboundWorld, made: Sequence[Draft]) -> list[BaseException | None]:
    """What became of sending drafts at the same time."""
    sends = (world.operations.send_draft(world.caller, draft.id) for draft in made)
    return await asyncio.gather(*sends, return_exceptions=True)


def to_one(draft: Draft) -> Any:
    """Matches the send of a draft, and no batch that holds it."""

    def matches(request: Request) -> bool:
        return draft.id in unquote(request.target)

    return matches


async def test_sends_at_once_are_two_requests_each_in_few_round_trips(
    world: OutboundWorld,
) -> None:
    """Batches make the drafts, others send them, and four places are never exceeded."""
    made = await drafts(world)

    assert await sent(world, made) == [None] * SENDS
    assert len({one.id for one in made}) == SENDS
    metrics = world.simulator.metrics
    assert metrics.round_trips == metrics.batches == 2 * math.ceil(SENDS / TOGETHER)
    assert metrics.max_concurrency[MAILBOX] <= 4
    assert metrics.throttled == 0
    assert world.counted() == {"POST messages": SENDS, "POST send": SENDS}
    assert len(world.simulator.sent) == SENDS


async def test_a_send_alone_is_in_no_batch(world: OutboundWorld) -> None:
    """It goes as the requests that Graph documents for it."""
    [made] = await drafts(world, 1)
    await world.operations.send_draft(world.caller, made.id)

    assert world.simulator.metrics.batches == 0
    assert world.counted() == {"POST messages": 1, "POST send": 1}


async def test_mails_with_much_in_them_go_alone(world: OutboundWorld) -> None:
    """A batch stays below Graph's 4 MB."""
    content = "QUFB" * 50_000
    file = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": content}
    message = {**TO, "attachments": [file]}

    await asyncio.gather(
        *(world.operations.create_draft(world.caller, message, str(n)) for n in range(21))
    )

    assert world.simulator.metrics.batches == 0
    assert world.counted() == {"POST messages": 21}


async def test_a_callers_token_is_for_its_own_requests(world: OutboundWorld) -> None:
    """They are in no batch, which has one token for all."""
    callers = [world.visitor() for _ in range(4)]

    await asyncio.gather(
        *(world.operations.create_draft(one, TO, str(n)) for n, one in enumerate(callers))
    )

    assert world.simulator.metrics.batches == 0
    assert world.simulator.metrics.token_requests == 0


@pytest.mark.parametrize("status", [409, 412, 423, 500, 503, 504])
@pytest.mark.parametrize("after_effect", [True, False])
async def test_a_failure_of_one_send_is_not_repeated_and_disturbs_no_other(
    world: OutboundWorld, status: int, *, after_effect: bool
) -> None:
    """Nobody knows of that one; the others are sent once."""
    made = await drafts(world)
    world.simulator.fail_next(to_one(made[7]), status, after_effect=after_effect)

    results = await sent(world, made)

    assert [n for n, one in enumerate(results) if one is not None] == [7]
    assert isinstance(results[7], AnswerLost)
    assert world.counted()["POST send"] == SENDS
    assert len(world.simulator.sent) == SENDS - 1 + after_effect


async def test_a_draft_whose_answer_is_a_failure_is_not_made_again(world: OutboundWorld) -> None:
    """It is found by its key."""
    world.simulator.fail_next("POST messages", 503, after_effect=True)

    creations = (world.operations.create_draft(world.caller, TO, f"key-{n}") for n in range(5))
    results = await asyncio.gather(*creations, return_exceptions=True)

    [lost] = [n for n, one in enumerate(results) if isinstance(one, AnswerLost)]
    assert world.counted() == {"POST messages": 5}
    assert await world.operations.find_draft(world.caller, f"key-{lost}") is not None


async def test_a_throttled_send_of_a_batch_is_repeated_after_its_wait(
    world: OutboundWorld,
) -> None:
    """It certainly was not done; the others are not sent again."""
    made = await drafts(world)
    world.simulator.fail_next(to_one(made[7]), 429, retry_after=2)

    assert await sent(world, made) == [None] * SENDS
    assert world.counted()["POST send"] == SENDS + 1
    assert len(world.simulator.sent) == SENDS
    assert world.hourglass.slept == [2]


async def test_a_refusal_of_one_send_is_its_own(world: OutboundWorld) -> None:
    """The others go out."""
    made = await drafts(world, 3)
    world.simulator.fail_next(to_one(made[1]), 403)

    results = await sent(world, made)

    assert [type(one) for one in results] == [type(None), MailboxRefused, type(None)]


@pytest.mark.parametrize("status", ["drop", 409, 500, 503, 504])
@pytest.mark.parametrize("after_effect", [True, False])
async def test_a_batch_without_a_verdict_is_not_repeated(
    world: OutboundWorld, status: int | str, *, after_effect: bool
) -> None:
    """Nobody knows of any of its sends; a look tells."""
    made = await drafts(world, 4)
    world.simulator.fail_next(BATCH, status, after_effect=after_effect)  # type: ignore[arg-type]
    world.counted()

    results = await sent(world, made)

    assert [type(one) for one in results] == [AnswerLost] * 4
    assert world.simulator.metrics.round_trips == 1
    assert len(world.simulator.sent) == 4 * after_effect
    seen = [await world.operations.look(world.caller, one.id) for one in made]
    assert [one is not None and one.is_draft for one in seen] == [not after_effect] * 4


async def test_a_batch_that_is_throttled_as_a_whole_is_repeated(world: OutboundWorld) -> None:
    """As a single request would be: none of it was done."""
    made = await drafts(world, 5)
    world.simulator.fail_next(BATCH, 429, retry_after=2)

    assert await sent(world, made) == [None] * 5
    assert len(world.simulator.sent) == 5
    assert world.hourglass.slept == [2]


async def test_the_requests_of_a_batch_that_was_not_taken_go_alone(world: OutboundWorld) -> None:
    """One that spoils a batch spoils no other's send."""
    made = await drafts(world, 5)
    world.simulator.fail_next(BATCH, 400)

    assert await sent(world, made) == [None] * 5
    assert world.counted()["POST send"] == 5
    assert len(world.simulator.sent) == 5


@pytest.mark.parametrize("of_batch", [1, 2], ids=["drafts", "sends"])
@pytest.mark.parametrize("after_effect", [True, False])
async def test_durable_sends_of_a_lost_batch_go_out_exactly_once(
    world: OutboundWorld, of_batch: int, *, after_effect: bool
) -> None:
    """Each looks what became of its own."""
    outbox, seen = OutboxWorld(operations=world.operations, caller=world.caller), 0

    def is_the_one(request: Request) -> bool:
        nonlocal seen
        is_batch = request.path.endswith("/$batch")
        seen += is_batch
        return is_batch and seen == of_batch

    world.simulator.fail_next(is_the_one, "drop", after_effect=after_effect)
    for number in range(5):
        await outbox.enqueue(f"order-{number}", to=[ADA])

    for _ in range(7):
        texts = outbox.queue.take()
        await asyncio.gather(
            *(
                send_queued(OutboxMessage.decode(text), outbox.box(), is_first=True)
                for text in texts
            )
        )
        outbox.later(minutes=10)
        await outbox.recover()

    assert seen >= of_batch
    assert [outbox.item(f"order-{n}").state for n in range(5)] == [SendState.SENT] * 5
    assert len(world.simulator.sent) == 5
    assert world.simulator.messages(MAILBOX, "drafts") == []
