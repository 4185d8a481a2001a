from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.domain.delivery import DeliveryKey
from shared.domain.envelope import INLINE_BYTES, Envelope
from shared.domain.poll_message import decode_poll
from tests.contract.storage.worlds import World

KEY = DeliveryKey("source", "key")
MAIL = {"id": "AAMk", "subject": "Grüße 🎉 <&>\x00\x1f", "body": "<p>a ' b \" c</p>\r\n"}
LARGE = MAIL | {"body": "ü" * INLINE_BYTES}
ENVELOPE = Envelope(
    key=KEY,
    mail=MAIL,
    first_tried_at=datetime(2026, 1, 14, 16, 11, tzinfo=UTC),
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)
HOUR = timedelta(hours=1)


async def received(world: World) -> list[Envelope]:
    return [Envelope.decode(message) for message in await world.messages("emails")]


async def test_a_small_mail_travels_in_the_envelope(world: World) -> None:
    await world.emails().put(ENVELOPE)

    assert await received(world) == [ENVELOPE]
    assert await world.emails().mail_of(ENVELOPE) == MAIL


async def test_a_large_mail_waits_in_a_blob(world: World) -> None:
    await world.emails().put(replace(ENVELOPE, mail=LARGE))
    (envelope,) = await received(world)

    assert envelope == replace(ENVELOPE, mail=None, blob="source/key.json")
    assert await world.blobs() == ["source/key.json"]
    assert await world.emails().mail_of(envelope) == LARGE


async def test_a_message_as_large_as_may_be_travels_whole(world: World) -> None:
    """Characters that XML escapes make a message longer on the wire, not in the queue."""
    room = INLINE_BYTES - len(replace(ENVELOPE, mail={"body": ""}).encode())
    envelope = replace(ENVELOPE, mail={"body": "<" * room})
    await world.emails().put(envelope)

    assert await received(world) == [envelope]


async def test_a_mail_of_megabytes_is_kept(world: World) -> None:
    huge = {"body": "x" * 6_000_000}
    await world.emails().put(replace(ENVELOPE, mail=huge))
    (envelope,) = await received(world)

    assert await world.emails().mail_of(envelope) == huge


async def test_a_large_mail_that_is_put_again_leaves_one_blob(world: World) -> None:
    await world.emails().put(replace(ENVELOPE, mail=LARGE))
    await world.emails().put(replace(ENVELOPE, mail=LARGE | {"isRead": True}))
    first, second = await received(world)

    assert first == second
    assert await world.emails().mail_of(first) == LARGE | {"isRead": True}
    assert await world.blobs() == ["source/key.json"]


async def test_an_envelope_with_a_blob_is_sent_as_it_is(world: World) -> None:
    await world.emails().put(replace(ENVELOPE, mail=LARGE))
    (envelope,) = await received(world)
    tried = replace(envelope, first_tried_at=datetime(2026, 2, 1, tzinfo=UTC))
    await world.emails().put(tried)

    assert await received(world) == [tried]
    assert await world.emails().mail_of(tried) == LARGE


async def test_an_envelope_without_a_mail_is_sent_and_has_none(world: World) -> None:
    envelope = replace(ENVELOPE, mail=None)
    await world.emails().put(envelope)

    assert await received(world) == [envelope]
    assert await world.emails().mail_of(envelope) is None


async def test_a_mail_that_was_discarded_is_gone(world: World) -> None:
    await world.emails().put(replace(ENVELOPE, mail=LARGE))
    (envelope,) = await received(world)
    await world.emails().discard(envelope)

    assert await world.blobs() == []
    assert await world.emails().mail_of(envelope) is None


async def test_discard_may_find_nothing(world: World) -> None:
    await world.emails().discard(ENVELOPE)
    await world.emails().discard(replace(ENVELOPE, mail=None, blob="source/never.json"))

    assert await world.emails().mail_of(replace(ENVELOPE, mail=None, blob="source/none")) is None


async def test_a_delayed_envelope_cannot_be_seen_yet(world: World) -> None:
    await world.emails().put(ENVELOPE, delay=HOUR)

    assert await world.emails().oldest_waiting() is None
    assert await received(world) == []


@pytest.mark.parametrize("delay", [timedelta(days=400), timedelta(milliseconds=1)])
async def test_any_delay_is_taken(world: World, delay: timedelta) -> None:
    await world.emails().put(ENVELOPE, delay=delay)

    assert await world.emails().oldest_waiting() is None


async def test_the_oldest_waiting_is_the_first_that_can_be_seen(world: World) -> None:
    assert await world.emails().oldest_waiting() is None

    await world.emails().put(ENVELOPE, delay=HOUR)
    await world.emails().put(ENVELOPE)
    first = await world.emails().oldest_waiting()
    await world.emails().put(ENVELOPE)

    assert first is not None
    assert first.tzinfo is not None
    assert await world.emails().oldest_waiting() == first


async def test_sources_are_handed_over_in_a_message(world: World) -> None:
    await world.polls().put(["one", "manual-two", "ünï"])

    assert [decode_poll(message) for message in await world.messages("polls")] == [
        ["one", "manual-two", "ünï"]
    ]


async def test_all_of_very_many_sources_are_handed_over(world: World) -> None:
    ids = [f"{number:0>150}" for number in range(1500)]
    await world.polls().put(ids)
    messages = await world.messages("polls")

    assert [one for message in messages for one in decode_poll(message)] == ids


async def test_the_length_of_the_poll_queue_counts_messages(world: World) -> None:
    polls = world.polls()

    assert await polls.length() == 0
    await polls.put([])
    await polls.put(["one", "two"])
    await polls.put(["three"])
    assert await polls.length() == 2
