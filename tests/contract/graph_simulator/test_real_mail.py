"""Real mail, much of it broken: everything is taken in and given out again."""

import os
from pathlib import Path

import pytest

from localdev.graph_simulator import GraphSimulator
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph

# A folder of .eml files; CONNECTOR_TEST_MAIL names another than the one beside the project.
MAIL = Path(os.environ.get("CONNECTOR_TEST_MAIL", Path(__file__).parents[4] / "shared" / "mail"))


@pytest.fixture(scope="module")
def mails() -> list[Path]:
    found = sorted(MAIL.rglob("*.eml"))
    if not found:
        pytest.skip("no folder of real mail: set CONNECTOR_TEST_MAIL to one")
    return found


async def test_every_mail_is_read_in_every_way(
    simulator: GraphSimulator, raw: RawGraph, mails: list[Path]
) -> None:
    """Lists, single messages as text and as HTML, attachments and MIME: all answer with 200."""
    for source in mails:
        simulator.deliver(SUPPORT, source.read_bytes())

    listed = await raw("GET", "/messages?$top=1000&$expand=attachments")

    assert len(listed.ids) == len(mails)
    for message in listed.body["value"]:
        path = f"/messages/{message['id']}"
        for kind in ("text", "html"):
            prefer = {"Prefer": f'outlook.body-content-type="{kind}"'}
            reply = await raw("GET", f"{path}?$select=body", headers=prefer)
            assert reply.body["body"]["contentType"] == kind
        for attachment in message["attachments"]:
            assert (await raw("GET", f"{path}/attachments/{attachment['id']}/$value")).status == 200


async def test_the_source_of_every_mail_is_kept(
    simulator: GraphSimulator, raw: RawGraph, mails: list[Path]
) -> None:
    """`$value` is what was delivered, byte for byte."""
    for path in mails:
        message_id = simulator.deliver(SUPPORT, path.read_bytes())

        assert (await raw("GET", f"/messages/{message_id}/$value")).raw == path.read_bytes()
