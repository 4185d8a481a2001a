from traceback import format_exception

import pytest

from shared.domain.errors import EnvelopeError
from shared.domain.poll_message import decode_poll, encode_poll


@pytest.mark.parametrize("ids", [[], ["one"], ["one", "manual-ünï-🎉"]])
def test_a_message_is_read_as_it_was_written(ids: list[str]) -> None:
    assert decode_poll(encode_poll(ids)) == ids
    assert encode_poll(ids).isascii()


@pytest.mark.parametrize(
    "message",
    [
        *["", "{}", "[]", "null", b"\xff", '{"version":1}', '{"sources":[]}'],
        *['{"version":1,"sources":"one"}', '{"version":1,"sources":[1]}'],
    ],
)
def test_what_is_no_such_message_is_an_error(message: str | bytes) -> None:
    with pytest.raises(EnvelopeError):
        decode_poll(message)


def test_a_later_version_is_an_error_that_says_so() -> None:
    with pytest.raises(EnvelopeError, match="version 2"):
        decode_poll('{"version":2,"sources":["one"]}')


def test_what_is_no_such_message_is_not_repeated() -> None:
    """Errors are logged with their causes; whoever wrote to the queue may have written anything."""
    message = b"Confidential \xff"
    with pytest.raises(EnvelopeError) as raised:
        decode_poll(message)

    assert "Confidential" not in "".join(format_exception(raised.value))
