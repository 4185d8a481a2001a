// The whole connector in one resource group. Deploy it here where you may only write to a resource
// group; infra/main.bicep makes the group as well.

targetScope = 'resourceGroup'

@description('Name of this connector; names of resources are made from it, of its first 30 characters.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region; one that has the Flex Consumption plan.')
param location string = resourceGroup().location

@description('Tags of every resource.')
param tags object = {
  'azd-env-name': environmentName
}

@description('Tenant of the mailboxes. In another tenant than that of the deployment only an existing registration reads mail.')
param mailTenantId string = tenant().tenantId

@description('Who reads mail. create: a new app registration that the managed identity signs in as, without a secret. existing: the registration mailClientId, to which you add the identity as a federated credential. none: the managed identity itself, the simplest way within one tenant, and the only one in national clouds.')
@allowed([
  'create'
  'existing'
  'none'
])
param registration string = 'create'

@description('Client id of the registration where that is existing; the deployment fails without it.')
param mailClientId string = ''

@description('Which mailboxes are reached. scoped: none until infra/exchange/Grant-MailboxAccess.ps1 grants some. tenantWide: every mailbox of the tenant, granted by this deployment, whose deployer must be allowed to consent to that; with an existing registration its owner grants it, and the template only takes note.')
@allowed([
  'scoped'
  'tenantWide'
])
param mailboxAccess string = 'scoped'

@description('What the connector may do with mail where access is tenantWide. Mail.ReadWrite is what polling with any post-processing needs; Mail.Send only for sending.')
@allowed([
  'Mail.Read'
  'Mail.ReadWrite'
  'Mail.Send'
])
param mailPermissions array = [
  'Mail.ReadWrite'
]

@description('Whether people can connect accounts of their own: the registration then has a reply address, and asks for the delegated permissions below. With an existing registration its owner adds both. Without any, ACCOUNT_CLIENT_ID among the settings names one, or the deployment fails.')
param delegatedAccounts bool = false

@description('What the registration says that a person is asked for who connects an account. The two for shared mailboxes are needed only where people connect those.')
@allowed([
  'Mail.ReadWrite'
  'Mail.Send'
  'Mail.ReadWrite.Shared'
  'Mail.Send.Shared'
  'openid'
  'profile'
  'email'
  'offline_access'
])
param delegatedPermissions array = [
  'Mail.ReadWrite'
  'Mail.Send'
  'openid'
  'profile'
  'email'
  'offline_access'
]

@description('App settings that differ from their defaults, by name: docs/settings.md. One that the template writes as well takes its place. No secrets.')
param settings object = {}

@description('Settings that are secrets. Each lies in the vault in lower case with hyphens: webhook-signing-secret. Name one only once the vault has it.')
@allowed([
  'WEBHOOK_SIGNING_SECRET'
  'ACCOUNT_KEY'
  'ACCOUNT_CLIENT_SECRET'
  'ACCOUNT_CLIENT_CERTIFICATE'
  'DOCUMENT_SIGNING_SECRET'
])
param secretSettings array = []

@description('Names of secrets in the vault that rows refer to as {{secrets.NAME}}: letters, digits, hyphens.')
param secretNames array = []

@description('Most instances at once of each trigger: the platform scales every queue and timer by itself, and all HTTP functions together, so the app may have several times as many. Each worker sends at most 4 requests at once to a mailbox, which is all that Graph allows: n instances of the function email that drain one mailbox send up to 4n, and more than one or two only meet its limit, which costs time and no mail. Instances are wanted for many mailboxes and for slow targets. The platform adds one for each 32 messages; delayed ones count. Where a region refuses the number, 40 is the least that every region takes.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 10

@description('Memory of an instance. 2048 goes with one processor, which is some 200 mails a second; 512 is enough for small mail and costs a quarter; 4096 for many large attachments at once.')
@allowed([
  512
  2048
  4096
])
param instanceMemoryMB int = 2048

@description('Instances that are kept running, such as { name: \'function:email\', instanceCount: 1 }. Polling every few seconds keeps the timer warm anyway; this saves the first mail after a pause the second that a start takes.')
param alwaysReady array = []

@description('Where the data is kept, and how often. ZRS and GZRS need a region with zones.')
@allowed([
  'Standard_LRS'
  'Standard_ZRS'
  'Standard_GRS'
  'Standard_GZRS'
])
param storageSku string = 'Standard_LRS'

@description('Whether the vault cannot be deleted for good within 90 days. It cannot be taken back; say false for a trial.')
param purgeProtection bool = true

@description('Whether storage and vault are reached by private endpoints only, and the app goes out through a network of its own. Then deploy and operate from within that network.')
param privateNetwork bool = false

@description('Addresses of that network: a /24.')
param addressPrefix string = '10.60.0.0/24'

@description('Whether calls go out from one fixed public address, with privateNetwork.')
param natGateway bool = true

@description('Mail addresses that alerts go to; empty: they are seen in the portal only.')
param alertEmails array = []

@description('How long the poll timer may not run before somebody is told. Longer than three times what POLL_SCHEDULE waits, where that is among the settings.')
@allowed([
  'PT15M'
  'PT30M'
  'PT1H'
  'PT2H'
  'PT6H'
  'P1D'
])
param timerStoppedAfter string = 'PT15M'

@description('Minutes that a mail may wait in the queue before somebody is told.')
@minValue(20)
param queueAgeMinutes int = 30

@description('Messages that may wait in all queues together before somebody is told.')
@minValue(1)
param queueLength int = 5000

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

@description('Gigabytes of logs a day after which no more are taken in; -1: no limit. When it is reached, alerts see nothing.')
param dailyLogQuotaGb int = -1

@description('Whether log lines are thinned out under load. That is cheaper with many mails; the alert of a dead letter may then miss one of many.')
param sampleLogs bool = false

@description('Whether each request to the storage is logged: who read or wrote what. Costs about as much as the mail itself does.')
param storageAuditLogs bool = false

@description('Object id of the person or group that operates the connector: rows, queues, secrets; empty: nobody gets a role.')
param operatorPrincipalId string = ''

@description('What the operator is.')
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param operatorPrincipalType string = 'User'

@description('Whether the operator gets a role on the containers of large mails, of mails to be sent and of attachments, too. Only mailctl dead discard needs it, to remove them. It is no wall around mail: mails up to 45 KiB lie whole in queues and in the table outbox, which every operator can read.')
param operatorMayReachBlobs bool = false

var token = uniqueString(resourceGroup().id, environmentName, location)
// azd lets names have ( ) . _ as well, which no host name has
var shortName = take(replace(replace(replace(replace(toLower(environmentName), '(', '-'), ')', '-'), '.', '-'), '_', '-'), 30)
var appName = 'func-${shortName}-${token}'
var deploymentContainer = 'package'
var mailContainers = [
  'documents'
  'envelopes'
  'outbox'
]
var hosts = {
  AzureCloud: 'azurewebsites.net'
  AzureUSGovernment: 'azurewebsites.us'
  AzureChinaCloud: 'chinacloudsites.cn'
}
var publicUrl = settings.?PUBLIC_URL ?? 'https://${appName}.${hosts[environment().name]}'
var publicRoot = endsWith(publicUrl, '/') ? substring(publicUrl, 0, length(publicUrl) - 1) : publicUrl

// what would come to nothing, silently, ends the deployment instead
var hasAccountApp = registration != 'none' || !empty(settings.?ACCOUNT_CLIENT_ID)
var redirectUri = !delegatedAccounts ? '' : (hasAccountApp ? '${publicRoot}/api/accounts/callback' : fail('delegatedAccounts=true with registration=none: nobody could sign in. Name the app registration that people sign in to as ACCOUNT_CLIENT_ID in settings, or choose registration=create.'))
var existingClientId = registration == 'existing' && empty(mailClientId) ? fail('registration=existing needs mailClientId, the client id of that registration; with azd: azd env set CONNECTOR_MAIL_CLIENT_ID ID.') : mailClientId
var tenantOfMail = registration != 'existing' && mailTenantId != tenant().tenantId ? fail('mailTenantId is not the tenant of this deployment: there only registration=existing, with mailClientId, reads mail.') : mailTenantId

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    name: 'id-${token}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: 'log-${token}'
    componentName: 'appi-${token}'
    location: location
    tags: tags
    retentionInDays: logRetentionDays
    dailyQuotaGb: dailyLogQuotaGb
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: 'st${token}'
    location: location
    tags: tags
    sku: storageSku
    deploymentContainer: deploymentContainer
    mailContainers: mailContainers
    private: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
    auditLogs: storageAuditLogs
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: 'kv-${token}'
    location: location
    tags: tags
    purgeProtection: purgeProtection
    private: privateNetwork
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: 'vnet-${token}'
    location: location
    tags: tags
    addressPrefix: addressPrefix
    natGateway: natGateway
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    storageName: storage.outputs.name
    mailContainers: mailContainers
    vaultName: vault.outputs.name
    componentName: monitoring.outputs.componentName
    appPrincipalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    operatorMayReachBlobs: operatorMayReachBlobs
  }
}

module registered 'modules/registration.bicep' = if (registration == 'create') {
  name: 'registration'
  params: {
    uniqueName: 'mail-connector-${token}'
    displayName: 'Mail connector ${environmentName}'
    identityPrincipalId: identity.outputs.principalId
    redirectUri: redirectUri
    tenantWide: mailboxAccess == 'tenantWide'
    permissions: mailPermissions
    delegatedPermissions: delegatedPermissions
  }
}

// an existing registration is granted access by those who own it
module grants 'modules/grants.bicep' = if (mailboxAccess == 'tenantWide' && registration != 'existing') {
  name: 'grants'
  params: {
    principalId: registration == 'create' ? registered!.outputs.principalId : identity.outputs.principalId
    permissions: mailPermissions
  }
}

module app 'modules/functionapp.bicep' = {
  name: 'functionapp'
  dependsOn: [
    roles
  ]
  params: {
    name: appName
    planName: 'plan-${token}'
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    deploymentContainer: deploymentContainer
    vaultUri: vault.outputs.uri
    telemetryConnectionString: monitoring.outputs.connectionString
    workspaceId: monitoring.outputs.workspaceId
    mailTenantId: tenantOfMail
    mailClientId: registration == 'create' ? registered!.outputs.clientId : (registration == 'existing' ? existingClientId : '')
    mailboxAccess: mailboxAccess
    settings: settings
    secretSettings: secretSettings
    secretNames: secretNames
    sampleLogs: sampleLogs
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    alwaysReady: alwaysReady
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    appName: app.outputs.name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    emails: alertEmails
    timerStoppedAfter: timerStoppedAfter
    queueAgeMinutes: queueAgeMinutes
    queueLength: queueLength
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: {
    appName: app.outputs.name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

output functionAppName string = app.outputs.name
output functionAppUrl string = app.outputs.url
output storageAccountName string = storage.outputs.name
output vaultName string = vault.outputs.name
output identityClientId string = identity.outputs.clientId
output identityPrincipalId string = identity.outputs.principalId
@description('Client id to which mailboxes are granted; empty where the registration is an existing one.')
output mailAppId string = registration == 'create' ? registered!.outputs.clientId : (registration == 'none' ? identity.outputs.clientId : '')
@description('Object id of its service principal: what Grant-MailboxAccess.ps1 asks for.')
output mailPrincipalId string = registration == 'create' ? registered!.outputs.principalId : (registration == 'none' ? identity.outputs.principalId : '')
@description('Reply address of the registration; empty without delegated accounts.')
output redirectUri string = redirectUri
