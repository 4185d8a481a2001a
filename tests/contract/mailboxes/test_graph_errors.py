"""What Graph and Entra ID refuse, and what a person is told to do about it."""

from collections.abc import Awaitable, Callable

import pytest

from localdev.graph_simulator import TENANT_ID
from shared.adapters.graph.mailboxes import GraphMailboxes
from shared.domain.errors import (
    MailboxRefused,
    MailboxUnavailable,
    SecretNotFound,
    SettingsError,
)
from shared.domain.odata import BEGINNING, listing
from shared.domain.subscription import Credential, Folder, Operation
from shared.ports import MailboxAddress, Page
from tests.builders import MAILBOX
from tests.contract.mailboxes.worlds import SimulatedWorld, eml

SCOPED_APP = "5c0fed00-0000-4000-8000-000000000001"


async def inbox(world: SimulatedWorld, address: MailboxAddress, condition: str = "") -> Page:
    """The first page of an inbox."""
    query = listing(BEGINNING, condition, 10)
    return await world.mailboxes.list_messages(address, "inbox", query, "text")


def as_app(client_id: str, mailbox: str = MAILBOX) -> MailboxAddress:
    """A mailbox, by way of an app."""
    return MailboxAddress(Credential(client_id=client_id), mailbox)


async def test_a_wrong_secret_is_named(simulated: SimulatedWorld) -> None:
    """With Entra ID's number and what to do, without the secret."""
    simulated.simulator.add_app(SCOPED_APP, secret="right")
    simulated.secrets[SCOPED_APP] = "hunter2"

    with pytest.raises(MailboxRefused, match="AADSTS7000215: the client secret is wrong") as raised:
        await inbox(simulated, as_app(SCOPED_APP))

    assert "hunter2" not in str(raised.value)
    assert raised.value.mailbox == MAILBOX


async def test_an_unknown_app_is_named(simulated: SimulatedWorld) -> None:
    """The id or the tenant is wrong."""
    with pytest.raises(MailboxRefused, match=r"AADSTS700016: .* check clientId and tenantId"):
        await inbox(simulated, as_app("00000000-0000-4000-8000-000000000000"))


async def test_a_mailbox_outside_exchange_online_is_named(simulated: SimulatedWorld) -> None:
    """It needs a licence, or is on premises."""
    simulated.simulator.add_mailbox("old@contoso.example", rest_enabled=False)

    with pytest.raises(MailboxRefused, match=r"MailboxNotEnabledForRESTAPI: .* assign a licence"):
        await inbox(simulated, MailboxAddress(simulated.address.credential, "old@contoso.example"))


async def test_a_mailbox_outside_the_apps_scope_is_named(simulated: SimulatedWorld) -> None:
    """Only chosen mailboxes can be reached."""
    simulated.simulator.add_app(SCOPED_APP, secret="simulator-secret", mailboxes=["a@b.example"])

    with pytest.raises(MailboxRefused, match=r"ErrorAccessDenied: .* Mail.ReadWrite"):
        await inbox(simulated, as_app(SCOPED_APP))


@pytest.mark.parametrize("user", ["nobody@contoso.example", "../users", "a/b", "a b?c#d", "%2e%2e"])
async def test_a_user_that_is_not_there_is_named(simulated: SimulatedWorld, user: str) -> None:
    """Whatever stands in the row, it stays one segment of the path."""
    with pytest.raises(MailboxRefused, match=r"ErrorInvalidUser: .* check userId"):
        await inbox(simulated, as_app(simulated.address.credential.client_id, user))


async def test_a_filter_that_graph_refuses_is_named(simulated: SimulatedWorld) -> None:
    """Where it was not known beforehand."""
    with pytest.raises(MailboxRefused, match="400"):
        await inbox(simulated, simulated.address, "colour eq 'red'")


async def test_an_operation_that_is_refused_is_named(simulated: SimulatedWorld) -> None:
    """Out of a batch as well."""
    simulated.simulator.add_app(SCOPED_APP, secret="simulator-secret", mailboxes=["a@b.example"])
    mail = simulated.deliver()
    simulated.address = as_app(SCOPED_APP)

    with pytest.raises(MailboxRefused, match="mark: Graph answered 403 ErrorAccessDenied"):
        await simulated.post_process(mail, Operation.MARK_AS_READ)


async def test_an_endpoint_that_does_not_answer_is_unavailable(simulated: SimulatedWorld) -> None:
    """The connection breaks at every attempt."""
    simulated.simulator.fail_next("GET messages", "drop", times=10)

    with pytest.raises(MailboxUnavailable, match="list messages: no answer"):
        await inbox(simulated, simulated.address)


@pytest.mark.parametrize(
    "error", [SecretNotFound("MAIL-APP"), SettingsError(["M365_TENANT_ID is missing."])]
)
async def test_a_credential_that_cannot_be_made_is_refused_and_tried_again(
    simulated: SimulatedWorld, error: Exception
) -> None:
    """A secret that is set later works without a restart."""
    errors = [error]

    async def connect(credential: Credential) -> object:
        if errors:
            raise errors.pop()
        return await simulated._connect(credential)  # noqa: SLF001 - the world's own way in

    mailboxes = GraphMailboxes(connect, linger=0)  # type: ignore[arg-type]
    simulated.mailboxes = mailboxes

    with pytest.raises(MailboxRefused, match=r"MAIL-APP|M365_TENANT_ID"):
        await inbox(simulated, simulated.address)
    page = await inbox(simulated, simulated.address)
    await mailboxes.close()

    assert list(page.messages) == []


async def test_a_token_can_be_asked_for(simulated: SimulatedWorld) -> None:
    """For health: nothing where there is one, else why not."""
    await simulated.graph.token(simulated.address.credential)
    with pytest.raises(MailboxRefused, match="AADSTS700016"):
        await simulated.graph.token(Credential(tenant_id=TENANT_ID, client_id="unknown"))

    assert simulated.simulator.metrics.round_trips == 0


async def test_a_token_tells_what_was_consented_to_over_every_mailbox(
    simulated: SimulatedWorld,
) -> None:
    """What Exchange gives for some mailboxes only is in no token."""
    simulator, asked = simulated.simulator, simulated.graph.mail_roles
    simulator.add_app("scoped", secret=simulator.secret, mailboxes=[MAILBOX])
    simulator.add_app("both", secret=simulator.secret, mailboxes=[MAILBOX], roles=["Mail.Read"])

    assert await asked(simulated.address.credential) == ("Mail.ReadWrite", "Mail.Send")
    assert await asked(Credential(client_id="scoped")) == ()
    assert await asked(Credential(client_id="both")) == ("Mail.Read",)


@pytest.mark.parametrize(
    "subject", ["O'Brien & Söhne", "50% + #1?", "a/b\\c", "'' or true", "x) or (1 eq 1"]
)
async def test_filters_arrive_as_they_are_meant(simulated: SimulatedWorld, subject: str) -> None:
    """Whatever characters they hold."""
    quoted = subject.replace("'", "''")
    mail = simulated.simulator.deliver(MAILBOX, eml(subject))
    simulated.deliver("another")

    page = await inbox(simulated, simulated.address, f"contains(subject, '{quoted}')")

    assert [message["id"] for message in page.messages] == [mail]


async def test_bodies_come_in_the_format_that_is_asked_for(simulated: SimulatedWorld) -> None:
    """In lists and one by one."""
    mail = simulated.deliver()
    query = listing(BEGINNING, "", 10)

    async def listed(body_format: str) -> str:
        page = await simulated.mailboxes.list_messages(
            simulated.address, "inbox", query, body_format
        )
        return str(page.messages[0]["body"]["contentType"])

    async def fetched(body_format: str) -> str:
        [one] = await simulated.mailboxes.fetch_messages(simulated.address, [mail], body_format)
        return str(one["body"]["contentType"])

    ways: list[Callable[[str], Awaitable[str]]] = [listed, fetched]
    for way in ways:
        assert [await way("text"), await way("html")] == ["text", "html"]


async def test_ids_outlive_a_move(simulated: SimulatedWorld) -> None:
    """For all else is keyed by them."""
    simulated.deliver()
    [listed] = (await simulated.list("inbox")).messages
    simulated.create_folder("Done")

    await simulated.post_process(listed["id"], Operation.MOVE, move_to=Folder("Done"))
    [fetched] = await simulated.mailboxes.fetch_messages(simulated.address, [listed["id"]], "text")

    assert fetched["id"] == listed["id"]


async def test_headers_and_attachments_come_with_the_list(simulated: SimulatedWorld) -> None:
    """No request for each mail."""
    simulated.simulator.deliver(MAILBOX, eml("s", headers={"X-Loop": "1"}))

    [message] = (await simulated.list("inbox")).messages

    assert {"name": "X-Loop", "value": "1"} in message["internetMessageHeaders"]
    assert message["attachments"] == []
    assert simulated.simulator.metrics.requests == 1
