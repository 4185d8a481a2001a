"""What the package is built for: a platform's tag and a version of Python."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

PYTHON = (3, 11)
"""The version that runs the app in Azure, see `infra/modules/functionapp.bicep`."""

DEFAULT = "manylinux_2_28_x86_64"
OLDEST_GLIBC = 17
_TAG = re.compile(r"manylinux_2_(?P<glibc>\d+)_(?P<machine>x86_64|aarch64)")


class BadPlatform(Exception):
    """A tag that is none of Linux."""


@dataclass(frozen=True, slots=True)
class Target:
    """A Linux with glibc.

    Args:
        glibc: minor version of the oldest glibc 2 that the package has to run on.
        machine: ``x86_64`` or ``aarch64``.
    """

    glibc: int
    machine: str

    @classmethod
    def of(cls, tag: str) -> Target:
        """Reads a tag such as ``manylinux_2_28_x86_64`` (PEP 600).

        Raises:
            BadPlatform: it is no such tag.
        """
        match = _TAG.fullmatch(tag)
        if match is None:
            raise BadPlatform(f"{tag!r} is no platform of Azure's: {DEFAULT} is one.")
        return cls(int(match["glibc"]), match["machine"])

    @property
    def tags(self) -> Iterator[str]:
        """All tags of wheels that run there; pip takes each by its name."""
        for glibc in range(self.glibc, OLDEST_GLIBC - 1, -1):
            yield f"manylinux_2_{glibc}_{self.machine}"
        yield f"manylinux2014_{self.machine}"

    @property
    def is_this_machine(self) -> bool:
        """Whether the package can be run here."""
        here = (sys.platform, platform.machine(), sys.version_info[:2])
        return here == ("linux", self.machine, PYTHON) and platform.libc_ver()[0] == "glibc"


def other_python() -> str:
    """What to say where this is not the Python that runs the app in Azure; empty where it is."""
    if sys.version_info[:2] == PYTHON:
        return ""
    here, wanted = (".".join(map(str, one)) for one in (sys.version_info[:2], PYTHON))
    return (
        f"Not compiled: this is Python {here}, and Azure runs {wanted}. The app will take three"
        f" times as long to start. To change that: remove .venv, then python{wanted} dev.py package"
    )
