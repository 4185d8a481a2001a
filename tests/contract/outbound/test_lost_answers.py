"""Failures on the way: nothing goes out twice, and large files go on where they stopped."""

import asyncio

import pytest

from localdev.graph_simulator import Faults, Quirks
from shared.domain.errors import (
    AnswerLost,
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
)
from shared.outbound_ports import Upload
from shared.ports import MailboxAddress
from tests.builders import MAILBOX
from tests.contract.outbound.worlds import OutboundWorld

LARGE = bytes(range(256)) * 40_000
"""Ten megabytes: three parts."""

TO = {"toRecipients": [{"emailAddress": {"address": "ada@contoso.example"}}]}
FILE = {"@odata.type": "#microsoft.graph.fileAttachment", "name": "a", "contentBytes": "YQ=="}


@pytest.mark.parametrize("status", [500, 502, 503, 504, "drop"])
@pytest.mark.parametrize("after_effect", [True, False])
async def test_a_send_without_a_verdict_is_not_repeated(
    world: OutboundWorld, status: int | str, *, after_effect: bool
) -> None:
    """Nobody knows, and that is what is said."""
    world.simulator.fail_next("POST sendMail", status, after_effect=after_effect)  # type: ignore[arg-type]

    with pytest.raises(AnswerLost):
        await world.send()

    assert len(world.simulator.sent) == after_effect
    assert world.counted() == {"POST sendMail": 1}


@pytest.mark.parametrize("operation", ["POST sendMail", "POST send", "POST attachments"])
@pytest.mark.parametrize("status", [409, 412, 423, 500, 503, 507])
async def test_a_failure_that_asks_to_wait_is_no_verdict(
    world: OutboundWorld, operation: str, status: int
) -> None:
    """A gateway may give it after the mail went out: nothing is done a second time."""
    draft = await world.operations.create_draft(world.caller, TO, "key")
    asks = {
        "POST sendMail": lambda: world.operations.send_at_once(world.caller, TO, save=True),
        "POST send": lambda: world.operations.send_draft(world.caller, draft.id),
        "POST attachments": lambda: world.operations.add_attachment(world.caller, draft.id, FILE),
    }
    world.simulator.fail_next(operation, status, retry_after=1, after_effect=True)

    with pytest.raises(AnswerLost):
        await asks[operation]()

    assert world.counted()[operation] == 1


async def test_a_throttled_send_is_repeated(world: OutboundWorld) -> None:
    """It certainly was not done."""
    world.simulator.fail_next("POST sendMail", 429, retry_after=2)

    await world.send()

    assert len(world.simulator.sent) == 1
    assert world.hourglass.slept == [2]


@pytest.mark.parametrize("new_id", [False, True])
@pytest.mark.parametrize("operation", ["POST messages", "POST send"])
@pytest.mark.parametrize("status", [504, "drop"])
async def test_a_draft_goes_out_once(
    world: OutboundWorld, operation: str, status: int | str, *, new_id: bool
) -> None:
    """Though the answer was lost after it took effect, and the id may be another by then."""
    world.simulator.quirks = Quirks(new_id_when_sent=new_id)
    world.simulator.fail_next(operation, status, after_effect=True)  # type: ignore[arg-type]

    sent = await world.send(identify=True)

    assert len(world.simulator.sent) == 1
    assert sent.draft is not None
    assert not world.simulator.messages(MAILBOX, "drafts")
    if operation == "POST send":
        [copy] = world.simulator.messages(MAILBOX, "sentitems")
        assert sent.draft.id == copy.id


async def test_a_draft_is_found_by_its_key_before_and_after_it_is_sent(
    world: OutboundWorld,
) -> None:
    """By an extended property and a filter."""
    to = {"toRecipients": [{"emailAddress": {"address": "a@b.example"}}]}
    draft = await world.operations.create_draft(world.caller, to, "it's a key")

    before = await world.operations.find_draft(world.caller, "it's a key")
    await world.operations.send_draft(world.caller, draft.id)
    after = await world.operations.find_draft(world.caller, "it's a key")

    assert before is not None
    assert after is not None
    assert (before.id, before.is_draft) == (draft.id, True)
    assert (after.id, after.is_draft) == (draft.id, False)
    assert after.internet_message_id == draft.internet_message_id
    assert await world.operations.find_draft(world.caller, "another") is None


@pytest.mark.parametrize("status", [500, 503, "drop"])
@pytest.mark.parametrize("after_effect", [True, False])
@pytest.mark.parametrize("parts_before", [0, 1, 2])
async def test_an_upload_goes_on_where_it_stopped(
    world: OutboundWorld, status: int | str, parts_before: int, *, after_effect: bool
) -> None:
    """Whether the part had come or not, the last one as well; the file is attached once."""
    draft = await world.operations.create_draft(world.caller, {}, "key")
    seen = 0

    def is_the_one(request: object) -> bool:
        nonlocal seen
        is_part = getattr(request, "method", "") == "PUT"
        seen += is_part
        return is_part and seen == parts_before + 1

    world.simulator.fail_next(is_the_one, status, after_effect=after_effect)  # type: ignore[arg-type]
    upload = Upload("film.mp4", len(LARGE), "video/mp4")

    await world.operations.upload(world.caller, draft.id, upload, _read)

    [attached] = world.simulator.message(MAILBOX, draft.id).content.attachments
    assert (attached.name, attached.content) == ("film.mp4", LARGE)
    assert world.simulator.metrics.by_operation["POST attachments createUploadSession"] == 1


async def test_two_files_alike_are_both_attached(world: OutboundWorld) -> None:
    """The first is not taken for the second, whose last answer is lost before its effect."""
    draft = await world.operations.create_draft(world.caller, {}, "key")
    await world.operations.upload(world.caller, draft.id, Upload("a", len(LARGE)), _read)
    world.simulator.fail_next("PUT upload", "drop", times=2)

    await world.operations.upload(world.caller, draft.id, Upload("a", len(LARGE)), _read)

    assert len(world.simulator.message(MAILBOX, draft.id).content.attachments) == 2


async def test_an_upload_that_never_gets_through_ends(world: OutboundWorld) -> None:
    """After a few troubles in a row."""
    draft = await world.operations.create_draft(world.caller, {}, "key")
    world.simulator.fail_next("PUT upload", 503, times=1000)

    with pytest.raises(MailboxUnavailable):
        await world.operations.upload(world.caller, draft.id, Upload("a", len(LARGE)), _read)

    assert world.simulator.metrics.uploads == 0


async def test_sends_keep_to_the_four_places_of_a_mailbox(world: OutboundWorld) -> None:
    """With uploads among them."""
    world.simulator.faults = Faults(latency=0.005)
    await asyncio.gather(*(world.send(identify=True) for _ in range(12)))

    assert world.simulator.metrics.max_concurrency[MAILBOX] <= 4
    assert world.simulator.metrics.throttled == 0


async def test_a_callers_throttling_holds_up_nobody_else(world: OutboundWorld) -> None:
    """Graph counts by app: another caller's token may be that of another."""
    other = world.simulator.add_app("5c0fed00-0000-4000-8000-000000000001")
    throttled = type(world.caller)(MAILBOX, bearer=world.simulator.issue_token(other))
    world.simulator.fail_next("GET messages", 429, retry_after=600)

    with pytest.raises(MailboxUnavailable):
        await world.operations.list_messages(throttled, None, {})
    with pytest.raises(MailboxUnavailable):
        await world.operations.list_messages(throttled, None, {})
    await world.operations.list_messages(world.visitor(), None, {})

    assert world.counted() == {"GET messages": 2}


async def test_polling_gets_through_whatever_callers_ask(world: OutboundWorld) -> None:
    """One place of the mailbox is left to it, and the crowd waits outside."""
    world.simulator.faults = Faults(latency=0.02)
    crowd = [
        asyncio.create_task(world.operations.list_folders(world.caller, None, {}))
        for _ in range(60)
    ]
    await asyncio.sleep(0.03)
    address = MailboxAddress(world.caller.credential, MAILBOX)

    await world.mailboxes.list_messages(address, "inbox", {"$top": "1"}, "text")

    assert sum(one.done() for one in crowd) < 20
    await asyncio.gather(*crowd)


async def test_a_removal_for_good_whose_answer_was_lost_is_done(world: OutboundWorld) -> None:
    """The repeat finds nothing more to remove."""
    mail = world.deliver()
    world.simulator.fail_next(
        lambda one: "permanentDelete" in one.target, "drop", after_effect=True
    )

    await world.operations.purge_message(world.caller, mail)

    with pytest.raises(MailNotFound):
        await world.operations.purge_message(world.caller, mail)


async def test_a_callers_token_is_used_instead_of_the_apps(world: OutboundWorld) -> None:
    """The app asks for none of its own, and a bad one is refused as the caller's."""
    await world.send(world.visitor())

    assert len(world.simulator.sent) == 1
    assert world.simulator.metrics.token_requests == 0
    with pytest.raises(MailboxRefused) as raised:
        await world.send(type(world.caller)(MAILBOX, bearer="wrong"))
    assert raised.value.said is not None
    assert raised.value.said.status == 401


async def test_tokens_of_callers_at_once_are_not_mixed_up(world: OutboundWorld) -> None:
    """A token of an app with a smaller scope opens no more than its own, whoever else calls."""
    scoped = world.simulator.add_app("5c0fed00-0000-4000-8000-000000000001", mailboxes=["a@b.c"])
    world.simulator.faults = Faults(latency=0.002)
    small = type(world.caller)(MAILBOX, bearer=world.simulator.issue_token(scoped))
    callers = [world.visitor(), small] * 10

    results = await asyncio.gather(
        *(world.operations.list_folders(one, None, {}) for one in callers), return_exceptions=True
    )

    refused = [isinstance(one, MailboxError) for one in results]
    assert refused == [False, True] * 10


async def _read(start: int, length: int) -> bytes:
    return LARGE[start : start + length]
