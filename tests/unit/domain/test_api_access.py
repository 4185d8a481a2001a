import base64
import json
from typing import Any

import pytest

from shared.domain.api_access import EVERY, ApiAccess, Principal, callers, principal_of

APP = "11111111-aaaa-4bbb-8ccc-222222222222"
USER = "33333333-aaaa-4bbb-8ccc-444444444444"
SALES = "sales@contoso.example"
LONG = "http://schemas.microsoft.com/identity/claims/"


def header(provider: str = "aad", **claims: str) -> str:
    """What App Service authentication writes."""
    listed = [{"typ": name, "val": value} for name, value in claims.items()]
    said = {"auth_typ": provider, "claims": listed, "name_typ": "", "role_typ": ""}
    return base64.b64encode(json.dumps(said).encode()).decode()


def access(**given: Any) -> ApiAccess:
    """Access with App Service authentication on."""
    return ApiAccess(authenticated=True, **given)


def test_an_application_that_signs_in_for_itself_is_known_by_both_its_ids() -> None:
    """Tokens of version 1 say appid, those of version 2 azp; names may be long ones."""
    assert principal_of(header(appid=APP, oid=USER)) == Principal(USER, APP)
    assert principal_of(header(azp=APP.upper(), **{f"{LONG}objectidentifier": USER})) == Principal(
        USER, APP
    )


@pytest.mark.parametrize("scope", ["scp", f"{LONG}scope"])
def test_a_person_is_not_the_application_that_the_person_uses(scope: str) -> None:
    """What an application may do for itself is not for everybody who has it."""
    assert principal_of(header(azp=APP, oid=USER, **{scope: "access"})) == Principal(USER)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "?",
        "e30=",
        base64.b64encode(b'{"auth_typ": "aad", "claims": [1]}').decode(),
        base64.b64encode(b"[" * 60_000).decode(),
        header("google", oid=USER),
        header(appid=APP),
        "A" * 70_000,
    ],
)
def test_what_names_nobody_of_entra_id_is_nobody(text: str) -> None:
    """Other sign-ins may let people choose what they claim to be."""
    assert principal_of(text) is None


def test_without_the_platforms_authentication_nobody_is_believed() -> None:
    """Anybody could have written the header."""
    assert ApiAccess(callers={USER: [EVERY]}).principal(header(oid=USER)) is None
    assert access(callers={USER: [EVERY]}).principal(header(oid=USER)) == Principal(USER)


def test_callers_open_what_they_were_given() -> None:
    """By the id of the application, or of the person; all others nothing."""
    given = access(callers={APP: [SALES], USER: ["support@contoso.example"]})

    assert given.allows(Principal("", APP), SALES.upper())
    assert not given.allows(Principal("", APP), "support@contoso.example")
    assert given.allows(Principal(USER, APP), "support@contoso.example")
    assert not given.allows(Principal(SALES), SALES)
    assert not given.allows(None, SALES)
    assert access(callers={APP: [EVERY]}).allows(Principal("", APP), "any@contoso.example")


def test_the_list_of_mailboxes_holds_for_everybody() -> None:
    """Also for who may open every mailbox; other names of a mailbox are not on it."""
    given = access(mailboxes=[SALES], callers={APP: [EVERY]})

    assert given.allows(Principal("", APP), SALES)
    assert not given.allows(Principal("", APP), "5f0c6b1e-0000-4000-8000-000000000000")
    assert ApiAccess(mailboxes=[SALES]).allows(None, "Sales@Contoso.example")
    assert not ApiAccess(mailboxes=[SALES]).allows(None, "sales.alias@contoso.example")
    assert not ApiAccess(mailboxes=["kim@contoso.example"]).allows(None, "\u212aim@contoso.example")


def test_without_a_list_every_mailbox_is_opened() -> None:
    """Which ones the app reaches is for Microsoft 365 to say."""
    assert ApiAccess().allows(None, "any@contoso.example")


def test_the_setting_is_read() -> None:
    """Ids in any case."""
    text = json.dumps({APP.upper(): [SALES], USER: EVERY})

    assert callers(text) == {APP: (SALES,), USER: (EVERY,)}


@pytest.mark.parametrize(
    "text",
    [
        "?",
        "{}",
        "[]",
        f'["{APP}"]',
        json.dumps({"sales": [SALES]}),
        json.dumps({APP: SALES}),
        json.dumps({APP: [1]}),
        json.dumps({APP: [""]}),
        json.dumps({APP: None}),
        json.dumps({APP: [SALES], f" {APP}": EVERY}),
    ],
)
def test_a_setting_that_lets_nobody_in_for_sure_is_refused(text: str) -> None:
    """Nobody finds out later that it said something else."""
    with pytest.raises(ValueError, match="a JSON object"):
        callers(text)
