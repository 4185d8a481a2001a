"""The app settings of a command: from the environment, and from a file as Core Tools reads it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.domain.errors import SettingsError

DEFAULT_FILE = Path("local.settings.json")
STORAGE = "AzureWebJobsStorage"


def app_settings(file: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """All settings. A file that is named goes before the environment, any other behind it.

    Which storage is meant comes from one of the two alone: half of each might be a third one.

    Args:
        file: the file that is named; None: `local.settings.json`, if it is there.
        environment: the environment.

    Raises:
        SettingsError: the file cannot be read.
    """
    if file is not None:
        return _merged(read_file(file), environment)
    if DEFAULT_FILE.exists():
        return _merged(environment, read_file(DEFAULT_FILE))
    return dict(environment)


def read_file(file: Path) -> dict[str, str]:
    """The values of a settings file, without comments and what is empty.

    Raises:
        SettingsError: it is not there, or has another form.
    """
    try:
        content: Mapping[str, Any] = json.loads(file.read_text())
        values: Mapping[str, Any] = content["Values"]
        texts = {name: str(value) for name, value in values.items()}
    except OSError as error:
        raise SettingsError([f"{file} cannot be read ({type(error).__name__})."]) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = (
            f"{file}: JSON with an object Values is wanted, as in local.settings.example.json."
        )
        raise SettingsError([problem]) from error
    if content.get("IsEncrypted"):
        raise SettingsError([f"{file} is encrypted; run func settings decrypt first."])
    return {name: text for name, text in texts.items() if text and not name.startswith("//")}


def export(settings: Mapping[str, str]) -> None:
    """Lets the sign-in library see what it reads itself, as the platform does with all settings."""
    for name, value in settings.items():
        if name.startswith("AZURE_"):
            os.environ.setdefault(name, value)


def _merged(first: Mapping[str, str], then: Mapping[str, str]) -> dict[str, str]:
    named = any(name.startswith(STORAGE) for name, value in first.items() if value.strip())
    behind = {n: v for n, v in then.items() if not (named and n.startswith(STORAGE))}
    return {**behind, **{name: value for name, value in first.items() if value.strip()}}
