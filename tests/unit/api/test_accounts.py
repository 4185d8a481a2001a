"""Mailboxes that are opened through accounts."""

from typing import Any

import pytest

from shared.domain.accounts import Account, State
from shared.domain.outbound.outbox import OutboxMessage, SendState
from shared.domain.subscription import Credential
from tests.unit.api.desk import BOX, ApiDesk, content

MAIL = {"to": ["ada@example.org"], "body": "Hello"}
SUPPORT = {"x-mail-account": "support"}


def desk_with(**account: Any) -> ApiDesk:
    """A desk with the account `support`, of Ada's for the mailbox."""
    desk = ApiDesk()
    known = Account(**{"name": "support", "mailbox": BOX, "state": State.CONNECTED, **account})
    desk.accounts.rows[known.name] = known
    return desk


def sender(message: Any) -> str:
    """From which address a mail goes out."""
    return str(message.json.get("from", {}).get("emailAddress", {}).get("address", ""))


async def test_a_mail_goes_out_through_the_account_and_from_its_mailbox() -> None:
    """And not from the person who has signed in."""
    desk = desk_with()

    answer = await desk("POST", "send", MAIL, headers=SUPPORT)

    assert answer.status == 200
    assert desk.operations.callers[0].credential == Credential(account="support")
    assert [sender(one) for one in desk.operations.sent] == [BOX]


async def test_an_answer_goes_out_from_the_mailbox_as_well() -> None:
    """Reply and forward."""
    desk = desk_with()
    mail = desk.operations.deliver()

    for how in ("reply", "forward"):
        answer = await desk("POST", f"messages/{mail}/{how}", MAIL, headers=SUPPORT)
        assert answer.status == 200

    assert [sender(one) for one in desk.operations.sent] == [BOX, BOX]
    assert {one.credential.account for one in desk.operations.callers} == {"support"}


async def test_a_sender_who_is_named_stays() -> None:
    """The mailbox may send as others."""
    desk = desk_with()

    await desk("POST", "send", MAIL | {"from": "sales@contoso.example"}, headers=SUPPORT)

    assert [sender(one) for one in desk.operations.sent] == ["sales@contoso.example"]


async def test_without_an_account_the_app_opens_the_mailbox() -> None:
    """Also where an account would serve it: nobody acts for a person unasked."""
    desk = desk_with()

    await desk("POST", "send", MAIL)

    assert desk.operations.callers[0].credential == Credential()
    assert [sender(one) for one in desk.operations.sent] == [""]


@pytest.mark.parametrize(
    ("account", "headers", "status", "code"),
    [
        ({"name": "other"}, {}, 404, "accountNotFound"),
        ({"mailbox": "boss@contoso.example"}, {}, 409, "accountRefused"),
        ({"state": State.DISCONNECTED}, {}, 409, "accountRefused"),
        ({}, {"x-mail-account": "No Name"}, 400, "badRequest"),
        ({}, {"x-mail-account": ""}, 400, "badRequest"),
        ({}, {"x-graph-authorization": "Bearer abc"}, 400, "badRequest"),
    ],
)
async def test_an_account_that_does_not_serve_the_mailbox_opens_nothing(
    account: dict[str, Any], headers: dict[str, str], status: int, code: str
) -> None:
    """And the app does not step in for it."""
    desk = desk_with(**account)

    answer = await desk("GET", "messages", headers=SUPPORT | headers)

    assert (answer.status, content(answer)["code"]) == (status, code)
    assert not desk.operations.asked


async def test_an_account_that_waits_for_its_person_says_so_itself() -> None:
    """Its credential knows why; a durable send waits for that person, too."""
    desk = desk_with(state=State.NEEDS_SIGN_IN)

    assert (await desk("GET", "messages", headers=SUPPORT)).status == 200


async def test_a_durable_send_is_kept_with_its_account() -> None:
    """Whoever goes on with it opens the mailbox in the same way."""
    desk = desk_with()

    answer = await desk("POST", "send", MAIL, query={"async": "true"}, headers=SUPPORT)
    await desk.sends.work()

    assert answer.status == 202
    [item] = desk.sends.table.rows.values()
    assert (item.state, item.credential) == (SendState.SENT, Credential(account="support"))
    assert [sender(one) for one in desk.operations.sent] == [BOX]


def ordered(**fields: Any) -> str:
    """An order that another system puts on the queue."""
    return OutboxMessage(**{"mailbox": BOX, "key": "k", "request": MAIL, **fields}).encode()


async def test_an_order_on_the_queue_may_name_an_account() -> None:
    """As a caller may."""
    desk = desk_with()
    desk.sends.queue.send(ordered(account="support"))

    await desk.sends.work()

    assert desk.operations.callers[0].credential == Credential(account="support")
    assert [sender(one) for one in desk.operations.sent] == [BOX]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"account": "nobody"}, "there is no such account"),
        ({"account": "support", "mailbox": "boss@contoso.example"}, "does not serve the mailbox"),
        ({"account": "No Name"}, "a name of up to 63"),
        ({"mailbox": "../users/boss"}, "userId is the address or the id"),
        ({"mailbox": "me-token-to-replace"}, "userId is the address or the id"),
    ],
)
async def test_an_order_for_what_cannot_be_opened_has_failed(
    fields: dict[str, str], said: str
) -> None:
    """With the reason; nothing is asked of Graph."""
    desk = desk_with()
    desk.sends.queue.send(ordered(**fields))

    await desk.sends.work()

    [item] = desk.sends.table.rows.values()
    assert item.state is SendState.FAILED
    assert said in item.reason
    assert not desk.operations.asked
