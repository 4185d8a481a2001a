"""What can be wrong with an app before it runs."""


class HostError(Exception):
    """The app, its settings or its host.json cannot be run as they are; the text says why."""
