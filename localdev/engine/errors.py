"""What can go wrong with an engine.

Exception
├── EngineUnavailable   none can be had here
└── EngineRefused       it answered no where a test needs a yes
"""


class EngineUnavailable(Exception):
    """No engine can be had on this machine: no Java, no distribution, or it does not start.

    The text says which, and what to do.
    """


class EngineRefused(Exception):
    """The engine refused a deployment, an instance or a look at its jobs; with its answer."""
