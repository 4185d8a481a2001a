"""Builds the zip that is deployed, and says what is in it. Never deployed itself."""
