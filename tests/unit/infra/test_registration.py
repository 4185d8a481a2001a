"""The app registration: no secret, and no consent that would undo a scope."""

import json
import re

from infra.template import CONNECTOR, INFRA, read
from shared.domain.accounts import OWN_SCOPES, SHARED_SCOPES

ACCOUNTS = (INFRA.parent / "docs" / "accounts.md").read_text()
REGISTRATION = read(INFRA / "modules" / "registration.bicep")
GRANTS = read(INFRA / "modules" / "grants.bicep")
PERMISSIONS = json.loads((INFRA / "graph-permissions.json").read_text())

# https://learn.microsoft.com/graph/permissions-reference
APPLICATION = {
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Mail.ReadWrite": "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
}
DELEGATED = {
    "Mail.ReadWrite": "024d486e-b451-40bb-833d-3e66d98c5c73",
    "Mail.Send": "e383f46e-2787-4529-855e-0e479a3ffac0",
    "Mail.ReadWrite.Shared": "5df07973-7d5d-46ed-9847-1271055cbd51",
    "Mail.Send.Shared": "a367ab51-6b49-43bf-a716-a1fb06d2a174",
    "openid": "37f7f235-527c-4136-accd-4a02d197296e",
    "profile": "14dad69e-099b-42c9-810b-d002981feec1",
    "email": "64a6cdd6-aab1-4aaf-94b8-3cc8405e90d0",
    "offline_access": "7427e0e9-2fba-42fe-b0c0-848c9e6a8182",
}


def test_the_identity_is_the_credential() -> None:
    """Its token of this tenant, for the exchange audience; there is no other credential."""
    trust, app = REGISTRATION.resources["trust"].body, REGISTRATION.resources["app"].body

    assert trust["subject"].text == "identityPrincipalId"
    assert "environment().authentication.loginEndpoint" in trust["issuer"].text
    assert trust["issuer"].text.endswith("${tenant().tenantId}/v2.0'")
    assert [one.text for one in trust["audiences"]] == ["audience"]
    assert REGISTRATION.variables["audiences"]["AzureCloud"] == "api://AzureADTokenExchange"
    assert not {"passwordCredentials", "keyCredentials"} & set(app)


def test_permissions_are_those_of_graph() -> None:
    """By id; each that a parameter allows has one."""
    parameters = read(CONNECTOR).parameters

    assert PERMISSIONS == {"application": APPLICATION, "delegated": DELEGATED}
    for kind, name in (
        ("application", "mailPermissions"),
        ("delegated", "delegatedPermissions"),
    ):
        assert set(parameters[name].decorators["allowed"]) == set(PERMISSIONS[kind])
        assert set(parameters[name].default) <= set(PERMISSIONS[kind])


def test_the_registration_asks_people_for_what_the_connector_asks_them_for() -> None:
    """As docs/accounts.md says; for shared mailboxes if somebody wants those."""
    parameter = read(CONNECTOR).parameters["delegatedPermissions"]
    [line] = re.findall(r"^   - \*API permissions\*.*\n.*$", ACCOUNTS, re.MULTILINE)
    own, _, shared = line.partition("for shared mailboxes")

    assert set(parameter.default) == set(re.findall(r"`([\w.]+)`", own))
    assert set(parameter.decorators["allowed"]) - set(parameter.default) == set(SHARED_SCOPES)
    assert set(re.findall(r"`([\w.]+)`", shared)) == set(SHARED_SCOPES)
    assert {*OWN_SCOPES, "openid", "profile", "offline_access"} <= set(parameter.default)


def test_application_permissions_are_asked_for_only_where_they_are_granted_to_all() -> None:
    """With a scope in Exchange, a consent given by a click would open every mailbox."""
    requested = REGISTRATION.variables["requested"].text

    assert requested.startswith("concat(tenantWide ? roleRequests : [],")
    assert read(CONNECTOR).parameters["mailboxAccess"].default == "scoped"


def test_a_tenant_wide_grant_is_made_only_when_asked_for() -> None:
    """And never to a registration that others own."""
    module = read(CONNECTOR).modules["grants"]

    assert module.condition == "mailboxAccess == 'tenantWide' && registration != 'existing'"
    assert GRANTS.resources["grants"].type == "Microsoft.Graph/appRoleAssignedTo"


def test_the_reply_address_is_the_apps_own() -> None:
    """Only where people can connect accounts; it follows PUBLIC_URL."""
    variables = read(CONNECTOR).variables

    assert variables["publicUrl"].text.startswith("settings.?PUBLIC_URL ?? 'https://${appName}.")
    assert variables["publicRoot"].text.startswith("endsWith(publicUrl, '/') ? substring(")
    assert variables["redirectUri"].text.startswith(
        "!delegatedAccounts ? '' : (hasAccountApp ? '${publicRoot}/api/accounts/callback' : "
    )


def test_nothing_of_graph_is_deployed_where_its_extension_cannot() -> None:
    """With registration none and scoped access, national clouds need no Graph resource."""
    with_graph = {
        module.symbol: module.condition
        for module in read(CONNECTOR).modules.values()
        if read(module.path).extensions
    }

    assert with_graph == {
        "registered": "registration == 'create'",
        "grants": "mailboxAccess == 'tenantWide' && registration != 'existing'",
    }
