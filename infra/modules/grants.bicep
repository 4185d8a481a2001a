// Tenant-wide access to mail: every mailbox of the organisation. Requesting a permission grants
// nothing; this does, and needs a deployer who may consent for the tenant.

extension microsoftGraphV1

@description('Object id of the service principal that gets the access.')
param principalId string

@description('Application permissions of Microsoft Graph to grant.')
param permissions array

var permissionIds = loadJsonContent('../graph-permissions.json')

resource graph 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: '00000003-0000-0000-c000-000000000000'
}

resource grants 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [for permission in permissions: {
  appRoleId: permissionIds.application[permission]
  principalId: principalId
  resourceId: graph.id
}]
