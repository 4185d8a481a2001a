"""Turns a function's route template into the paths of the web server.

https://learn.microsoft.com/azure/azure-functions/functions-bindings-http-webhook-trigger#customize-the-http-endpoint
"""

import re

from localdev.functions_host.errors import HostError

_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)(?::(\w+))?(\?)?\}")

_CONSTRAINTS = {
    "int": r"-?\d{1,10}",
    "long": r"-?\d{1,19}",
    "guid": r"\{?[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?",
    "alpha": r"[a-zA-Z]+",
    "bool": r"[tT]rue|[fF]alse",
}


def server_paths(template: str, prefix: str) -> list[str]:
    """Return the aiohttp paths of a route: two if its last parameter is optional.

    `{id}`, `{id:int}` and other plain constraints, `{id?}` and `{*rest}` are known.
    """
    template = template.strip("/")
    optional = False

    def parameter(match: re.Match[str]) -> str:
        nonlocal optional
        stars, name, constraint, is_optional = match.groups()
        if constraint and constraint not in _CONSTRAINTS:
            raise HostError(f"the route {template} has an unknown constraint {constraint}")
        if is_optional:
            optional = True
        if stars:
            return f"{{{name}:.*}}"
        return f"{{{name}:{_CONSTRAINTS[constraint]}}}" if constraint else f"{{{name}}}"

    segments = [_PARAMETER.sub(parameter, segment) for segment in template.split("/") if segment]
    if prefix:
        segments.insert(0, prefix)
    paths = ["/" + "/".join(segments)]
    # A catch-all also matches nothing at all; so does an optional parameter.
    if optional or "{*" in template:
        paths.append("/" + "/".join(segments[:-1]))
    return paths


def specificity(template: str) -> tuple[tuple[int, ...], int]:
    """Return a sort key: of two routes that match, the more literal one goes first."""
    kinds = tuple(
        2 if segment.startswith("{*") else 1 if "{" in segment else 0
        for segment in template.strip("/").split("/")
    )
    return kinds, -len(kinds)
