"""The app registration: no secret, and no consent that would undo a scope."""

import json

from infra.template import CONNECTOR, INFRA, read

REGISTRATION = read(INFRA / "modules" / "registration.bicep")
GRANTS = read(INFRA / "modules" / "grants.bicep")
PERMISSIONS = json.loads((INFRA / "graph-permissions.json").read_text())

# https://learn.microsoft.com/graph/permissions-reference
APPLICATION = {
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Mail.ReadWrite": "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
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

    assert PERMISSIONS["application"] == APPLICATION
    for kind, name in (
        ("application", "mailPermissions"),
        ("delegated", "delegatedPermissions"),
    ):
        assert set(parameters[name].decorators["allowed"]) == set(PERMISSIONS[kind])
        assert set(parameters[name].default) <= set(PERMISSIONS[kind])


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

    assert (
        variables["redirectUri"].text
        == "delegatedAccounts ? '${publicUrl}/api/accounts/callback' : ''"
    )
    assert variables["publicUrl"].text.startswith("contains(settings, 'PUBLIC_URL')")


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
