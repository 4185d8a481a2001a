"""The operations of Graph that are simulated; importing this package registers them all."""

from localdev.graph_simulator.routes import attachments, folders, messages, sending, users

__all__ = ["attachments", "folders", "messages", "sending", "users"]
