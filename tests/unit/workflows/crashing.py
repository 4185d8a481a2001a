"""Ports of a worker that dies at a chosen call to the world outside."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Any

from tests.unit.workflows.world import Worker, World

_PORTS = ("subscriptions", "sources", "ledger", "emails", "polls", "mailboxes", "targets")


class Crash(BaseException):
    """The process is killed: no handler of errors runs."""


class Life:
    """Counts calls to the world, and ends at one of them.

    Args:
        last: the number of the call at which the worker dies, from 1.
        takes_effect: whether that call still takes effect, and only its answer is lost.
    """

    def __init__(self, last: int, *, takes_effect: bool) -> None:
        self.calls = 0
        self.last_call = ""
        self._last = last
        self._takes_effect = takes_effect

    def is_over(self) -> bool:
        """Whether the worker died."""
        return self.calls >= self._last

    def begin(self, name: str) -> bool:
        """A call begins; gives whether the worker dies when it is done."""
        if self.is_over():
            raise Crash  # other tasks of a dead process do nothing more either
        self.calls += 1
        self.last_call = name
        if self.is_over() and not self._takes_effect:
            raise Crash
        return self.is_over()


class _Mortal:
    """A port whose calls may be the worker's last."""

    def __init__(self, name: str, port: Any, life: Life) -> None:
        self._name = name
        self._port = port
        self._life = life

    def __getattr__(self, method: str) -> Any:
        real, name, life = getattr(self._port, method), f"{self._name}.{method}", self._life

        async def call(*arguments: Any) -> Any:
            dies = life.begin(name)
            result = await real(*arguments)
            if dies:
                raise Crash
            return result

        async def iterate(*arguments: Any) -> AsyncIterator[Any]:
            dies = life.begin(name)
            async for item in real(*arguments):
                yield item
                if dies:
                    raise Crash

        return iterate if inspect.isasyncgenfunction(real) else call


def mortal_worker(world: World, life: Life) -> Worker:
    """A worker that dies when its life is over."""
    ports = {name: _Mortal(name, getattr(world.ports(), name), life) for name in _PORTS}
    return world.worker(world.ports(**ports))
