"""The two lists of packages: the readable one, and the lock with everything's hashes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

LISTED = "requirements.txt"
LOCK = "requirements.lock"

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Locked:
    """An entry of the lock.

    Args:
        hashes: sha256 of each file that may be installed.
    """

    version: str
    hashes: frozenset[str]


def pins(text: str) -> dict[str, str]:
    """The versions that a list of requirements pins, by normalised name."""
    return {canonicalize_name(one["name"]): one["version"] for one in _PIN.finditer(text)}


def locked(text: str) -> dict[str, Locked]:
    """The entries of a lock, by normalised name."""
    entries = {}
    for entry in re.split(r"\n(?=\S)", text):
        for name, version in pins(entry).items():
            hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry)
            entries[name] = Locked(version, frozenset(hashes))
    return entries


def disagreements(root: Path) -> list[str]:
    """Where the lock of a project does not hold what its list says; empty if all is well."""
    text = (root / LOCK).read_text(encoding="utf-8")
    entries, found = locked(text), []
    for name, version in pins((root / LISTED).read_text(encoding="utf-8")).items():
        entry = entries.get(name)
        if entry is None or entry.version != version:
            found.append(f"{name}: {version} is listed, {entry and entry.version} locked")
    found += [f"{name}: no hash" for name, entry in entries.items() if not entry.hashes]
    if "://" in text or re.search(r"^\s*--(?!hash=)", text, re.MULTILINE):
        found.append("it names an index or a path")
    return found
