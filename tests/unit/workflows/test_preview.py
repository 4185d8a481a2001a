from datetime import timedelta
from typing import Any

import pytest

from shared.domain.delivery import State
from shared.domain.errors import FolderNotFound
from shared.domain.target import CamundaTarget, EngineCall, WebhookTarget
from shared.workflows.preview import Preview, PreviewedMail, preview, where
from tests.builders import NOW, row, subscription
from tests.unit.workflows.world import World

MOVES: dict[str, Any] = {"postProcess": "markAsRead,move", "moveTo": "Done", "createFolder": True}


async def looked_at(world: World, top: int = 10, **columns: Any) -> Preview:
    return await preview(subscription(**columns), world.ports(), top)


async def the_mail(world: World, **columns: Any) -> PreviewedMail:
    [mail] = (await looked_at(world, **columns)).mails
    return mail


async def test_a_preview_says_what_would_become_of_a_mail() -> None:
    """What is sent, and what is done in the mailbox afterwards."""
    world = World()
    world.deliver()

    mail = await the_mail(world, **MOVES, labels='{"group": "Sales"}')

    assert (mail.sender, mail.subject, mail.received_at) == ("ada@example.org", "Subject 1", NOW)
    assert (mail.known, mail.why_not, mail.failure) == (None, "", "")
    assert mail.message is not None
    assert mail.message.message_id == "AAMk-1="
    assert set(mail.sizes) == {"email", "group"}
    assert mail.sizes["group"] == len('"Sales"')
    assert mail.afterwards == ("markAsRead", "move to Done, which is made if it is missing")


async def test_a_preview_touches_nothing() -> None:
    """Neither mailbox nor storage nor target."""
    world = World(row(**MOVES))
    world.deliver()

    await looked_at(world, **MOVES)

    assert world.mailboxes.operations == []
    assert world.mailbox.folder_id("Done") is None
    assert set(world.mailboxes.asked) == {"find_folder", "list_messages"}
    assert world.targets.attempts == []
    assert (world.ledger.rows, world.states.states, world.table.reported) == ({}, {}, {})
    assert world.queue.messages == []


async def test_the_oldest_mail_comes_first_and_no_more_than_asked_for() -> None:
    """It says when there is more."""
    world = World()
    world.deliver_many(5)

    found = await looked_at(world, 2)
    all_of_it = await looked_at(world, 5)

    assert [mail.mail_id for mail in found.mails] == ["AAMk-1=", "AAMk-2="]
    assert (found.more, all_of_it.more, len(all_of_it.mails)) == (True, False, 5)


async def test_only_mail_that_the_filter_lets_through_is_looked_at() -> None:
    """Here it is read already."""
    world = World()
    world.deliver(isRead=True)

    assert (await looked_at(world)).mails == ()
    assert len((await looked_at(world, onlyUnread=False)).mails) == 1


async def test_an_empty_page_is_not_the_end() -> None:
    """Graph may give one that has a next link."""
    world = World()
    world.mailboxes.empty_page_first = True
    world.deliver()

    assert len((await looked_at(world)).mails) == 1


async def test_what_each_expression_gives_is_told() -> None:
    """And why one gives null, which would make a dead letter."""
    world = World()
    world.deliver()

    mail = await the_mail(
        world,
        activationCondition='contains(subject, "Subject")',
        correlationKeyExpression="orderNumber",
        resultExpression="{subject: subject}",
        onDead="move:Inbox/Failed",
    )

    activation, key, result = mail.expressions
    assert (activation.value, activation.warnings) == (True, ())
    assert (key.value, result.value) == (None, {"subject": "Subject 1"})
    assert "orderNumber" in key.warnings[0]
    assert mail.message is None
    assert mail.failure.startswith("correlationKeyExpression: gave null.")
    assert mail.afterwards == ("move to Inbox/Failed, which is made if it is missing",)


async def test_an_expression_that_fails_is_told() -> None:
    """The others are evaluated all the same."""
    world = World()
    world.deliver()

    mail = await the_mail(world, resultExpression="{x: 1}", activationCondition="assert(1, false)")

    assert [bool(one.error) for one in mail.expressions] == [True, False]
    assert mail.failure.startswith("activationCondition")


@pytest.mark.parametrize(("consumed", "afterwards"), [(False, ()), (True, ("markAsRead",))])
async def test_mail_that_does_not_activate_is_told_with_the_reason(
    consumed: bool,  # noqa: FBT001 - the parameter
    afterwards: tuple[str, ...],
) -> None:
    """It is post-processed only where that is asked for."""
    world = World()
    world.deliver()

    mail = await the_mail(
        world, activationCondition='subject = "other"', consumeUnmatchedEvents=consumed
    )

    assert mail.why_not == "activationCondition gave false"
    assert (mail.message, mail.afterwards) == (None, afterwards)


async def test_mail_that_the_ledger_knows_is_told_with_its_state() -> None:
    """It would not be delivered again, though it is listed."""
    world = World(row(onlyUnread=False))
    world.deliver()
    await world.poll_and_work()

    mail = await the_mail(world, onlyUnread=False)

    assert mail.known is not None
    assert mail.known.state is State.DONE


async def test_mail_that_a_row_had_before_its_change_is_known() -> None:
    """The source is another one then; the row is not applied yet."""
    world = World(row(onlyUnread=False))
    world.deliver()
    await world.poll_and_work()

    mail = await the_mail(world, onlyUnread=False, pollingInterval="PT5M")

    assert mail.known is not None


async def test_old_and_automatic_mail_is_told() -> None:
    """As expressions and targets see it."""
    world = World()
    world.deliver(
        internetMessageHeaders=[{"name": "Auto-Submitted", "value": "auto-replied"}],
        received=NOW - timedelta(days=100),
    )

    mail = await the_mail(world, archiveBefore="2026-01-01")

    assert (mail.automatic, mail.archived) == (True, True)


async def test_mail_that_is_too_large_hides_no_other() -> None:
    """It would be a dead letter; the others are read one by one."""
    world = World()
    world.deliver(1, NOW, body={"contentType": "text", "content": "x" * 5000})
    world.deliver(2, NOW + timedelta(minutes=1))
    world.mailboxes.largest_answer = 2000

    large, small = (await looked_at(world)).mails

    assert large.failure == "it is larger than what is read at once"
    assert (small.failure, small.subject) == ("", "Subject 2")


async def test_a_folder_that_is_missing_ends_the_preview() -> None:
    """With the reason that the app would give."""
    with pytest.raises(FolderNotFound, match="there is no folder 'Orders'"):
        await looked_at(World(), folder="Orders")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (
            WebhookTarget("https://erp.example:8443/hook?token=s3cret"),
            ("https://erp.example:8443", "POST of a signed message"),
        ),
        (
            CamundaTarget("https://zeebe.example/c"),
            ("https://zeebe.example", "publish of a message"),
        ),
        (
            CamundaTarget("https://zeebe.example", EngineCall.START, "order"),
            ("https://zeebe.example", "start of process order"),
        ),
    ],
)
def test_of_a_targets_address_only_the_host_is_told(
    target: WebhookTarget | CamundaTarget, told: tuple[str, str]
) -> None:
    """The rest may be a secret."""
    assert where(target) == told
