"""What recorded answers of Microsoft Graph look like: statuses, keys and the types of their values.

Written down from recordings of real traffic (January 2025) in the repository zammad/zammad, under
`test/data/vcr_cassettes/lib/microsoft_graph/` and
`test/data/vcr_cassettes/models/channel/driver/microsoft_graph_{inbound,outbound}/`.
"""

from typing import Any

# A message that POST or PATCH answers with; all keys, in the order of the recording.
DRAFT: dict[str, Any] = {
    "@odata.context": str,
    "@odata.etag": str,
    "id": str,
    "createdDateTime": str,
    "lastModifiedDateTime": str,
    "changeKey": str,
    "categories": list,
    "receivedDateTime": str,
    "sentDateTime": str,
    "hasAttachments": bool,
    "internetMessageId": str,
    "subject": str,
    "bodyPreview": str,
    "importance": str,
    "parentFolderId": str,
    "conversationId": str,
    "conversationIndex": str,
    "isDeliveryReceiptRequested": bool,
    "isReadReceiptRequested": bool,
    "isRead": bool,
    "isDraft": bool,
    "webLink": str,
    "inferenceClassification": str,
    "body": dict,
    "sender": dict,
    "from": dict,
    "toRecipients": list,
    "ccRecipients": list,
    "bccRecipients": list,
    "replyTo": list,
    "flag": dict,
}
BODY = {"contentType": str, "content": str}
RECIPIENT = {"emailAddress": dict}
EMAIL_ADDRESS = {"name": str, "address": str}
FLAG = {"flagStatus": str}

# The same draft, selected down to `internetMessageHeaders` (a draft has none), with its size.
SELECTED_DRAFT = {
    "@odata.context": str,
    "@odata.etag": str,
    "id": str,
    "singleValueExtendedProperties": list,
}
SIZE_PROPERTY = {"id": "Long 0xe08", "value": str}

# A list with `$select=id` and `$count=true`.
COUNTED_LIST = {"@odata.context": str, "@odata.count": int, "value": list}
LISTED_ID = {"@odata.etag": str, "id": str}

FOLDER = {
    "id": str,
    "displayName": str,
    "parentFolderId": str,
    "childFolderCount": int,
    "unreadItemCount": int,
    "totalItemCount": int,
    "sizeInBytes": int,
    "isHidden": bool,
}
EXPANDED_FOLDER = {**FOLDER, "childFolders": list}

ERROR = {"code": str, "message": str, "innerError": dict}
INNER_ERROR = {"date": str, "request-id": str, "client-request-id": str}

# Headers of every answer; those with a body have a content type beside them.
HEADERS = {
    "cache-control",
    "client-request-id",
    "date",
    "request-id",
    "strict-transport-security",
    "x-ms-ags-diagnostic",
}
JSON_CONTENT_TYPE = [
    "application/json",
    "odata.metadata=minimal",
    "odata.streaming=true",
    "IEEE754Compatible=false",
    "charset=utf-8",
]

# What the recorded requests asked for, as it stood in their query.
DRAFT_BODY = {
    "subject": "A test",
    "body": {"content": "Test email"},
    "from": {"emailAddress": {"address": "from@example.com"}},
    "toRecipients": [{"emailAddress": {"address": "test@example.com"}}],
    "isRead": False,
}
SIZE_QUERY = (
    "/?$expand=singleValueExtendedProperties($filter=Id%20eq%20%27LONG%200x0E08%27)"
    "&$select=internetMessageHeaders"
)
UNREAD_QUERY = (
    "/messages/?$count=true"
    "&$filter=(isRead%20eq%20false%20AND%20parentFolderId%20eq%20%27{folder}%27)"
    "&$orderby=receivedDateTime%20ASC&$select=id&top=1000"
)
EVERYTHING_QUERY = (
    "/messages/?$count=true&$filter=(parentFolderId%20eq%20%27{folder}%27)"
    "&$orderby=receivedDateTime%20ASC&$select=id&top=1000"
)
TREE_QUERY = "/mailFolders?$expand=childFolders($top=9999)&$top=9999"
