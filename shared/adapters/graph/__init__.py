"""Mailboxes through Microsoft Graph: msgraph-sdk's client, with JSON in place of its models."""
