"""Who may call, and for which mailboxes."""

from pathlib import Path

import pytest

from localdev.functions_host.functions import load_app
from shared.domain.api_access import EVERY, PRINCIPAL_HEADER, ApiAccess
from tests.unit.api.desk import BOX, ApiDesk, content
from tests.unit.domain.test_api_access import APP, USER, header

ROOT = Path(__file__).parents[3]
MAIL = {"to": ["ada@example.org"], "body": "Hello"}
CALLER = {PRINCIPAL_HEADER: header(appid=APP, oid=USER)}


def desk_for(**access: object) -> ApiDesk:
    """A desk where App Service authentication is on."""
    return ApiDesk(access=ApiAccess(**{"authenticated": True, **access}))  # type: ignore[arg-type]


async def test_other_mailboxes_than_those_of_the_setting_are_refused() -> None:
    """Whatever is asked for; nothing of it is asked of Graph."""
    desk = ApiDesk(access=ApiAccess(mailboxes=[BOX]))

    refused = [
        await desk("POST", "send", MAIL, user="boss@contoso.example"),
        await desk("POST", "send", MAIL, user="boss@contoso.example", query={"async": "true"}),
        await desk("GET", "messages", user="5f0c6b1e-0000-4000-8000-000000000000"),
        await desk("GET", "sends/order-1", user="boss@contoso.example"),
    ]

    assert [(one.status, content(one)["code"]) for one in refused] == [
        (403, "mailboxNotAllowed")
    ] * 4
    assert not desk.operations.asked
    assert (await desk("POST", "send", MAIL, user=BOX.upper())).status == 200


@pytest.mark.parametrize(
    ("rest", "body"),
    [
        ("send", {"from": "boss@contoso.example"}),
        ("send", {"from": {"address": "boss@contoso.example", "name": "Boss"}}),
        ("send", {"template": True, "from": '="boss" + "@contoso.example"'}),
        ("messages/{mail}/reply", {"from": "boss@contoso.example"}),
        ("messages/{mail}/forward", {"from": "boss@contoso.example"}),
    ],
)
async def test_no_mail_goes_out_from_another_mailbox(rest: str, body: dict[str, object]) -> None:
    """However its address is written."""
    desk = ApiDesk(access=ApiAccess(mailboxes=[BOX]))
    rest = rest.format(mail=desk.operations.deliver())

    for query in ({}, {"async": "true"}) if rest == "send" else ({},):
        answer = await desk("POST", rest, MAIL | body, query=query)
        assert (answer.status, content(answer)["code"]) == (403, "mailboxNotAllowed")
    assert not desk.operations.sent
    assert not desk.sends.table.rows
    assert (await desk("POST", rest, MAIL | {"from": BOX})).status == 200


async def test_a_caller_with_a_token_opens_what_it_was_given() -> None:
    """As application or as person."""
    desk = desk_for(callers={APP: [BOX]})

    assert (await desk("POST", "send", MAIL, headers=CALLER)).status == 200
    other = await desk("POST", "send", MAIL, user="boss@contoso.example", headers=CALLER)
    assert (other.status, content(other)["code"]) == (403, "mailboxNotAllowed")
    sent_from = await desk("POST", "send", MAIL | {"from": "boss@contoso.example"}, headers=CALLER)
    assert sent_from.status == 403


async def test_who_has_not_signed_in_is_refused() -> None:
    """Before anything else is told, the document included."""
    desk = desk_for(callers={APP: [EVERY]})

    answer = await desk("GET", "nothing")

    assert (answer.status, content(answer)["code"]) == (401, "notSignedIn")
    assert desk.api.openapi({}).status == 401
    document = desk.api.openapi(CALLER)
    assert document.status == 200
    assert content(document)["security"] == [{"entraToken": []}]


async def test_without_the_platforms_authentication_nobody_is_let_in() -> None:
    """What a caller says of itself is not believed."""
    desk = desk_for(callers={APP: [EVERY]}, authenticated=False)

    answer = await desk("POST", "send", MAIL, headers=CALLER)

    assert (answer.status, content(answer)["code"]) == (401, "authenticationOff")
    assert desk.api.openapi(CALLER).status == 401
    assert not desk.operations.asked


async def test_with_function_keys_what_callers_say_of_themselves_means_nothing() -> None:
    """The platform has checked the key."""
    desk = desk_for(mailboxes=[BOX])

    assert (await desk("POST", "send", MAIL, headers=CALLER)).status == 200
    assert (await desk("POST", "send", MAIL, headers=CALLER, user="a@b.example")).status == 403


@pytest.mark.parametrize(
    ("environment", "level"),
    [
        ({}, "function"),
        ({"WEBSITE_AUTH_ENABLED": "True"}, "function"),
        ({"MAIL_API_CALLERS": "{}"}, "function"),
        ({"MAIL_API_CALLERS": "{}", "WEBSITE_AUTH_ENABLED": "False"}, "function"),
        ({"MAIL_API_CALLERS": "{}", "WEBSITE_AUTH_ENABLED": "True"}, "anonymous"),
    ],
)
def test_the_function_key_is_left_out_only_where_the_platform_checks_tokens(
    environment: dict[str, str], level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is decided when the triggers are declared; no other route is touched."""
    for name in ("MAIL_API_CALLERS", "WEBSITE_AUTH_ENABLED"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    app = load_app(ROOT)
    app.functions_bindings = None

    levels = {
        function.get_function_name(): one.get("authLevel")
        for function in app.get_functions()
        for one in function.get_bindings_dict()["bindings"]
        if one["type"] == "httpTrigger"
    }

    assert {str(levels.pop(name)).lower() for name in ("mail", "openapi")} == {level}
    assert {name for name, one in levels.items() if str(one).lower() != "function"} == {
        "signed_document",
        "account_callback",
    }
