// The function app on the Flex Consumption plan, and its app settings.
//
// One rule for the settings: the template writes those whose value only the deployment knows (where
// the storage is, who the app is, which cloud this is, where a secret lies in the vault), and those
// that the parameter `settings` names, in place of what is written here if need be. All others keep
// the defaults that the code gives them.

@description('Name of the function app; its address is made from it.')
param name string

@description('Name of the plan.')
param planName string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of the app\'s identity.')
param identityClientId string

@description('Where blobs are.')
param blobEndpoint string

@description('Where queues are.')
param queueEndpoint string

@description('Where tables are.')
param tableEndpoint string

@description('Container of the deployed package.')
param deploymentContainer string

@description('Address of the vault.')
param vaultUri string

@description('Connection string of Application Insights.')
param telemetryConnectionString string

@description('Workspace that takes diagnostics.')
param workspaceId string

@description('Tenant of mailboxes whose row names none.')
param mailTenantId string

@description('Client id of the app registration; empty: the identity itself reads mail.')
param mailClientId string

@description('Which mailboxes it is meant to reach: what mailctl doctor and the health check hold it to.')
param mailboxAccess string

@description('Settings that differ from their defaults or from what is written here, by name.')
param settings object

@description('Settings whose value is a secret in the vault, such as WEBHOOK_SIGNING_SECRET.')
param secretSettings array

@description('Names of secrets in the vault that rows refer to as {{secrets.NAME}}.')
param secretNames array

@description('Whether logs are thinned out when there are many. Requests and exceptions never are.')
param sampleLogs bool

@description('Most instances at once.')
param maximumInstanceCount int

@description('Memory of an instance; processor time grows with it.')
param instanceMemoryMB int

@description('Instances that are kept running, by function.')
param alwaysReady array

@description('Subnet through which the app calls out; empty: none.')
param subnetId string

// https://learn.microsoft.com/graph/deployments
var graphEndpoints = {
  AzureCloud: 'https://graph.microsoft.com'
  AzureUSGovernment: 'https://graph.microsoft.us'
  AzureChinaCloud: 'https://microsoftgraph.chinacloudapi.cn'
}

var ownSettings = {
  AzureWebJobsStorage__blobServiceUri: blobEndpoint
  AzureWebJobsStorage__queueServiceUri: queueEndpoint
  AzureWebJobsStorage__tableServiceUri: tableEndpoint
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: telemetryConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AzureFunctionsJobHost__logging__applicationInsights__samplingSettings__excludedTypes: sampleLogs ? 'Request;Exception' : 'Request;Exception;Trace'
  AZURE_AUTHORITY_HOST: environment().authentication.loginEndpoint
  GRAPH_ENDPOINT: graphEndpoints[environment().name]
  MANAGED_IDENTITY_CLIENT_ID: identityClientId
  M365_TENANT_ID: mailTenantId
  M365_CLIENT_ID: mailClientId
  MAILBOX_ACCESS: mailboxAccess
}

// a reference that the platform resolves by the app's identity; no value passes the deployment
var settingSecrets = toObject(secretSettings, setting => setting, setting => '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${toLower(replace(setting, '_', '-'))})')
var rowSecrets = toObject(secretNames, secret => 'SECRETS__${replace(secret, '-', '_')}', secret => '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${secret})')

// each name once, or the platform refuses all of them: a later one takes the place of an earlier one
var appSettings = [for setting in items(union(ownSettings, settings, settingSecrets, rowSecrets)): {
  name: setting.key
  value: string(setting.value)
}]

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource app 'Microsoft.Web/sites@2024-04-01' = {
  name: name
  location: location
  tags: union(tags, {
    'azd-service-name': 'connector'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    // little else is taken: regions refuse ftpsState and the like on this plan, one after the other
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      appSettings: appSettings
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.11'
      }
      scaleAndConcurrency: {
        alwaysReady: alwaysReady
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
  }
}

// deployment by user name and password is closed; publishing goes by Entra ID

resource noFtpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

resource noScmPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
