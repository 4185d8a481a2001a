"""Draws the templates into docs/infrastructure.md: ``python -m infra.draw``, after each change.

A test holds the page and the templates together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from infra.template import (
    CONNECTOR,
    INFRA,
    MAIN,
    Expression,
    Module,
    Parameter,
    Resource,
    Template,
    read,
)
from localdev.functions_host.functions import LoadedFunction, load_app, read_functions

PAGE = INFRA.parent / "docs" / "infrastructure.md"

HEAD = """\
# Infrastructure

What `azd up` makes, drawn from the templates by `python -m infra.draw`; change those, not this
page. How to deploy: [deploy.md](deploy.md). What it costs:
[operations.md](operations.md#what-it-costs).

## The parts

An arrow says: knows an output of. A dashed part is made only if asked for.
"""


SETTINGS = """\
## App settings that the template writes

All others keep the defaults in [settings.md](settings.md), or are named by the parameter
`settings`.
"""


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page())


def page() -> str:
    """The page as the templates have it now."""
    connector = read(CONNECTOR)
    parts = [
        HEAD,
        _graph(connector),
        "## What each makes\n",
        _resources(connector),
        "## Who may do what\n",
        _roles(read(INFRA / "modules" / "roles.bicep")),
        SETTINGS,
        _settings(read(INFRA / "modules" / "functionapp.bicep")),
        "## Functions of the app\n",
        _functions(),
        "## Alerts\n\nWhat each means, and what to do: [operations.md](operations.md#alerts).\n",
        _alerts(read(INFRA / "modules" / "alerts.bicep")),
        "## Parameters\n",
        _parameters(read(MAIN).parameters),
    ]
    return "\n".join(parts)


def _graph(connector: Template) -> str:
    lines = ["```mermaid", "flowchart LR"]
    for module in connector.modules.values():
        resources = [one for one in read(module.path).resources.values() if not one.existing]
        kinds = list(dict.fromkeys(_short(one) for one in resources))
        text = "<br/>".join([f"<b>{module.path.stem}</b>", *kinds])
        lines.append(f'    {module.symbol}["{text}"]')
    for module in connector.modules.values():
        lines += [
            f"    {module.symbol} --> {other}"
            for other in connector.modules
            if other in module.names and other != module.symbol
        ]
    optional = [one.symbol for one in connector.modules.values() if one.condition]
    lines += [
        "    classDef optional stroke-dasharray: 5 5",
        f"    class {','.join(optional)} optional",
        "```",
        "",
    ]
    return "\n".join(lines)


def _short(resource: Resource) -> str:
    """A resource's kind without its provider, as a person says it."""
    kind = resource.type.partition("/")[2].replace("/", " / ")
    return f"{kind}, several" if resource.loop else kind


def _resources(connector: Template) -> str:
    rows = [
        (
            f"`{module.path.stem}`",
            f"`{resource.type}@{resource.api_version}`",
            _when(module, resource),
            f"for each of `{resource.loop}`" if resource.loop else "",
        )
        for module in connector.modules.values()
        for resource in read(module.path).resources.values()
        if not resource.existing
    ]
    return _table(("part", "resource", "only if", "how many"), rows)


def _when(module: Module, resource: Resource) -> str:
    return " and ".join(f"`{one}`" for one in (module.condition, resource.condition) if one)


def _roles(template: Template) -> str:
    ids: Mapping[str, str] = template.variables["roles"]
    rows = []
    for resource in template.resources.values():
        if resource.existing:
            continue
        role, scope = role_and_scope(resource)
        is_app = "appPrincipalId" in resource.names
        who = "the app's identity" if is_app else "the operator"
        if resource.loop:
            who += ", with `operatorMayReachBlobs`"
            scope = "each container that holds mail"
        rows.append((who, _words(role), f"`{ids[role]}`", scope))
    return _table(("who", "role", "id", "on"), rows)


def role_and_scope(assignment: Resource) -> tuple[str, str]:
    """Which role a role assignment gives, by its key in `roles`, and on what."""
    role = assignment.body["properties"]["roleDefinitionId"].text
    return re.findall(r"roles\.(\w+)", role)[0], assignment.body["scope"].text


def _settings(template: Template) -> str:
    written = template.variables["ownSettings"].items()
    own = [(f"`{name}`", _shown(value)) for name, value in written]
    vault = "a reference to the vault"
    by_parameter = [
        ("each in `secretSettings`", vault),
        ("`SECRETS__NAME`, for each NAME in `secretNames`", vault),
        ("each in `settings`", "as given"),
    ]
    return _table(("setting", "value"), [*own, *by_parameter])


def _functions() -> str:
    found = read_functions(load_app(INFRA.parent), {})
    rows = [(f"`{one.name}`", one.kind.removesuffix("Trigger"), _bound_to(one)) for one in found]
    return _table(("function", "runs by", "which"), rows)


def _bound_to(function: LoadedFunction) -> str:
    trigger = function.trigger
    methods = " ".join(str(one) for one in trigger.get("methods") or ["any"])
    route = f"{methods} /api/{trigger['route']}" if "route" in trigger else ""
    return f"`{route or trigger.get('queueName') or trigger.get('schedule')}`"


def _alerts(template: Template) -> str:
    logs, metrics = template.variables["searches"], template.variables["metrics"]
    rows = [
        (f"`{one['name']}`", str(one["severity"]), one["title"], one["every"], kind)
        for found, kind in ((logs, "logs"), (metrics, "metric"))
        for one in found
    ]
    return _table(("alert", "severity", "means", "looked at every", "from"), rows)


def _parameters(parameters: Mapping[str, Parameter]) -> str:
    rows = []
    for one in parameters.values():
        allowed = one.decorators.get("allowed", [])
        default = "required" if one.default is None else _shown(one.default)
        choice = ", ".join(f"`{value}`" for value in allowed)
        meaning = one.decorators["description"].replace("|", "\\|")
        rows.append((f"`{one.name}`", default, choice, meaning))
    return _table(("parameter", "default", "allowed", "meaning"), rows)


def _shown(value: Any) -> str:
    if isinstance(value, Expression):
        return f"`{value.text}`"
    if isinstance(value, list):
        return ", ".join(_shown(one) for one in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"`{key}`: {_shown(one)}" for key, one in value.items()) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if value != "" else "empty"


def _words(name: str) -> str:
    return re.sub(r"(?=[A-Z])", " ", name).lower()


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    return "\n".join(_lines(head, rows)) + "\n"


def _lines(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    main()
