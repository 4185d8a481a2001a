"""The `context` argument of a function."""

import secrets
import threading
import uuid
from typing import Any

import azure.functions as func
from azure.functions import _abc as abstract


class _Trace(abstract.TraceContext):
    """W3C trace context of one invocation."""

    def __init__(self) -> None:
        self._parent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"

    @property
    def trace_state(self) -> str:
        return ""

    @property
    def trace_parent(self) -> str:
        return self._parent

    @property
    def attributes(self) -> dict[str, str]:
        return {}


class InvocationContext(func.Context):
    """What a function that has a parameter `context` is given."""

    def __init__(self, function_name: str, directory: str) -> None:
        self._name = function_name
        self._directory = directory
        self._id = str(uuid.uuid4())
        self._trace = _Trace()
        self._local: Any = threading.local()

    @property
    def invocation_id(self) -> str:
        """The id of this invocation."""
        return self._id

    @property
    def thread_local_storage(self) -> Any:
        """Where a function may put the invocation id for the log of its own threads."""
        return self._local

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._name

    @property
    def function_directory(self) -> str:
        """The app's directory."""
        return self._directory

    @property
    def trace_context(self) -> abstract.TraceContext:
        """The trace of this invocation."""
        return self._trace

    @property
    def retry_context(self) -> Any:
        """None: this host has no retry policies."""
        return None
