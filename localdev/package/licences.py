"""Reads the licences of distributions, and knows which ones the connector may be shipped with."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import Message
from importlib.metadata import PackageMetadata
from typing import TYPE_CHECKING

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

if TYPE_CHECKING:
    from localdev.package.contents import Component

BSD = "BSD"
"""One of the BSD licences; the metadata do not say which."""

ALLOWED = frozenset(
    {
        *("0BSD", BSD, "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "Unlicense", "Zlib"),
        *("Apache-2.0", "MPL-2.0", "PSF-2.0", "Python-2.0"),
    }
)
"""None asks anything of our own code. MPL-2.0 does of its own files once changed: none is."""

_CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": BSD,
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
_OSI = "License :: OSI Approved :: "


class LicenceNotAllowed(Exception):
    """Distributions whose licence is unknown or not among those allowed."""


def licence_of(metadata: PackageMetadata | Message) -> str | None:
    """The licence as an SPDX expression, or :data:`BSD`; None where the metadata name none.

    What is exact goes first: the field License-Expression, an SPDX name in the field License,
    the classifiers.
    """
    for field in ("License-Expression", "License"):
        try:
            return str(canonicalize_license_expression((metadata[field] or "").strip()))
        except InvalidLicenseExpression:
            continue
    classifiers = [one.strip() for one in metadata.get_all("Classifier") or ()]
    named = [one.removeprefix(_OSI) for one in classifiers if one.startswith(_OSI)]
    if not named or not all(one in _CLASSIFIERS for one in named):
        return None
    return " AND ".join(sorted({_CLASSIFIERS[one] for one in named}))


def is_allowed(licence: str | None) -> bool:
    """Whether all licences are allowed, or those of one choice if it gives any."""
    if licence is None:
        return False
    choices = [licence] if "(" in licence else licence.split(" OR ")
    return any(set(re.findall(r"[^\s()]+", one)) - {"AND", "OR"} <= ALLOWED for one in choices)


def check_licences(components: Iterable[Component]) -> None:
    """Looks at every licence.

    Raises:
        LicenceNotAllowed: and which ones; a person has to judge.
    """
    wrong = [one for one in components if not is_allowed(one.licence)]
    if wrong:
        listed = ", ".join(f"{one.name} {one.version} ({one.licence})" for one in wrong)
        raise LicenceNotAllowed(
            f"Licences that nobody has allowed yet: {listed}. Read them; then either add them to"
            " localdev/package/licences.py or do without these packages."
        )


def notices(components: Iterable[Component]) -> str:
    """A list of all distributions with their licences, in Markdown."""
    lines = [
        "# Third-party notices",
        "",
        "The package holds these libraries, unchanged but for modules that are left out. The texts",
        "of their licences are in it, below `.python_packages/lib/site-packages/`.",
        "",
        "| library | version | licence | text |",
        "|---|---|---|---|",
    ]
    for one in components:
        texts = ", ".join(f"`{file}`" for file in one.licence_files) or "in its source only"
        lines.append(f"| {one.name} | {one.version} | {one.licence} | {texts} |")
    return "\n".join(lines) + "\n"
