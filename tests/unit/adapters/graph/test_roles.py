import base64
import json

import pytest

from shared.adapters.graph.roles import mail_roles


def token(**claims: object) -> str:
    """An access token with some claims."""
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"eyJh.{payload}.c2ln"


def test_roles_for_mail_are_told_from_others() -> None:
    """Whatever opens mailboxes: by Graph, by Exchange's own interfaces, by IMAP and SMTP."""
    opening = [
        "Mail.Read",
        "Mail.ReadBasic.All",
        "Mail-Advanced.ReadWrite",
        "MailboxItem.Read.All",
        "MailboxFolder.ReadWrite.All",
        "full_access_as_app",
        "IMAP.AccessAsApp",
        "POP.AccessAsApp",
        "SMTP.SendAsApp",
    ]
    others = ["User.Read.All", "MailboxSettings.Read", "Calendars.Read", "xMail.Read"]

    assert mail_roles(token(roles=[*opening, *others])) == tuple(opening)


def test_a_token_without_roles_has_none() -> None:
    """As where Exchange alone lets the app in, or where a person has signed in."""
    assert mail_roles(token(scp="Mail.ReadWrite")) == ()
    assert mail_roles(token(roles=[])) == ()


@pytest.mark.parametrize("text", ["", "opaque", "a.b.c", "a.W10.c", "a.eyJyb2xlcyI6NX0.c"])
def test_what_is_no_token_of_entra_id_is_not_taken_for_one_without_roles(text: str) -> None:
    """And it is not repeated."""
    with pytest.raises(ValueError, match="no JWT"):
        mail_roles(text)
