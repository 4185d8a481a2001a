"""Builds what is deployed, as zip and folder, and says what is in it. Never deployed itself."""
