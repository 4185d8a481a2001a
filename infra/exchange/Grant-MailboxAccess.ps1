<#
.SYNOPSIS
Lets the connector into some mailboxes, and into no others.

.DESCRIPTION
Uses RBAC for Applications in Exchange Online: the connector's service principal gets the roles
"Application Mail.ReadWrite" and the like, on a management scope that holds only the members of a
mail-enabled security group, or only the mailboxes that you name.

Run it as often as you like: what is there is left alone, what differs is brought in line, and each
change can be looked at first with -WhatIf. It ends with a test of what the connector may now reach.

It refuses to work where the service principal holds a Mail permission by consent in Entra ID. Such
a grant holds for every mailbox, and the two add up: the scope would protect nothing.

Changes take effect after 30 minutes to 2 hours, for Exchange keeps what it knew. The test at the end
does not wait: it tells what will hold.

Needs: the module ExchangeOnlineManagement, the role group Organization Management; and the module
Microsoft.Graph.Applications with the permission to read applications.

.PARAMETER AppId
Client id of the app registration, or of the managed identity: CONNECTOR_MAIL_APP_ID.

.PARAMETER ObjectId
Object id of its service principal (not of the registration): CONNECTOR_MAIL_PRINCIPAL_ID.

.PARAMETER Group
Mail-enabled security group whose direct members are reached. Members of groups within it are not.

.PARAMETER Mailbox
Addresses of the mailboxes, in place of a group.

.PARAMETER Permission
What the connector may do there.

.PARAMETER Name
Name of the scope and, with a permission, of each assignment. Each connector has its own, which is
what it knows them by; the default is made from AppId.

.PARAMETER Outside
A mailbox that must stay out of reach: the test at the end fails if it does not.

.PARAMETER Remove
Takes all of it back: assignments, scope, and Exchange's reference to the service principal.

.PARAMETER Environment
The cloud, as Connect-ExchangeOnline and Connect-MgGraph call it.

.EXAMPLE
./Grant-MailboxAccess.ps1 -AppId $appId -ObjectId $objectId -Group connector-mailboxes@contoso.com -WhatIf

.EXAMPLE
./Grant-MailboxAccess.ps1 -AppId $appId -ObjectId $objectId -Mailbox a@contoso.com, b@contoso.com -Outside ceo@contoso.com

.EXAMPLE
./Grant-MailboxAccess.ps1 -AppId $appId -ObjectId $objectId -Remove
#>
[CmdletBinding(SupportsShouldProcess, ConfirmImpact = 'Medium', DefaultParameterSetName = 'Group')]
param(
    [Parameter(Mandatory)]
    [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')]
    [string] $AppId,

    [Parameter(Mandatory)]
    [ValidatePattern('^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$')]
    [string] $ObjectId,

    [Parameter(Mandatory, ParameterSetName = 'Group')]
    [ValidateNotNullOrEmpty()]
    [string] $Group,

    [Parameter(Mandatory, ParameterSetName = 'Mailbox')]
    [ValidateNotNullOrEmpty()]
    [string[]] $Mailbox,

    [Parameter(ParameterSetName = 'Group')]
    [Parameter(ParameterSetName = 'Mailbox')]
    [ValidateSet('Mail.Read', 'Mail.ReadWrite', 'Mail.Send')]
    [string[]] $Permission = @('Mail.ReadWrite'),

    [ValidateLength(1, 40)]
    [ValidatePattern('^[A-Za-z0-9 -]+$')]
    [string] $Name = "Mail connector $($AppId.Substring(0, 8))",

    [Parameter(ParameterSetName = 'Group')]
    [Parameter(ParameterSetName = 'Mailbox')]
    [string[]] $Outside = @(),

    [Parameter(Mandatory, ParameterSetName = 'Remove')]
    [switch] $Remove,

    [ValidateSet('Global', 'USGov', 'USGovDoD', 'China')]
    [string] $Environment = 'Global'
)

Set-StrictMode -Version 3.0
$ErrorActionPreference = 'Stop'

$graphAppId = '00000003-0000-0000-c000-000000000000'
$exchangeClouds = @{
    Global   = 'O365Default'
    USGov    = 'O365USGovGCCHigh'
    USGovDoD = 'O365USGovDoD'
    China    = 'O365China'
}

function Connect-Services {
    # connecting changes nothing, so it is done with -WhatIf as well
    if (-not (Get-ConnectionInformation | Where-Object { $_.State -eq 'Connected' })) {
        Connect-ExchangeOnline -ShowBanner:$false -ExchangeEnvironmentName $exchangeClouds[$Environment]
    }
    if (-not (Get-MgContext)) {
        Connect-MgGraph -Scopes 'Application.Read.All' -Environment $Environment -NoWelcome
    }
}

function Assert-NoTenantWideGrant {
    # the union of both kinds of grant holds: one consent for Mail.* opens every mailbox
    $principal = Get-MgServicePrincipal -ServicePrincipalId $ObjectId
    if ($principal.AppId -ne $AppId) {
        throw "$ObjectId is the service principal of $($principal.AppId), not of $AppId."
    }
    $graph = Get-MgServicePrincipal -Filter "appId eq '$graphAppId'"
    $exchange = Get-MgServicePrincipal -Filter "appId eq '00000002-0000-0ff1-ce00-000000000000'"
    $names = @{}
    foreach ($role in @($graph.AppRoles) + @($exchange.AppRoles)) {
        $names[[string] $role.Id] = $role.Value
    }
    $granted = @(
        Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $ObjectId -All |
            ForEach-Object { $names[[string] $_.AppRoleId] } |
            Where-Object { $_ -match '^(Mail\.|full_access_as_app$)' }
    )
    if ($granted.Count -gt 0) {
        throw (
            "In Entra ID the app holds $($granted -join ', ') for every mailbox of the tenant; a scope" +
            ' would protect nothing. Remove that consent first (Entra ID, Enterprise applications,' +
            ' Permissions), then run this again.'
        )
    }
}

function Get-ReferencedPrincipal {
    Get-ServicePrincipal | Where-Object { $_.AppId -eq $AppId }
}

function Set-Principal {
    $known = Get-ReferencedPrincipal
    if ($known) {
        if ($known.ObjectId -ne $ObjectId) {
            throw "Exchange knows $AppId with another object id, $($known.ObjectId). Run with -Remove and that id first."
        }
        return
    }
    if ($PSCmdlet.ShouldProcess($Name, 'Make the service principal known to Exchange')) {
        New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName $Name | Out-Null
    }
}

function Get-RecipientFilter {
    if ($PSCmdlet.ParameterSetName -eq 'Group') {
        $found = Get-DistributionGroup -Identity $Group
        if ($found.RecipientTypeDetails -ne 'MailUniversalSecurityGroup') {
            throw "$Group is a $($found.RecipientTypeDetails); a mail-enabled security group is needed, or owners of the list could let the connector in."
        }
        return "MemberOfGroup -eq '$($found.DistinguishedName.Replace("'", "''"))'"
    }
    $clauses = foreach ($address in $Mailbox) {
        $found = Get-EXOMailbox -Identity $address
        "PrimarySmtpAddress -eq '$($found.PrimarySmtpAddress.Replace("'", "''"))'"
    }
    return $clauses -join ' -or '
}

function Set-Scope {
    $filter = Get-RecipientFilter
    $scope = Get-ManagementScope | Where-Object { $_.Name -eq $Name }
    if (-not $scope) {
        if ($PSCmdlet.ShouldProcess($Name, "Make the scope: $filter")) {
            New-ManagementScope -Name $Name -RecipientRestrictionFilter $filter | Out-Null
        }
    }
    elseif ($scope.RecipientFilter -ne $filter) {
        # Exchange may spell the filter in its own way; setting it once more does no harm
        if ($PSCmdlet.ShouldProcess($Name, "Change the scope from $($scope.RecipientFilter) to: $filter")) {
            Set-ManagementScope -Identity $Name -RecipientRestrictionFilter $filter
        }
    }
}

function Get-Assignment {
    # by name, which this script chose: others' assignments are none of its business
    Get-ManagementRoleAssignment -RoleAssigneeType ServicePrincipal |
        Where-Object { $_.Name -like "$Name Mail.*" }
}

function Set-Assignments {
    $present = @(Get-Assignment)
    foreach ($assignment in $present) {
        $wanted = @($Permission | Where-Object { $assignment.Role -eq "Application $_" })
        $scoped = $assignment.CustomResourceScope -eq $Name
        if (($wanted.Count -eq 0 -or -not $scoped) -and
            $PSCmdlet.ShouldProcess($assignment.Name, 'Remove the assignment')) {
            Remove-ManagementRoleAssignment -Identity $assignment.Name -Confirm:$false
        }
    }
    foreach ($one in $Permission) {
        $there = $present | Where-Object {
            $_.Role -eq "Application $one" -and $_.CustomResourceScope -eq $Name
        }
        if (-not $there -and $PSCmdlet.ShouldProcess("$Name $one", 'Assign the role on the scope')) {
            New-ManagementRoleAssignment -Name "$Name $one" -App $ObjectId -Role "Application $one" -CustomResourceScope $Name | Out-Null
        }
    }
}

function Remove-Everything {
    foreach ($assignment in @(Get-Assignment)) {
        if ($PSCmdlet.ShouldProcess($assignment.Name, 'Remove the assignment')) {
            Remove-ManagementRoleAssignment -Identity $assignment.Name -Confirm:$false
        }
    }
    if ((Get-ManagementScope | Where-Object { $_.Name -eq $Name }) -and
        $PSCmdlet.ShouldProcess($Name, 'Remove the scope')) {
        Remove-ManagementScope -Identity $Name -Confirm:$false
    }
    if (-not (Get-ReferencedPrincipal)) { return }
    $others = @(
        Test-ServicePrincipalAuthorization -Identity $ObjectId |
            Where-Object { $_.AllowedResourceScope -ne $Name }
    )
    if ($others.Count -gt 0) {
        Write-Warning "The service principal stays known to Exchange; it holds $($others.RoleName -join ', ') elsewhere."
    }
    elseif ($PSCmdlet.ShouldProcess($Name, 'Let Exchange forget the service principal')) {
        Remove-ServicePrincipal -Identity $ObjectId -Confirm:$false
    }
}

function Test-Reach([string[]] $Inside) {
    $wrong = @()
    foreach ($address in $Inside) {
        foreach ($one in $Permission) {
            $answer = Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $address |
                Where-Object { $_.RoleName -eq "Application $one" -and $_.InScope -eq $true }
            if (-not $answer) { $wrong += "$address is not reached with $one" }
        }
    }
    foreach ($address in $Outside) {
        $answer = @(
            Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $address |
                Where-Object { $_.InScope -eq $true }
        )
        if ($answer.Count -gt 0) { $wrong += "$address is reached, with $($answer.RoleName -join ', ')" }
    }
    $columns = @('RoleName', 'GrantedPermissions', 'AllowedResourceScope', 'ScopeType')
    Test-ServicePrincipalAuthorization -Identity $ObjectId | Format-Table -Property $columns
    if ($wrong.Count -gt 0) { throw ($wrong -join '; ') }
}

Connect-Services
if ($Remove) {
    Remove-Everything
    return
}
Assert-NoTenantWideGrant
Set-Principal
Set-Scope
Set-Assignments
if ($WhatIfPreference) { return }
$members = if ($PSCmdlet.ParameterSetName -eq 'Mailbox') { $Mailbox } else {
    Get-DistributionGroupMember -Identity $Group -ResultSize 5 | ForEach-Object { $_.PrimarySmtpAddress }
}
Test-Reach -Inside @($members)
