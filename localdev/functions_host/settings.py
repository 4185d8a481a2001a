"""App settings: where they come from and how bindings refer to them."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from localdev.functions_host.errors import HostError

_REFERENCE = re.compile(r"%([^%]+)%")


def read_settings_file(file: Path) -> dict[str, str]:
    """Return the `Values` of a file in the format of local.settings.json.

    https://learn.microsoft.com/azure/azure-functions/functions-develop-local#local-settings-file
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise HostError(f"cannot read the settings in {file.name}: {error}") from error
    if content.get("IsEncrypted"):
        raise HostError(f"{file.name} is encrypted: run func settings decrypt")
    values = content.get("Values", {})
    if wrong := sorted(name for name, value in values.items() if not isinstance(value, str)):
        raise HostError(f"not a text in {file.name}: {', '.join(wrong)}")
    return dict(values)


def resolve_references(text: str, settings: Mapping[str, str]) -> str:
    """Replace each `%NAME%` by the setting of that name.

    https://learn.microsoft.com/azure/azure-functions/functions-bindings-expressions-patterns
    """

    def value_of(reference: re.Match[str]) -> str:
        name = reference[1]
        if name not in settings:
            raise HostError(f"the app setting {name} is missing")
        return settings[name]

    return _REFERENCE.sub(value_of, text)
