"""A real Camunda 8 engine (Zeebe) on this machine, for tests and trials.

No database: the engine's own log is all that it keeps, so nothing can be searched. What happened
to a message is seen in the jobs of a process that has a service task.
"""

from localdev.engine.api import Answer, EngineApi, Job
from localdev.engine.engine import Engine
from localdev.engine.errors import EngineRefused, EngineUnavailable

__all__ = ["Answer", "Engine", "EngineApi", "EngineRefused", "EngineUnavailable", "Job"]
