"""The operator's command: `python3 -m mailctl --help`. Never deployed; it uses the app's parts."""
