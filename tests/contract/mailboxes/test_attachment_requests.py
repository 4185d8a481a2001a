"""How many requests attachments cost, how many at once, and what is done when they fail."""

import asyncio

import pytest

from localdev.graph_simulator import Faults
from shared.adapters.graph.gate import STREAMS_AT_ONCE
from shared.domain.errors import MailboxRefused, MailboxUnavailable, SignInRefused
from shared.domain.subscription import Credential
from shared.ports import MailboxAddress
from tests.builders import MAILBOX
from tests.contract.mailboxes.worlds import SimulatedWorld

VALUE = "GET attachment $value"


async def test_all_files_of_a_mail_are_one_request(simulated: SimulatedWorld) -> None:
    """However many they are."""
    mail = simulated.deliver()
    for number in range(3):
        simulated.attach(mail, f"{number}.pdf", b"a" * 1000)

    await simulated.mailboxes.attachment_contents(simulated.address, mail)

    assert simulated.simulator.metrics.requests == 1


async def test_streams_leave_places_of_a_mailbox_to_others(simulated: SimulatedWorld) -> None:
    """Each holds one until it is left, however slowly it is read; nothing is throttled."""
    simulated.simulator.faults = Faults(latency=0.002)
    mail = simulated.deliver()
    attachment = simulated.attach(mail, "a.pdf", b"a" * 200_000)
    open_now, most = 0, 0

    async def read() -> None:
        nonlocal open_now, most
        stream = simulated.mailboxes.attachment_stream(simulated.address, mail, attachment)
        async with stream as pieces:
            open_now += 1
            most = max(most, open_now)
            async for _ in pieces:
                await asyncio.sleep(0.001)
            open_now -= 1

    await asyncio.gather(*(read() for _ in range(12)))

    assert most == STREAMS_AT_ONCE
    assert simulated.simulator.metrics.throttled == 0


@pytest.mark.parametrize("status", [429, 500, 503, 504, "drop"])
async def test_a_stream_that_does_not_begin_is_asked_for_again(
    simulated: SimulatedWorld, status: int | str
) -> None:
    """As any other request."""
    mail = simulated.deliver()
    attachment = simulated.attach(mail, "a.pdf", b"a")
    simulated.simulator.fail_next(VALUE, status)  # type: ignore[arg-type]

    assert await simulated.streamed(mail, attachment) == b"a"
    assert simulated.simulator.metrics.by_operation[VALUE] == 2


async def test_a_pause_that_a_stream_is_asked_for_holds_for_all(simulated: SimulatedWorld) -> None:
    """Nobody else asks meanwhile."""
    mail = simulated.deliver()
    attachment = simulated.attach(mail, "a.pdf", b"a")
    simulated.simulator.fail_next(VALUE, 429, retry_after=300)

    with pytest.raises(MailboxUnavailable):
        await simulated.streamed(mail, attachment)
    with pytest.raises(MailboxUnavailable, match="throttled"):
        await simulated.mailboxes.attachment_contents(simulated.address, mail)

    assert simulated.simulator.metrics.requests == 1


async def test_a_cancelled_stream_gives_its_place_back(simulated: SimulatedWorld) -> None:
    """Four that are cancelled do not shut the mailbox."""
    mail = simulated.deliver()
    attachment = simulated.attach(mail, "a.pdf", b"a" * 1_000_000)

    async def stand_still() -> None:
        stream = simulated.mailboxes.attachment_stream(simulated.address, mail, attachment)
        async with stream as pieces:
            await anext(pieces)
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(stand_still()) for _ in range(4)]
    await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    assert len(await simulated.streamed(mail, attachment)) == 1_000_000


async def test_an_app_that_is_not_let_in_is_told_from_a_mail_that_is(
    simulated: SimulatedWorld,
) -> None:
    """A wrong secret is no property of an attachment; a scope is."""
    mail = simulated.deliver()
    attachment = simulated.attach(mail, "a.pdf", b"a")
    scoped = "5c0fed00-0000-4000-8000-000000000001"
    simulated.simulator.add_app(scoped, secret="simulator-secret", mailboxes=["a@b.example"])

    async def refusal(client_id: str) -> MailboxRefused:
        simulated.address = MailboxAddress(Credential(client_id=client_id), MAILBOX)
        with pytest.raises(MailboxRefused) as raised:
            await simulated.streamed(mail, attachment)
        return raised.value

    assert isinstance(await refusal("00000000-0000-4000-8000-000000000000"), SignInRefused)
    assert not isinstance(await refusal(scoped), SignInRefused)
