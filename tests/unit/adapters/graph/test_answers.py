import pytest

from shared.adapters.graph.answers import (
    UNAVAILABLE,
    GraphAnswer,
    folder_not_found,
    parsed_body,
    sign_in_error,
)
from shared.domain.errors import (
    MailboxError,
    MailboxRefused,
    MailboxUnavailable,
    MailNotFound,
    SignInRefused,
)


def answer(status: int, code: str = "", **headers: str) -> GraphAnswer:
    """An answer with Graph's error code."""
    body = {"error": {"code": code, "message": "secret subject"}} if code else {}
    return GraphAnswer(status, headers, body)


def error_of(status: int, code: str = "", **headers: str) -> MailboxError:
    """The error that it stands for."""
    with pytest.raises(MailboxError) as raised:
        answer(status, code, **headers).raise_for("a@b.example", "list messages")
    return raised.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_is_no_error(status: int) -> None:
    """Nothing is raised."""
    answer(status).raise_for("a@b.example", "list messages")


@pytest.mark.parametrize("status", range(400, 600))
def test_every_status_has_its_error(status: int) -> None:
    """Worth repeating, gone, or for a person; with what was asked for and what was answered."""
    error = error_of(status, "SomeCode")

    expected: type[MailboxError] = MailboxRefused
    if status in UNAVAILABLE:
        expected = MailboxUnavailable
    elif status == 404:
        expected = MailNotFound
    elif status == 401:
        expected = SignInRefused
    assert type(error) is expected
    assert f"list messages: Graph answered {status} SomeCode" in str(error)
    assert "secret subject" not in str(error)


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (301, MailboxRefused),
        (302, MailboxUnavailable),
        (304, MailboxRefused),
        (307, MailboxUnavailable),
        (308, MailboxRefused),
    ],
)
def test_a_redirection_is_an_error(status: int, expected: type[MailboxError]) -> None:
    """Graph redirects nothing that is asked of it: one for now may end, another does not."""
    error = error_of(status)

    assert type(error) is expected
    assert "check GRAPH_ENDPOINT" in str(error)


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_kept(status: int) -> None:
    """Whole or with a fraction."""
    error = error_of(status, **{"Retry-After": "2.128"})

    assert isinstance(error, MailboxUnavailable)
    assert error.retry_after == 2.128


@pytest.mark.parametrize(
    ("status", "code", "hint"),
    [
        (404, "ErrorInvalidUser", "check userId"),
        (404, "Request_ResourceNotFound", "check userId"),
        (404, "MailboxNotEnabledForRESTAPI", "assign a licence"),
        (403, "ErrorAccessDenied", "Mail.ReadWrite"),
        (403, "Authorization_RequestDenied", "Mail.ReadWrite"),
        (401, "InvalidAuthenticationToken", "GRAPH_ENDPOINT"),
        (400, "InefficientFilter", "simplify the filter"),
        (400, "ErrorInvalidUrlQueryFilter", "check the column filter"),
    ],
)
def test_what_a_person_can_do_is_said(status: int, code: str, hint: str) -> None:
    """A mailbox that is not there is not a mail that is not there."""
    error = error_of(status, code)

    assert isinstance(error, MailboxRefused)
    assert hint in str(error)


@pytest.mark.parametrize("body", [{"error": "text"}, {"error": None}, {"error": {"code": None}}])
def test_an_odd_error_body_has_no_code(body: dict[str, object]) -> None:
    """Gateways answer as they like."""
    assert GraphAnswer(500, {}, body).code == ""


@pytest.mark.parametrize(
    ("content", "parsed"),
    [
        (b'{"value": []}', {"value": []}),
        (b"", {}),
        (b"<html>Bad Gateway</html>", {}),
        (b"[1]", {}),
        (b"\xff\xfe", {}),
    ],
)
def test_bodies(content: bytes, parsed: dict[str, object]) -> None:
    """What is no JSON object is an empty one."""
    assert parsed_body(content) == parsed


def test_a_missing_folder_is_not_a_missing_mail() -> None:
    """Though Graph answers the same."""
    error = error_of(404, "ErrorItemNotFound")
    assert isinstance(error, MailNotFound)

    told = folder_not_found(error, "Inquiries")

    assert told.mailbox == "a@b.example"
    assert "the folder 'Inquiries' is not there" in str(told)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("AADSTS7000215: Invalid client secret 'hunter2'", "AADSTS7000215: the client secret is w"),
        ("AADSTS7000222: expired hunter2", "AADSTS7000222: the client secret has expired"),
        ("AADSTS90002: Tenant 'hunter2' not found", "AADSTS90002: there is no such tenant"),
        ("AADSTS999999: hunter2", "AADSTS999999: see the code at https://login"),
        ("ManagedIdentityCredential failed: hunter2", "Is there a managed identity"),
    ],
)
def test_what_entra_id_says_is_searched_and_never_repeated(message: str, told: str) -> None:
    """Its messages can hold what was sent."""
    error = sign_in_error("a@b.example", message)

    assert told in str(error)
    assert "hunter2" not in str(error)
