"""The script that lets the connector into some mailboxes."""

import json
import re

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from infra.template import INFRA

SCRIPT = INFRA / "exchange" / "Grant-MailboxAccess.ps1"
TEXT = SCRIPT.read_text()
ROOT = Parser(Language(tree_sitter_powershell.language())).parse(TEXT.encode()).root_node

# https://learn.microsoft.com/powershell/module/exchangepowershell, …/microsoft.graph.applications
CMDLETS = {
    "Connect-ExchangeOnline",
    "Connect-MgGraph",
    "Get-ConnectionInformation",
    "Get-DistributionGroup",
    "Get-DistributionGroupMember",
    "Get-EXOMailbox",
    "Get-ManagementRoleAssignment",
    "Get-ManagementScope",
    "Get-MgContext",
    "Get-MgServicePrincipal",
    "Get-MgServicePrincipalAppRoleAssignment",
    "Get-ServicePrincipal",
    "New-ManagementRoleAssignment",
    "New-ManagementScope",
    "New-ServicePrincipal",
    "Remove-ManagementRoleAssignment",
    "Remove-ManagementScope",
    "Remove-ServicePrincipal",
    "Set-ManagementScope",
    "Test-ServicePrincipalAuthorization",
}
CORE = {
    "ForEach-Object",
    "Format-Table",
    "Out-Null",
    "Set-StrictMode",
    "Where-Object",
    "Write-Warning",
}
CHANGING = {one for one in CMDLETS if one.split("-")[0] in {"New", "Set", "Remove"}}


def nodes(kind: str, within: Node = ROOT) -> list[Node]:
    """Every node of a kind."""
    found = [within] if within.type == kind else []
    return found + [one for child in within.children for one in nodes(kind, child)]


def text(node: Node) -> str:
    """What stands there."""
    return (node.text or b"").decode()


def test_it_is_powershell() -> None:
    """To a parser of its own."""
    assert not ROOT.has_error


def test_it_calls_what_exists() -> None:
    """Cmdlets of Exchange Online, Microsoft Graph and PowerShell, and its own functions."""
    called = {text(one) for one in nodes("command_name")}
    own = {text(one) for one in nodes("function_name")}

    assert called == CMDLETS | CORE | own


def test_every_change_asks_should_process() -> None:
    """So -WhatIf shows it, and changes nothing."""
    assert "SupportsShouldProcess" in TEXT
    for command in nodes("command"):
        name = text(nodes("command_name", command)[0])
        if name in CHANGING:
            assert _guarded(command), name


def _guarded(command: Node) -> bool:
    """Whether an `if` around a command asks ShouldProcess."""
    around = command.parent
    while around is not None:
        if around.type in {"if_statement", "elseif_clause"} and "ShouldProcess" in text(around):
            return True
        around = around.parent
    return False


def test_it_refuses_a_grant_that_would_undo_the_scope() -> None:
    """Before it changes anything."""
    main = TEXT[TEXT.index("\nConnect-Services\n") :]
    order = [main.index(one) for one in ("Assert-NoTenantWideGrant", "Set-Principal", "Set-Scope")]

    assert order == sorted(order)
    assert "throw" in TEXT[TEXT.index("function Assert-NoTenantWideGrant") :]


def test_it_ends_with_a_test() -> None:
    """Except for -WhatIf, where there is nothing to test."""
    assert TEXT.rstrip().endswith("Test-Reach -Inside @($members)")
    assert "Test-ServicePrincipalAuthorization" in TEXT[TEXT.index("function Test-Reach") :]


def test_every_assignment_is_scoped() -> None:
    """An assignment without a scope opens every mailbox."""
    made = [text(one) for one in nodes("command") if "New-ManagementRoleAssignment" in text(one)]

    assert len(made) == 1
    assert "-CustomResourceScope $Name" in made[0]


def test_it_grants_the_permissions_that_the_templates_know() -> None:
    """By the same names."""
    permissions = json.loads((INFRA / "graph-permissions.json").read_text())["application"]
    [allowed] = re.findall(r"ValidateSet\(('Mail[^)]*)\)", TEXT)

    assert set(re.findall(r"'([^']+)'", allowed)) == set(permissions)


def test_every_parameter_is_explained() -> None:
    """In the help that Get-Help shows."""
    explained = set(re.findall(r"^\.PARAMETER (\w+)$", TEXT, re.MULTILINE))
    [head] = re.findall(r"^param\((.*?)^\)$", TEXT, re.DOTALL | re.MULTILINE)

    assert explained == set(re.findall(r"\] \$(\w+)", head))
