"""Attachments, raw and expanded, small and in parts."""

from base64 import b64decode

from localdev.graph_simulator import GraphSimulator
from tests.contract.graph_simulator.clients import (
    IMMUTABLE,
    SUPPORT,
    RawGraph,
    mail_with_attachments,
    mail_with_inline_picture,
)

METADATA = "attachments($select=id,name,size,contentType,isInline)"


async def test_metadata_come_with_the_list(simulator: GraphSimulator, raw: RawGraph) -> None:
    """One request brings messages and what is attached to them, without the bytes."""
    simulator.deliver(SUPPORT, mail_with_attachments())

    reply = await raw("GET", "/messages", params={"$expand": METADATA}, headers=IMMUTABLE)

    (message,) = reply.body["value"]
    assert [a["name"] for a in message["attachments"]] == [
        "logo.png",
        "bill.pdf",
        "The mail inside",
    ]
    assert not any("contentBytes" in attachment for attachment in message["attachments"])


async def test_bytes_are_read_raw(simulator: GraphSimulator, raw: RawGraph) -> None:
    """`$value` is a file's bytes and an item's MIME; a reference has none, which is a 405."""
    message_id = simulator.deliver(SUPPORT, mail_with_attachments())
    simulator.attach_reference(SUPPORT, message_id, "plan.docx")
    path = f"/messages/{message_id}/attachments"
    listed = (await raw("GET", path)).body["value"]

    _, file, item, reference = [
        await raw("GET", f"{path}/{attachment['id']}/$value") for attachment in listed
    ]

    assert (file.raw, file.headers["Content-Type"]) == (b"%PDF-1.7", "application/pdf")
    assert b"Subject: The mail inside" in item.raw
    assert reference.status == 405
    assert b64decode(listed[1]["contentBytes"]) == b"%PDF-1.7"
    assert listed[1]["size"] > len(b"%PDF-1.7")


async def test_inline_attachments_alone_do_not_count(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """`hasAttachments` is false where all attachments are inline."""
    simulator.deliver(SUPPORT, mail_with_attachments())
    simulator.deliver(SUPPORT, mail_with_inline_picture())

    listed = (await raw("GET", "/messages?$expand=attachments")).body["value"]

    assert [m["hasAttachments"] for m in listed] == [False, True]
    assert [len(m["attachments"]) for m in listed] == [1, 3]


async def test_attachment_ids_follow_the_kind_of_message_id(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """After a move, the old id of an attachment leads nowhere unless it was immutable."""
    message_id = simulator.deliver(SUPPORT, mail_with_attachments())
    path = f"/messages/{message_id}/attachments"
    (mutable, *_), (immutable, *_) = (
        (await raw("GET", path)).ids,
        (await raw("GET", path, headers=IMMUTABLE)).ids,
    )
    await raw("POST", f"/messages/{message_id}/move", json={"destinationId": "archive"})

    assert (await raw("GET", f"{path}/{mutable}")).status == 404
    assert (await raw("GET", f"{path}/{immutable}")).status == 200


async def test_a_large_attachment_is_uploaded_in_parts(
    simulator: GraphSimulator, raw: RawGraph
) -> None:
    """Parts go in order, without a token; the last one makes the attachment."""
    draft = (await raw("POST", "/messages", json={"subject": "Large"})).body["id"]
    item = {"attachmentType": "file", "name": "large.bin", "size": 10}
    opened = await raw(
        "POST", f"/messages/{draft}/attachments/createUploadSession", json={"AttachmentItem": item}
    )
    url = opened.body["uploadUrl"]

    async def put(part: bytes, span: str, **headers: str) -> int:
        sent = {"Content-Range": f"bytes {span}/10", **headers}
        async with raw.session.put(url, data=part, headers=sent) as response:
            return response.status

    assert await put(b"01234", "0-4", Authorization=f"Bearer {raw.token}") == 401
    assert await put(b"01234", "5-9") == 416
    assert await put(b"01234", "0-4") == 200
    assert await put(b"56789", "5-9") == 201
    (attachment,) = simulator.message(SUPPORT, draft).content.attachments
    assert attachment.content == b"0123456789"
    assert simulator.metrics.uploads == 4
