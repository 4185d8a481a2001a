"""The script that lets the connector into some mailboxes."""

import json
import re

import pytest
import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

from infra.template import INFRA

SCRIPT = INFRA / "exchange" / "Grant-MailboxAccess.ps1"
TEXT = SCRIPT.read_text()
ROOT = Parser(Language(tree_sitter_powershell.language())).parse(TEXT.encode()).root_node

# https://learn.microsoft.com/powershell/module/exchangepowershell
CMDLETS = {
    "Connect-ExchangeOnline",
    "Get-ConnectionInformation",
    "Get-DistributionGroup",
    "Get-DistributionGroupMember",
    "Get-EXOMailbox",
    "Get-ManagementRoleAssignment",
    "Get-ManagementScope",
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
    "ConvertFrom-Json",
    "ForEach-Object",
    "Format-Table",
    "Invoke-WebRequest",
    "Out-Null",
    "Select-Object",
    "Set-StrictMode",
    "Sort-Object",
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
    """Cmdlets of Exchange Online and PowerShell, Azure CLI, and its own functions."""
    called = {text(one) for one in nodes("command_name")}
    own = {text(one) for one in nodes("function_name")}

    assert called == CMDLETS | CORE | own | {"az"}


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


def test_it_needs_no_module_that_cannot_live_beside_exchange() -> None:
    """Graph's and Exchange's cannot sign in within one process; older ones lack what is used."""
    required = re.findall(r"^#Requires (.+)$", TEXT, re.MULTILINE)

    assert required == [
        "-Version 7.2",
        "-Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }",
    ]
    assert not re.search(r"\b\w+-Mg\w+", TEXT)


def test_graph_is_read_page_by_page() -> None:
    """A grant on the second page undoes the scope as well."""
    body = text(functions()["Get-FromGraph"])

    assert "$Address = $page['@odata.nextLink']" in body
    assert body.index("while ($Address)") < body.index("Invoke-WebRequest")


def functions() -> dict[str, Node]:
    """Every function of the script, by name."""
    return {text(nodes("function_name", one)[0]): one for one in nodes("function_statement")}


def main() -> str:
    """What the script does, in order: all that stands outside of functions."""
    return TEXT[max(one.end_byte for one in functions().values()) :]


def test_it_refuses_what_would_undo_the_scope_before_it_changes_anything() -> None:
    """A consent in Entra ID, an assignment on another scope, a list that owners can change."""
    names = re.findall(r"^(?:\$filter = )?((?:Assert|Set|Get)-\w+)", main(), re.MULTILINE)

    assert names == [
        "Assert-NoTenantWideGrant",
        "Assert-NoOtherAssignment",
        "Get-RecipientFilter",
        "Set-Principal",
        "Set-Scope",
        "Set-Assignment",
    ]
    for name in names[:3]:
        assert "throw" in text(functions()[name])


def pattern(within: str, name: str) -> re.Pattern[str]:
    """A regular expression of the script."""
    [found] = re.findall(rf"{name}(?:=|-match) '(\^[^']+)'", text(functions()[within]))
    return re.compile(found)


@pytest.mark.parametrize(
    ("role", "opens"),
    [
        ("Mail.Read", True),
        ("Mail.ReadBasic.All", True),
        ("Mail.ReadWrite", True),
        ("Mail.Send", True),
        ("Mail-Advanced.ReadWrite.All", True),
        ("MailboxItem.Read.All", True),
        ("MailboxFolder.ReadWrite.All", True),
        ("full_access_as_app", True),
        ("IMAP.AccessAsApp", True),
        ("POP.AccessAsApp", True),
        ("SMTP.SendAsApp", True),
        ("MailboxSettings.Read", False),
        ("Calendars.Read", False),
        ("User.Read.All", False),
    ],
)
def test_it_knows_the_consents_that_open_mailboxes(role: str, *, opens: bool) -> None:
    """By their names at Microsoft Graph and at Office 365 Exchange Online."""
    found = pattern("Assert-NoTenantWideGrant", r"\$granted ").search(role)

    assert bool(found) is opens


@pytest.mark.parametrize(
    ("role", "opens"),
    [
        ("Application Mail.Read", True),
        ("Application Mail.Send", True),
        ("Application Mail Full Access", True),
        ("Application Exchange Full Access", True),
        ("Application EWS.AccessAsApp", True),
        ("Application IMAP.AccessAsApp", True),
        ("Application MailboxItem.Read", True),
        ("Application MailboxSettings.Read", False),
        ("Application Calendars.Read", False),
    ],
)
def test_it_knows_the_assignments_that_open_mailboxes(role: str, *, opens: bool) -> None:
    """By the names of Exchange's roles for applications."""
    found = pattern("Assert-NoOtherAssignment", r"\$mail ").search(role)

    assert bool(found) is opens


def test_a_session_of_another_service_is_not_taken_for_one_of_exchange() -> None:
    """Security & Compliance has connections of the same kind."""
    assert "-not $_.IsEopSession" in text(functions()["Connect-Exchange"])


def test_removing_needs_no_graph() -> None:
    """Whoever may not read applications can take access back all the same."""
    before, _, after = main().partition("if ($Remove) {")

    assert "Graph" not in before
    assert after.index("return") < after.index("Assert-NoTenantWideGrant")


def test_it_ends_with_a_test() -> None:
    """Except for -WhatIf, where there is nothing to test."""
    last = TEXT.rstrip().splitlines()[-1]

    assert last.startswith("Test-Reach ")
    assert "Test-ServicePrincipalAuthorization" in text(functions()["Test-Reach"])
    assert main().index("if ($WhatIfPreference) { return }") < main().index("Test-Reach")


def test_the_test_is_about_mailboxes() -> None:
    """A group of contacts and groups proves nothing."""
    body = text(functions()["Get-GroupMailbox"])

    assert "RecipientTypeDetails -Like -Value '*Mailbox'" in body
    assert "if ($members.Count -eq 0) {\n        throw " in body


CHANGING_VERBS = {"New", "Set", "Remove", "Start", "Stop", "Restart", "Reset", "Update"}
"""Of which PSScriptAnalyzer wants SupportsShouldProcess."""


def test_functions_that_change_something_support_should_process() -> None:
    """PSUseShouldProcessForStateChangingFunctions and PSShouldProcess."""
    asking = {name for name, one in functions().items() if "ShouldProcess(" in text(one)}
    supporting = {
        name for name, one in functions().items() if "(SupportsShouldProcess)" in text(one)
    }
    changing = {one for one in functions() if one.partition("-")[0] in CHANGING_VERBS}

    assert asking == supporting == changing


def test_functions_are_named_in_the_singular() -> None:
    """PSUseSingularNouns."""
    assert [one for one in functions() if re.search(r"[^s]s$", one)] == []


def parameters(within: Node) -> set[str]:
    """The names of a function's parameters."""
    return {text(nodes("variable", one)[0]) for one in nodes("script_parameter", within)}


def test_every_parameter_of_a_function_is_used_in_it() -> None:
    """PSReviewUnusedParameter; it looks into no script block but those of a few cmdlets."""
    for name, one in functions().items():
        used = [text(variable) for variable in nodes("variable", one)]
        assert [each for each in parameters(one) if used.count(each) < 2] == [], name


def test_every_parameter_of_the_script_is_used_outside_of_functions() -> None:
    """The same: what only functions read counts as unused, so it is handed to them."""
    [head] = re.findall(r"^param\((.*?)^\)$", TEXT, re.DOTALL | re.MULTILINE)
    declared = set(re.findall(r"\] (\$\w+)", head))

    assert {one for one in declared if not re.search(rf"\{one}\b", main())} == set()


def test_the_file_is_ascii() -> None:
    """PSUseBOMForUnicodeEncodedFile."""
    assert TEXT.isascii()


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
