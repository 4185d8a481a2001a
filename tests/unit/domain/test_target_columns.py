from datetime import timedelta
from typing import Any

import pytest

from shared.domain.columns import read_row
from shared.domain.subscription import Subscription
from shared.domain.target import (
    CamundaTarget,
    ClientCredentials,
    EngineAuth,
    EngineCall,
    Target,
    TargetAuth,
)
from tests.builders import problems, row, subscription

CLUSTER = "https://bru-2.zeebe.camunda.example/4711"


def engine(**columns: Any) -> dict[str, Any]:
    """The columns of a target `camunda`."""
    return {
        "target": "camunda",
        "targetUrl": CLUSTER,
        "messageName": "mail-received",
        **columns,
    }


def target(**columns: Any) -> Target:
    """What such a row's target is read as."""
    return subscription(**engine(**columns)).target


@pytest.mark.parametrize("ending", ["", "/", "/v2", "/v2/"])
def test_an_engine_is_given_by_its_address(ending: str) -> None:
    """With the API's version or without."""
    assert target(targetUrl=CLUSTER + ending) == CamundaTarget(CLUSTER)


@pytest.mark.parametrize("ending", ["?", "?region=s3cret", "#", "/#/login", "/v2?a=b"])
def test_an_address_of_more_than_a_path_is_no_engines(ending: str) -> None:
    """Whatever is added to it would end in the query; it may hold a key, and is not shown."""
    [found] = problems(**engine(targetUrl=CLUSTER + ending))

    assert found.startswith("column targetUrl: ")
    assert "without ? and #" in found
    assert "s3cret" not in found


def test_a_webhooks_address_may_have_a_query() -> None:
    """Keys of functions stand there."""
    assert subscription(targetUrl="https://tickets.example/hook?code=a").target.url.endswith("=a")


def test_the_columns_of_an_engine_are_read() -> None:
    """A call, a tenant, and who calls."""
    read = target(
        targetMode="START",
        messageName=None,
        processDefinitionId="handle-mail",
        targetTenantId="sales",
        targetAuth='{"basic": "{{secrets.ENGINE}}"}',
    )

    assert read == CamundaTarget(
        CLUSTER, EngineCall.START, "handle-mail", "sales", EngineAuth(basic="ENGINE")
    )


def test_client_credentials_default_to_the_saas() -> None:
    """Client and secret are enough there."""
    auth = '{"clientId": "mail", "clientSecret": "{{secrets.ENGINE}}"}'

    assert target(targetAuth=auth) == CamundaTarget(
        CLUSTER,
        auth=EngineAuth(
            oidc=ClientCredentials(
                "https://login.cloud.camunda.io/oauth/token", "mail", "ENGINE", "zeebe.camunda.io"
            )
        ),
    )


def test_client_credentials_may_be_of_an_own_identity_provider() -> None:
    """Which wants an audience or a scope only if the row says so."""
    auth = (
        '{"clientId": "mail", "clientSecret": "{{secrets.ENGINE}}", "scope": "zeebe",'
        ' "tokenUrl": "https://id.example/token"}'
    )

    assert target(targetAuth=auth) == CamundaTarget(
        CLUSTER,
        auth=EngineAuth(
            oidc=ClientCredentials("https://id.example/token", "mail", "ENGINE", "", "zeebe")
        ),
    )


@pytest.mark.parametrize(
    "auth",
    [
        "{{secrets.ENGINE}}",
        '{"basic": "user:password"}',
        '{"basic": "{{secrets.A}}", "clientId": "mail"}',
        '{"clientId": "mail"}',
        '{"clientId": "mail", "clientSecret": "s3cret"}',
        '{"clientId": "mail", "clientSecret": "{{secrets.A}}", "tokenUrl": "id.example"}',
        '{"clientId": 7, "clientSecret": "{{secrets.A}}"}',
        '{"clientId": ["mail"], "clientSecret": "{{secrets.A}}"}',
        '{"clientId": "mail", "clientSecret": "{{secrets.A}}", "scope": ["a", "b"]}',
        '{"clientId": "mail", "clientSecret": "{{secrets.A}}", "audience": {"a": 1}}',
        '{"clientId": "mail", "clientSecret": "{{secrets.A}}", "audience": null}',
        '{"clientId": "mail", "clientSecret": "{{secrets.A}}", "tokenUrl": []}',
        '["basic"]',
        "null",
    ],
)
def test_a_sign_in_that_cannot_be_used_is_refused_unshown(auth: str) -> None:
    """What stands there might be a secret."""
    [found] = problems(**engine(targetAuth=auth))

    assert found.startswith("column targetAuth: a value that is not shown; allowed: a JSON object")
    assert "s3cret" not in found


@pytest.mark.parametrize(
    ("mode", "columns", "named"),
    [
        ("publish", {"messageName": None}, "messageName: missing"),
        ("correlate", {"messageName": None}, "messageName: missing"),
        ("start", {"messageName": None}, "processDefinitionId: missing"),
        ("publish", {"processDefinitionId": "p"}, "processDefinitionId: means nothing"),
        ("correlate", {"messageTtl": "PT1H"}, "messageTtl: means nothing"),
        ("correlate", {"messageIdExpression": "id"}, "messageIdExpression: means nothing"),
        ("start", {"processDefinitionId": "p"}, "messageName: means nothing"),
    ],
)
def test_columns_that_a_call_lacks_or_cannot_use_are_named(
    mode: str, columns: dict[str, Any], named: str
) -> None:
    """None of them is read and then ignored."""
    [found] = problems(**engine(targetMode=mode, **columns))

    assert f"column {named}" in found
    assert mode in found


@pytest.mark.parametrize(
    "column", [{"targetMode": "publish"}, {"processDefinitionId": "p"}, {"targetTenantId": "t"}]
)
def test_a_webhook_has_no_columns_of_an_engine(column: dict[str, Any]) -> None:
    """It would ignore them."""
    [found] = problems(**column)

    assert found == f"column {next(iter(column))}: only target camunda has it."


def test_plain_http_needs_leave_for_the_token_address_too() -> None:
    """It carries the client's secret."""
    auth = (
        '{"clientId": "mail", "clientSecret": "{{secrets.A}}", "tokenUrl": "http://id.example/t"}'
    )
    [found] = problems(**engine(targetAuth=auth))
    allowed = read_row(row(**engine(targetAuth=auth)), {"id.example"})

    assert "tokenUrl" in found
    assert "PLAIN_HTTP_HOSTS" in found
    assert isinstance(allowed, Subscription)


@pytest.mark.parametrize("short", ["PT0S", "PT1H", "PT23H59M"])
def test_a_message_that_lives_shorter_than_it_is_tried_is_warned_of(short: str) -> None:
    """The engine would not recognize it when it comes a second time."""
    [warning] = subscription(**engine(messageTtl=short)).warnings

    assert "taken twice" in warning


def test_a_message_lives_longer_than_it_is_tried_if_not_told_otherwise() -> None:
    """A webhook is told an hour, for it has a memory of its own."""
    assert subscription(**engine(retry="P2D")).correlation.message_ttl == timedelta(hours=49)
    assert subscription(retry="P2D").correlation.message_ttl == timedelta(hours=1)


def test_a_webhooks_signature_is_a_reference() -> None:
    """Never the secret itself."""
    [found] = problems(targetAuth="whsec_abc")

    assert "whsec_abc" not in found
    assert subscription(targetAuth="{{secrets.SIGN}}").target.auth == TargetAuth(signing="SIGN")
