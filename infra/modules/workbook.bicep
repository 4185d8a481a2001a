// The connector's page of figures in the portal; its tiles are in infra/workbook.json.

@description('Name of the function app, by which its log lines are known.')
param appName string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Workspace whose logs are shown.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, appName, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: '${appName}: mail'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: replace(replace(loadTextContent('../workbook.json'), '__APP__', appName), '__WORKSPACE__', workspaceId)
  }
}

output id string = workbook.id
