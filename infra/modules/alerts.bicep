// What wakes somebody up. Each alert is explained in docs/operations.md, by its name.
//
// The connector logs JSON lines; each has an `event`. The queries name those events, the functions,
// and what the platform itself says about a queue message.
//
// What happens once (`remind` says how long nobody is told again) does not end: each is news. Its
// window is longer than frequency and silence together, so that none of them is hidden, and late
// lines count. What lasts ends by itself; `dimensions` keep one mailbox from hiding the next.

@description('Name of the function app, by which its log lines are known.')
param appName string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Workspace whose logs are searched.')
param workspaceId string

@description('Id of the storage account.')
param storageId string

@description('Id of the vault.')
param vaultId string

@description('Addresses that are told; empty: alerts are seen in the portal only.')
param emails array

@description('How long the poll timer may not run.')
param timerStoppedAfter string

@description('Minutes that a mail may wait in the queue. More than the 15 of the longest pause between attempts.')
@minValue(20)
param queueAgeMinutes int

@description('Messages that may wait in all queues together.')
@minValue(1)
param queueLength int

var prelude = '''
let lines = AppTraces
| where AppRoleName =~ app and Message startswith "{"
| extend line = parse_json(Message)
| extend event = tostring(line.event), source = tostring(line.source), reason = tostring(line.reason);
let polls = lines
| where event in ("poll.failed", "poll.recovered")
| extend mailbox = tostring(line.mailbox), failures = toint(line.failures), why = tostring(line.kind)
| extend account = tostring(line.account), registration = tostring(line.app)
| summarize arg_max(TimeGenerated, *) by source;
'''

var searches = [
  {
    name: 'dead-letters'
    title: 'Mail became a dead letter'
    severity: 1
    every: 'PT5M'
    window: 'PT1H'
    remind: 'PT30M'
    dimensions: []
    operator: 'GreaterThan'
    threshold: 0
    query: '''
lines
| where event == "delivery.dead"
'''
  }
  {
    name: 'poison-queue'
    title: 'Messages went to a poison queue: the connector itself fails on them'
    severity: 1
    every: 'PT5M'
    window: 'PT1H'
    remind: 'PT30M'
    dimensions: []
    operator: 'GreaterThan'
    threshold: 0
    query: '''
union
  (AppTraces | where AppRoleName =~ app and Message has "MaxDequeueCount"),
  (AppRequests | where AppRoleName =~ app and Name endswith "_poison"),
  (lines | where event == "delivery.failing")
'''
  }
  {
    name: 'token-failures'
    title: 'Entra ID gives the app no token, or Graph takes none: none of its mailboxes is polled'
    severity: 1
    every: 'PT5M'
    window: 'PT6H'
    remind: ''
    dimensions: [
      'registration'
    ]
    operator: 'GreaterThan'
    threshold: 0
    query: '''
polls
| where event == "poll.failed" and why == "sign-in" and isempty(account)
'''
  }
  {
    name: 'timer-stopped'
    title: 'The poll timer does not run'
    severity: 1
    every: 'PT5M'
    window: timerStoppedAfter
    remind: ''
    dimensions: []
    operator: 'LessThan'
    threshold: 1
    query: '''
lines
| where event == "tick"
'''
  }
  {
    name: 'account-sign-ins'
    title: 'The sign-in of an account does not work: its mailbox is not polled'
    severity: 2
    every: 'PT15M'
    window: 'PT6H'
    remind: ''
    dimensions: [
      'account'
    ]
    operator: 'GreaterThan'
    threshold: 0
    query: '''
polls
| where event == "poll.failed" and why == "sign-in" and isnotempty(account)
'''
  }
  {
    name: 'poll-failures'
    title: 'A mailbox cannot be polled'
    severity: 2
    every: 'PT15M'
    window: 'PT6H'
    remind: ''
    dimensions: [
      'mailbox'
      'source'
    ]
    operator: 'GreaterThan'
    threshold: 0
    query: '''
polls
| where event == "poll.failed" and why != "sign-in" and failures >= 3
'''
  }
  {
    name: 'queue-age'
    title: 'Mail waits too long in the queue'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    remind: ''
    dimensions: []
    operator: 'GreaterThan'
    threshold: 0
    query: '''
AppTraces
| where AppRoleName =~ app and Message startswith "Trigger Details:" and OperationName == "email"
| parse Message with * "InsertionTime: " inserted
| extend waited = TimeGenerated - todatetime(inserted)
| where waited > age
'''
  }
  {
    name: 'function-failures'
    title: 'A function fails: storage out of reach, wrong settings, or a mistake in the connector'
    severity: 2
    every: 'PT15M'
    window: 'PT30M'
    remind: ''
    dimensions: [
      'Name'
    ]
    operator: 'GreaterThan'
    threshold: 0
    query: '''
AppRequests
| where AppRoleName =~ app and Name != "health"
| extend failed = Success == false and (ResultCode == "0" or toint(ResultCode) >= 500)
| summarize TimeGenerated = max(TimeGenerated), runs = count(), failures = countif(failed) by Name
| where failures > 10 or (failures == runs and runs > 2)
'''
  }
  {
    name: 'sends-failed'
    title: 'A message was not sent, and will not be'
    severity: 2
    every: 'PT15M'
    window: 'PT2H'
    remind: 'PT1H'
    dimensions: []
    operator: 'GreaterThan'
    threshold: 0
    query: '''
lines
| where event in ("send.failed", "send.refused")
'''
  }
  {
    name: 'api-failures'
    title: 'Requests of other systems fail in the connector'
    severity: 2
    every: 'PT15M'
    window: 'PT2H'
    remind: 'PT1H'
    dimensions: []
    operator: 'GreaterThan'
    threshold: 0
    query: '''
lines
| where event == "api.failed"
'''
  }
  {
    name: 'invalid-rows'
    title: 'A row of the table subscriptions cannot be used'
    severity: 3
    every: 'PT15M'
    window: 'PT2H'
    remind: 'PT1H'
    dimensions: []
    operator: 'GreaterThan'
    threshold: 0
    query: '''
lines
| where event in ("subscription.invalid", "subscription.unreadable")
'''
  }
  {
    name: 'polls-behind'
    title: 'There is more to poll than is polled'
    severity: 3
    every: 'PT15M'
    window: 'PT30M'
    remind: ''
    dimensions: []
    operator: 'GreaterThan'
    threshold: 0
    query: '''
lines
| where event in ("tick", "tick.queue_is_busy")
| summarize TimeGenerated = max(TimeGenerated), ticks = countif(event == "tick"), busy = countif(event == "tick.queue_is_busy")
| where busy > 2 and busy * 4 > ticks
'''
  }
]

var everyValue = [
  '*'
]

var metrics = [
  {
    name: 'storage-unavailable'
    title: 'The storage answers badly'
    severity: 1
    scope: storageId
    namespace: 'Microsoft.Storage/storageAccounts'
    metric: 'Availability'
    aggregation: 'Average'
    operator: 'LessThan'
    threshold: 99
    every: 'PT5M'
    window: 'PT15M'
  }
  {
    name: 'queue-length'
    title: 'More waits in the queues than is normal'
    severity: 2
    scope: '${storageId}/queueServices/default'
    namespace: 'Microsoft.Storage/storageAccounts/queueServices'
    metric: 'QueueMessageCount'
    aggregation: 'Average'
    operator: 'GreaterThan'
    threshold: queueLength
    every: 'PT1H'
    window: 'PT1H'
  }
  {
    name: 'vault-unavailable'
    title: 'The vault answers badly: secrets are not renewed'
    severity: 2
    scope: vaultId
    namespace: 'Microsoft.KeyVault/vaults'
    metric: 'Availability'
    aggregation: 'Average'
    operator: 'LessThan'
    threshold: 99
    every: 'PT15M'
    window: 'PT1H'
  }
]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(emails)) {
  name: '${appName}-operators'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'mail'
    emailReceivers: [for (email, i) in emails: {
      name: 'operator-${i}'
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

resource searchAlerts 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for search in searches: {
  name: '${appName}-${search.name}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${appName}: ${search.title}'
    description: 'What to do: docs/operations.md, ${search.name}'
    enabled: true
    severity: search.severity
    scopes: [
      workspaceId
    ]
    evaluationFrequency: search.every
    windowSize: search.window
    autoMitigate: empty(search.remind)
    muteActionsDuration: empty(search.remind) ? null : search.remind
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: 'let app = "${appName}";\nlet age = ${queueAgeMinutes}m;\n${prelude}${search.query}'
          timeAggregation: 'Count'
          operator: search.operator
          threshold: search.threshold
          dimensions: map(search.dimensions, column => {
            name: column
            operator: 'Include'
            values: everyValue
          })
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: empty(emails) ? [] : [
        group.id
      ]
    }
  }
}]

resource metricAlerts 'Microsoft.Insights/metricAlerts@2018-03-01' = [for metric in metrics: {
  name: '${appName}-${metric.name}'
  location: 'global'
  tags: tags
  properties: {
    description: '${metric.title}. What to do: docs/operations.md, ${metric.name}'
    enabled: true
    severity: metric.severity
    scopes: [
      metric.scope
    ]
    evaluationFrequency: metric.every
    windowSize: metric.window
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'threshold'
          metricNamespace: metric.namespace
          metricName: metric.metric
          timeAggregation: metric.aggregation
          operator: metric.operator
          threshold: metric.threshold
        }
      ]
    }
    actions: empty(emails) ? [] : [
      {
        actionGroupId: group.id
      }
    ]
  }
}]
