"""Large files whose sessions get lost: each is attached once, and none is taken for another."""

import pytest

from localdev.graph_simulator import GraphSimulator
from localdev.graph_simulator.exchange import Request
from shared.domain.errors import MailboxUnavailable
from shared.outbound_ports import Upload
from tests.builders import MAILBOX
from tests.contract.outbound.worlds import OutboundWorld

LARGE = b"A" * 5_000_000
SMALLER = b"B" * 4_000_000


async def test_a_larger_file_of_the_same_name_is_not_taken_for_the_lost_one(
    world: OutboundWorld,
) -> None:
    """Only what was not there before the session counts."""
    draft = await world.operations.create_draft(world.caller, {}, "key")
    await _attach(world, draft.id, LARGE)
    world.simulator.fail_next(_Part(1, forgets=world.simulator), 404)

    await _attach(world, draft.id, SMALLER)

    assert _attached(world, draft.id) == [LARGE, SMALLER]


async def test_a_file_whose_last_part_may_still_arrive_is_not_sent_again(
    world: OutboundWorld,
) -> None:
    """Outlook may be slow to attach it: a second session could attach it twice."""
    draft = await world.operations.create_draft(world.caller, {}, "key")
    world.simulator.fail_next(_Part(2, forgets=world.simulator), "drop")

    with pytest.raises(MailboxUnavailable):
        await _attach(world, draft.id, LARGE)

    assert world.counted()["POST attachments createUploadSession"] == 1


async def test_a_file_whose_last_answer_was_lost_is_found(world: OutboundWorld) -> None:
    """By an attachment that was not there before."""
    draft = await world.operations.create_draft(world.caller, {}, "key")
    world.simulator.fail_next(_Part(2), "drop", after_effect=True)

    await _attach(world, draft.id, LARGE)

    assert _attached(world, draft.id) == [LARGE]
    assert world.counted()["POST attachments createUploadSession"] == 1


class _Part:
    """The n-th part of what is put from now on; where asked, all sessions are forgotten with it."""

    def __init__(self, number: int, forgets: GraphSimulator | None = None) -> None:
        self._left = number
        self._forgets = forgets

    def __call__(self, request: Request) -> bool:
        if request.method != "PUT":
            return False
        self._left -= 1
        if self._left == 0 and self._forgets is not None:
            self._forgets.directory.uploads._sessions.clear()  # noqa: SLF001 - as Outlook may
        return self._left == 0


async def _attach(world: OutboundWorld, draft: str, content: bytes) -> None:
    async def read(start: int, length: int) -> bytes:
        return content[start : start + length]

    upload = Upload("scan.pdf", len(content))
    await world.operations.upload(world.caller, draft, upload, read)


def _attached(world: OutboundWorld, draft: str) -> list[bytes]:
    found = world.simulator.message(MAILBOX, draft).content.attachments
    return [one.content for one in found]
