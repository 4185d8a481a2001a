"""The package's bill of materials, in CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/)."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from localdev.package.contents import Component
from localdev.package.licences import BSD

APP = "m365-mail-connector"


def bill_of_materials(
    version: str, package_sha256: str, direct: Iterable[str], components: list[Component]
) -> str:
    """The same package always has the same bill: it says no time.

    Args:
        version: of the connector.
        package_sha256: of the zip.
        direct: names of the distributions that the connector asks for itself.
        components: all that is in the package.
    """
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"urn:sha256:{package_sha256}")
    app = {
        "type": "application",
        "bom-ref": APP,
        "name": APP,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": package_sha256}],
        "licenses": [{"license": {"id": "MIT"}}],
    }
    references = {one.name: _purl(one) for one in components}
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": app},
        "components": [_component(one) for one in components],
        "dependencies": [
            {"ref": APP, "dependsOn": sorted(references[name] for name in direct)},
            *(
                {"ref": references[one.name], "dependsOn": [references[need] for need in one.needs]}
                for one in components
            ),
        ],
    }
    return json.dumps(bill, indent=2) + "\n"


def _purl(one: Component) -> str:
    return f"pkg:pypi/{one.name}@{one.version}"


def _component(one: Component) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _purl(one),
        "name": one.name,
        "version": one.version,
        "purl": _purl(one),
        "hashes": [{"alg": "SHA-256", "content": one.sha256}],
        "licenses": [_licence(one.licence or "unknown")],
    }


def _licence(licence: str) -> dict[str, Any]:
    if licence in {BSD, "unknown"}:
        return {"license": {"name": licence}}
    return {"expression": licence} if " " in licence else {"license": {"id": licence}}
