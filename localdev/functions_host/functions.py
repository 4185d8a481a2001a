"""Finds an app's functions and what they are bound to, as the Python worker does."""

import importlib.util
import inspect
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import azure.functions as func

from localdev.functions_host.errors import HostError
from localdev.functions_host.settings import resolve_references

TRIGGERS = frozenset({"timerTrigger", "queueTrigger", "httpTrigger"})
OUTPUTS = frozenset({"queue", "http"})
RETURN = "$return"


@dataclass(frozen=True, slots=True)
class LoadedFunction:
    """A function with its bindings in the form of function.json, settings resolved."""

    name: str
    call: Callable[..., Any]
    trigger: Mapping[str, Any]
    outputs: tuple[Mapping[str, Any], ...]
    is_async: bool
    wants_context: bool

    @property
    def kind(self) -> str:
        """The trigger's type."""
        return str(self.trigger["type"])


def load_app(app_dir: Path) -> func.FunctionApp:
    """Import `function_app.py` and return the app that it defines.

    https://learn.microsoft.com/azure/azure-functions/functions-reference-python
    """
    file = app_dir.resolve() / "function_app.py"
    if not file.is_file():
        raise HostError(f"there is no function_app.py in {app_dir}")
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))
    spec = importlib.util.spec_from_file_location("function_app", file)
    if spec is None or spec.loader is None:
        raise HostError(f"cannot import {file.name}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    apps = {id(app): app for app in vars(module).values() if isinstance(app, func.FunctionApp)}
    if len(apps) != 1:
        raise HostError(f"function_app.py defines {len(apps)} FunctionApp objects, not one")
    return apps.popitem()[1]


def read_functions(app: func.FunctionApp, settings: Mapping[str, str]) -> list[LoadedFunction]:
    """Return the functions of an app that are not disabled, or say what is not supported."""
    # The app keeps the names that it has seen to find doubles; a second host starts anew.
    app.functions_bindings = None
    functions = []
    for function in app.get_functions():
        name = str(function.get_function_name())
        # https://learn.microsoft.com/azure/azure-functions/disable-function
        if settings.get(f"AzureWebJobs.{name}.Disabled", "").lower() in ("true", "1"):
            continue
        functions.append(_read_function(name, function, settings))
    return functions


def _read_function(name: str, function: Any, settings: Mapping[str, str]) -> LoadedFunction:
    bindings = json.loads(function.get_function_json())["bindings"]
    try:
        resolved = [_resolve(binding, settings) for binding in bindings]
    except HostError as error:
        raise HostError(f"function {name}: {error}") from error
    triggers = [binding for binding in resolved if binding["type"] in TRIGGERS]
    outputs = [
        binding
        for binding in resolved
        if binding["type"] in OUTPUTS and binding["direction"].upper() == "OUT"
    ]
    for binding in resolved:
        if binding not in triggers and binding not in outputs:
            raise HostError(
                f"function {name}: the binding {binding['name']} of type {binding['type']}"
                " is not supported by this host"
            )
    if len(triggers) != 1:
        raise HostError(f"function {name} has {len(triggers)} triggers, not one")
    if function.get_setting("retry_policy") is not None:
        raise HostError(f"function {name}: retry policies are not supported by this host")
    call = function.get_user_function()
    names = {binding["name"] for binding in resolved}
    _check_parameters(name, set(inspect.signature(call).parameters), names)
    return LoadedFunction(
        name=name,
        call=call,
        trigger=triggers[0],
        outputs=tuple(outputs),
        is_async=inspect.iscoroutinefunction(call),
        wants_context="context" in inspect.signature(call).parameters and "context" not in names,
    )


def _check_parameters(function: str, parameters: set[str], bindings: set[str]) -> None:
    """Refuse what the platform's worker refuses: parameters and bindings that do not match."""
    if unbound := sorted(parameters - bindings - {"context"}):
        raise HostError(f"function {function}: no binding has the name {', '.join(unbound)}")
    if unused := sorted(bindings - parameters - {RETURN}):
        raise HostError(f"function {function}: no parameter has the name {', '.join(unused)}")


def _resolve(binding: Mapping[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
    return {
        key: resolve_references(value, settings) if isinstance(value, str) else value
        for key, value in binding.items()
    }
