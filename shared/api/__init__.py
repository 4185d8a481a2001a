"""The HTTP API: one table of operations drives dispatch, checks and the OpenAPI document."""
