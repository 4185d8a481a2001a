"""Sending mail, answering it, and serving folders and messages to callers."""
