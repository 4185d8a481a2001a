// The app registration in Entra ID. It has no secret and no certificate: the identity's token is
// its credential. The Microsoft Graph extension deploys it, in the public cloud only.

extension microsoftGraphV1

@description('Unique, unchanging name of the registration, by which deploying again finds it.')
param uniqueName string

@description('Name that people see in Entra ID.')
param displayName string

@description('Object id of the managed identity that signs in as this app.')
param identityPrincipalId string

@description('Address to which a person who connects an account comes back; empty: no such accounts.')
param redirectUri string

@description('Whether access is granted tenant-wide. Only then does the registration ask for application permissions: where access is scoped in Exchange, a consent given to them would undo the scope.')
param tenantWide bool

@description('Application permissions of Microsoft Graph to ask for.')
param permissions array

@description('Delegated permissions of Microsoft Graph to ask for, for accounts that people connect.')
param delegatedPermissions array

// ids: https://learn.microsoft.com/graph/permissions-reference
var permissionIds = loadJsonContent('../graph-permissions.json')

// https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
var audiences = {
  AzureCloud: 'api://AzureADTokenExchange'
  AzureUSGovernment: 'api://AzureADTokenExchangeUSGov'
  AzureChinaCloud: 'api://AzureADTokenExchangeChina'
}
var audience = audiences[environment().name]

var roleRequests = [for permission in permissions: {
  id: permissionIds.application[permission]
  type: 'Role'
}]
var scopeRequests = [for permission in delegatedPermissions: {
  id: permissionIds.delegated[permission]
  type: 'Scope'
}]
var requested = concat(tenantWide ? roleRequests : [], empty(redirectUri) ? [] : scopeRequests)

resource app 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: uniqueName
  displayName: displayName
  signInAudience: 'AzureADMyOrg'
  web: {
    redirectUris: empty(redirectUri) ? [] : [
      redirectUri
    ]
  }
  requiredResourceAccess: empty(requested) ? [] : [
    {
      resourceAppId: '00000003-0000-0000-c000-000000000000'
      resourceAccess: requested
    }
  ]

  resource trust 'federatedIdentityCredentials@v1.0' = {
    name: '${app.uniqueName}/managed-identity'
    description: 'The managed identity of the connector signs in as this app.'
    audiences: [
      audience
    ]
    issuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
    subject: identityPrincipalId
  }
}

resource principal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: app.appId
}

output clientId string = app.appId
output principalId string = principal.id
