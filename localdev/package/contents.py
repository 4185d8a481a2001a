"""The distributions in a package: name, version, licence, what each asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from localdev.package.licences import licence_of
from localdev.package.target import PYTHON, Target


@dataclass(frozen=True, slots=True)
class Component:
    """One distribution.

    Args:
        name: normalised.
        licence: see :func:`.licences.licence_of`; None where nothing can be read.
        licence_files: relative to `site-packages`.
        needs: names of the distributions that it needs.
        sha256: of the wheel.
    """

    name: str
    version: str
    licence: str | None
    licence_files: tuple[str, ...]
    needs: tuple[str, ...]
    sha256: str


def components_of(site: Path, target: Target, sha256: Mapping[str, str]) -> list[Component]:
    """What is installed in a folder, by name.

    Args:
        site: the folder.
        target: what it was installed for.
        sha256: of each wheel, by the name of its distribution.
    """
    hashes = {canonicalize_name(name): digest for name, digest in sha256.items()}
    found = {canonicalize_name(one.name): one for one in distributions(path=[str(site)])}
    return [
        Component(
            name=name,
            version=found[name].version,
            licence=licence_of(found[name].metadata),
            licence_files=tuple(_licence_files(site, found[name])),
            needs=tuple(sorted(_needs(found[name], target) & set(found))),
            sha256=hashes[name],
        )
        for name in sorted(found)
    ]


def _needs(one: Distribution, target: Target) -> set[str]:
    environment = {
        "extra": "",
        "implementation_name": "cpython",
        "os_name": "posix",
        "platform_machine": target.machine,
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": ".".join(map(str, (*PYTHON, 0))),
        "python_version": ".".join(map(str, PYTHON)),
        "sys_platform": "linux",
    }
    asked = (Requirement(line) for line in one.requires or ())
    return {
        canonicalize_name(need.name)
        for need in asked
        if need.marker is None or need.marker.evaluate(environment)
    }


def _licence_files(site: Path, one: Distribution) -> list[str]:
    named = ("licen", "copying", "notice")
    return sorted(
        file.as_posix()
        for file in one.files or ()
        if ".dist-info/" in file.as_posix()
        and file.name.lower().startswith(named)
        and (site / file).is_file()
    )
