#Requires -Version 7.2
#Requires -Modules @{ ModuleName = 'ExchangeOnlineManagement'; ModuleVersion = '3.0.0' }

<#
.SYNOPSIS
Lets the connector into some mailboxes, and into no others.

.DESCRIPTION
Uses RBAC for Applications in Exchange Online: the connector's service principal gets the roles
"Application Mail.ReadWrite" and the like, on a management scope that holds only the members of a
mail-enabled security group, or only the mailboxes that you name.

Run it as often as you like: what is there is left alone, what differs is brought in line, and each
change can be looked at first with -WhatIf. It ends with a test of what the connector may now reach.

It refuses to work where the service principal gets at mail in another way: by a consent in Entra ID,
which holds for every mailbox, or by an assignment in Exchange on another scope or on none. Grants add
up: the scope would protect nothing. It looks before it changes anything.

Changes take effect after 30 minutes to 2 hours, for Exchange keeps what it knew. The test at the end
does not wait: it tells what will hold.

Needs: the module ExchangeOnlineManagement and the role group Organization Management; and, but for
-Remove, Azure CLI, signed in to the tenant of the mailboxes (az login --tenant TENANT), to read from
Microsoft Graph. No module of Microsoft Graph: it and Exchange's cannot sign in within one process.

.PARAMETER AppId
Client id of the app registration, or of the managed identity: CONNECTOR_MAIL_APP_ID.

.PARAMETER ObjectId
Object id of its service principal (not of the registration): CONNECTOR_MAIL_PRINCIPAL_ID.

.PARAMETER Group
Mail-enabled security group whose direct members are reached. Members of groups within it are not.
It needs one mailbox at least, for the test at the end.

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
The cloud. Azure CLI has to be signed in to the same (az cloud set).

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

$clouds = @{
    Global   = @{ Exchange = 'O365Default'; Graph = 'https://graph.microsoft.com' }
    USGov    = @{ Exchange = 'O365USGovGCCHigh'; Graph = 'https://graph.microsoft.us' }
    USGovDoD = @{ Exchange = 'O365USGovDoD'; Graph = 'https://dod-graph.microsoft.us' }
    China    = @{ Exchange = 'O365China'; Graph = 'https://microsoftgraph.chinacloudapi.cn' }
}

function Connect-Exchange([string] $Cloud) {
    # connecting changes nothing, so it is done with -WhatIf as well; Security & Compliance has sessions
    # of the same kind, which know none of the cmdlets below
    $open = Get-ConnectionInformation | Where-Object { $_.State -eq 'Connected' -and -not $_.IsEopSession }
    if (-not $open) {
        Connect-ExchangeOnline -ShowBanner:$false -ExchangeEnvironmentName $Cloud
    }
}

function Get-GraphToken([string] $Graph) {
    $token = az account get-access-token --resource $Graph --query accessToken --output tsv
    if ($LASTEXITCODE -ne 0 -or -not $token) {
        throw 'Azure CLI gives no token for Microsoft Graph: az login --tenant TENANT, with the tenant of the mailboxes.'
    }
    return $token
}

function Get-FromGraph([string] $Address, [string] $Token) {
    # one object, or all objects of all pages
    while ($Address) {
        $answer = Invoke-WebRequest -Uri $Address -Headers @{ Authorization = "Bearer $Token" }
        $page = $answer.Content | ConvertFrom-Json -AsHashtable
        if ($page.ContainsKey('value')) { $page['value'] } else { $page }
        $Address = $page['@odata.nextLink']
    }
}

function Assert-NoTenantWideGrant([string] $AppId, [string] $ObjectId, [string] $Graph) {
    # the union of both kinds of grant holds: one consent for Mail.* opens every mailbox
    $token = Get-GraphToken -Graph $Graph
    $principals = "$Graph/v1.0/servicePrincipals"
    $principal = Get-FromGraph -Address "${principals}/${ObjectId}?`$select=appId" -Token $token
    if ($principal['appId'] -ne $AppId) {
        throw "$ObjectId is the service principal of $($principal['appId']), not of $AppId."
    }
    $apis = @(
        '00000003-0000-0000-c000-000000000000' # Microsoft Graph
        '00000002-0000-0ff1-ce00-000000000000' # Office 365 Exchange Online
    )
    $assignments = @(Get-FromGraph -Address "$principals/$ObjectId/appRoleAssignments" -Token $token)
    $resources = @($assignments | ForEach-Object { $_['resourceId'] } | Sort-Object -Unique)
    $granted = @(
        foreach ($resource in $resources) {
            $api = Get-FromGraph -Address "${principals}/${resource}?`$select=appId,appRoles" -Token $token
            if ($api['appId'] -notin $apis) { continue }
            $here = @($assignments | Where-Object { $_['resourceId'] -eq $resource })
            $ids = @($here | ForEach-Object { $_['appRoleId'] })
            $api['appRoles'] | Where-Object { $_['id'] -in $ids } | ForEach-Object { $_['value'] }
        }
    )
    # an array on the left: what matches is picked from it
    $open = @($granted -match '^(Mail[.-]|Mailbox(Item|Folder)\.|full_access_as_app$|(IMAP|POP)\.AccessAsApp$|SMTP\.SendAsApp$)')
    if ($open.Count -gt 0) {
        throw (
            "In Entra ID the app holds $($open -join ', ') for every mailbox of the tenant; a scope" +
            ' would protect nothing. Remove that consent first (Entra ID, Enterprise applications,' +
            ' Permissions), then run this again.'
        )
    }
}

function Get-ReferencedPrincipal([string] $AppId) {
    Get-ServicePrincipal | Where-Object -Property AppId -EQ -Value $AppId
}

function Get-OtherAuthorization([string] $ObjectId, [string] $Scope) {
    # what the principal holds in Exchange, but for what is on the scope; without one: Organization
    Test-ServicePrincipalAuthorization -Identity $ObjectId |
        Where-Object -Property AllowedResourceScope -NE -Value $Scope
}

function Assert-NoOtherAssignment([string] $AppId, [string] $ObjectId, [string] $Name) {
    $known = Get-ReferencedPrincipal -AppId $AppId
    if (-not $known) { return }
    if ($known.ObjectId -ne $ObjectId) {
        throw "Exchange knows $AppId with another object id, $($known.ObjectId). Run with -Remove and that id first."
    }
    $mail = '^Application (Mail[ .]|Mailbox(Item|Folder)\.|Exchange Full Access|EWS\.|IMAP\.|POP\.|SMTP\.)'
    $others = @(
        Get-OtherAuthorization -ObjectId $ObjectId -Scope $Name | Where-Object { $_.RoleName -match $mail }
    )
    if ($others.Count -gt 0) {
        $found = foreach ($other in $others) { "$($other.RoleName) on $($other.AllowedResourceScope)" }
        throw (
            "In Exchange the app holds $($found -join ', ') already. Assignments add up: the scope '$Name'" +
            ' would not be all that it reaches. Remove them first (Get-ManagementRoleAssignment' +
            ' -RoleAssigneeType ServicePrincipal; if this script made them, run it with -Remove and the' +
            ' -Name of then), then run this again.'
        )
    }
}

function Get-RecipientFilter([string] $Group, [string[]] $Mailbox) {
    if ($Group) {
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

function Set-Principal {
    [CmdletBinding(SupportsShouldProcess)]
    param([string] $AppId, [string] $ObjectId, [string] $Name)

    if (Get-ReferencedPrincipal -AppId $AppId) { return }
    if ($PSCmdlet.ShouldProcess($Name, 'Make the service principal known to Exchange')) {
        New-ServicePrincipal -AppId $AppId -ObjectId $ObjectId -DisplayName $Name | Out-Null
    }
}

function Set-Scope {
    [CmdletBinding(SupportsShouldProcess)]
    param([string] $Name, [string] $Filter)

    $scope = Get-ManagementScope | Where-Object -Property Name -EQ -Value $Name
    if (-not $scope) {
        if ($PSCmdlet.ShouldProcess($Name, "Make the scope: $Filter")) {
            New-ManagementScope -Name $Name -RecipientRestrictionFilter $Filter | Out-Null
        }
    }
    elseif ($scope.RecipientFilter -ne $Filter) {
        # Exchange may spell the filter in its own way; setting it once more does no harm
        if ($PSCmdlet.ShouldProcess($Name, "Change the scope from $($scope.RecipientFilter) to: $Filter")) {
            Set-ManagementScope -Identity $Name -RecipientRestrictionFilter $Filter
        }
    }
}

function Get-Assignment([string] $Name) {
    # by name, which this script chose: others' assignments are none of its business
    Get-ManagementRoleAssignment -RoleAssigneeType ServicePrincipal |
        Where-Object -Property Name -Like -Value "$Name Mail.*"
}

function Set-Assignment {
    [CmdletBinding(SupportsShouldProcess)]
    param([string] $ObjectId, [string] $Name, [string[]] $Permission)

    $present = @(Get-Assignment -Name $Name)
    $wanted = foreach ($one in $Permission) { "Application $one" }
    foreach ($assignment in $present) {
        if ($assignment.Role -notin $wanted -and
            $PSCmdlet.ShouldProcess($assignment.Name, 'Remove the assignment')) {
            Remove-ManagementRoleAssignment -Identity $assignment.Name -Confirm:$false
        }
    }
    foreach ($one in $Permission) {
        $there = $present | Where-Object -Property Role -EQ -Value "Application $one"
        if (-not $there -and $PSCmdlet.ShouldProcess("$Name $one", 'Assign the role on the scope')) {
            New-ManagementRoleAssignment -Name "$Name $one" -App $ObjectId -Role "Application $one" -CustomResourceScope $Name | Out-Null
        }
    }
}

function Remove-Access {
    [CmdletBinding(SupportsShouldProcess)]
    param([string] $AppId, [string] $ObjectId, [string] $Name)

    foreach ($assignment in @(Get-Assignment -Name $Name)) {
        if ($PSCmdlet.ShouldProcess($assignment.Name, 'Remove the assignment')) {
            Remove-ManagementRoleAssignment -Identity $assignment.Name -Confirm:$false
        }
    }
    if ((Get-ManagementScope | Where-Object -Property Name -EQ -Value $Name) -and
        $PSCmdlet.ShouldProcess($Name, 'Remove the scope')) {
        Remove-ManagementScope -Identity $Name -Confirm:$false
    }
    if (-not (Get-ReferencedPrincipal -AppId $AppId)) { return }
    $others = @(Get-OtherAuthorization -ObjectId $ObjectId -Scope $Name)
    if ($others.Count -gt 0) {
        Write-Warning "The service principal stays known to Exchange; it holds $($others.RoleName -join ', ') elsewhere."
    }
    elseif ($PSCmdlet.ShouldProcess($Name, 'Let Exchange forget the service principal')) {
        Remove-ServicePrincipal -Identity $ObjectId -Confirm:$false
    }
}

function Get-GroupMailbox([string] $Group) {
    # contacts, and groups within the group, are no mailboxes
    $members = @(
        Get-DistributionGroupMember -Identity $Group -ResultSize Unlimited |
            Where-Object -Property RecipientTypeDetails -Like -Value '*Mailbox'
    )
    if ($members.Count -eq 0) {
        throw "Granted; but $Group has no mailbox among its direct members, so nothing is reached. Add one, then run this again."
    }
    $members | Select-Object -First 5 -ExpandProperty PrimarySmtpAddress
}

function Test-Reach([string] $ObjectId, [string[]] $Permission, [string[]] $Inside, [string[]] $Outside) {
    $wrong = @()
    foreach ($address in $Inside) {
        $reached = @(
            Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $address |
                Where-Object -Property InScope -EQ -Value $true
        )
        foreach ($one in $Permission) {
            if ("Application $one" -notin @($reached | ForEach-Object { $_.RoleName })) {
                $wrong += "$address is not reached with $one"
            }
        }
    }
    foreach ($address in $Outside) {
        $reached = @(
            Test-ServicePrincipalAuthorization -Identity $ObjectId -Resource $address |
                Where-Object -Property InScope -EQ -Value $true
        )
        if ($reached.Count -gt 0) { $wrong += "$address is reached, with $($reached.RoleName -join ', ')" }
    }
    $columns = @('RoleName', 'GrantedPermissions', 'AllowedResourceScope', 'ScopeType')
    Test-ServicePrincipalAuthorization -Identity $ObjectId | Format-Table -Property $columns
    if ($wrong.Count -gt 0) { throw ($wrong -join '; ') }
}

$cloud = $clouds[$Environment]
Connect-Exchange -Cloud $cloud.Exchange
if ($Remove) {
    Remove-Access -AppId $AppId -ObjectId $ObjectId -Name $Name
    return
}
Assert-NoTenantWideGrant -AppId $AppId -ObjectId $ObjectId -Graph $cloud.Graph
Assert-NoOtherAssignment -AppId $AppId -ObjectId $ObjectId -Name $Name
$filter = Get-RecipientFilter -Group $Group -Mailbox $Mailbox
Set-Principal -AppId $AppId -ObjectId $ObjectId -Name $Name
Set-Scope -Name $Name -Filter $filter
Set-Assignment -ObjectId $ObjectId -Name $Name -Permission $Permission
if ($WhatIfPreference) { return }
$inside = if ($Group) { Get-GroupMailbox -Group $Group } else { $Mailbox }
Test-Reach -ObjectId $ObjectId -Permission $Permission -Inside @($inside) -Outside $Outside
