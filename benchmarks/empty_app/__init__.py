"""See function_app.py; host.json is the connector's own."""
