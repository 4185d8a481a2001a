"""Next links lead to lists of messages and folders, and nowhere else."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.outbound.links import GraphLink, from_graph, from_token

HOST = "https://graph.microsoft.com/v1.0"


def forged(text: str) -> str:
    """A token of somebody else's making."""
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("/users/a@b.example/messages?%24skip=10", "/messages"),
        ("/users/a%40b.example/mailFolders?%24skip=10", "/mailFolders"),
        ("/users('a@b.example')/mailFolders('AAMk=')/messages?$skip=1", None),
        ("/users/x/mailFolders/AAMk-_=/childFolders?$skiptoken=a%2Fb", None),
        ("/users/x/mailFolders/inbox/messages?$filter=a%20eq%20'b'", None),
        ("/users/x/messages?%24expand=attachments(%24select%3Did%2Cname)&$skipToken=a", None),
        ("/users/x/messages?$search=%22a%22&$count=true&$top=2&$deltatoken=b", None),
    ],
)
def test_graphs_links_survive_the_way_through_a_token(address: str, path: str | None) -> None:
    """Path and query are the same afterwards."""
    link = from_graph(HOST + address)

    assert from_token(link.token) == link
    assert path is None or link.path == path


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?$top=1",
        "https://evil.example/messages?a",
        "//evil.example/messages?a",
        "/../other@b.example/messages?a",
        "/messages/../../other/messages?a",
        "/mailFolders/../../users/other/messages?a",
        "/mailFolders/%2e%2e/messages?a",
        "/mailFolders/..%2f..%2fother/messages?a",
        "/messages/AAMk/attachments?a",
        "/sendMail?a",
        "/messages?a#b",
        "/messages?a b",
        "/messages?a\r\nHost: evil.example",
        "@evil.example/messages?a",
        "/messages\n?a",
        "/messages?$format=application/json",
        "/messages?$skip=1&includeHiddenMessages=true",
        "/messages?$skip=1&$compute=a",
        "/messages?$skip=1&%2524expand=manager",
        "/messages?$expand=x($levels=max)",
        "/messages?%24EXPAND=attachments,manager",
        "/messages?$expand=attachments&$Expand=manager",
    ],
)
def test_forged_tokens_lead_nowhere(text: str) -> None:
    """Neither to another host, nor out of the mailbox, nor to another operation."""
    with pytest.raises(ValueError, match="nextLink"):
        from_token(forged(text))


@given(st.text(max_size=60))
def test_whatever_a_token_is_it_stays_below_the_mailbox(text: str) -> None:
    """A link that is let through has a path of lists and no way up."""
    try:
        link = from_token(text)
    except ValueError:
        return

    assert link.path.startswith(("/messages", "/mailFolders"))
    assert ".." not in link.path


def test_an_unknown_form_of_link_is_an_error() -> None:
    """Rather than a wrong address."""
    with pytest.raises(ValueError, match="nextLink"):
        from_graph(f"{HOST}/me/messages?$skip=10")


def test_a_token_is_short_enough() -> None:
    """Longer ones are not even read."""
    with pytest.raises(ValueError, match="nextLink"):
        from_token(GraphLink("/messages", "a" * 9000).token)
