"""The templates are Bicep to two parsers that know nothing of each other."""

from pathlib import Path
from typing import Any

import pytest
from pycep import BicepParser

from infra.template import INFRA, TemplateError, read, templates

FILES = sorted(INFRA.rglob("*.bicep"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_both_parsers_read_the_same(path: Path) -> None:
    """The same parameters, variables, resources, modules and outputs, of the same types."""
    ours = read(path)
    theirs: Any = BicepParser().parse(text=path.read_text())

    assert set(ours.extensions) == set(theirs.get("extensions", {}))
    assert {one.name: one.type for one in ours.parameters.values()} == {
        name: one["type"] for name, one in theirs.get("parameters", {}).items()
    }
    assert set(ours.variables) == set(theirs.get("variables", {}))
    assert {(one.type, one.api_version, one.existing) for one in ours.resources.values()} == {
        # of a nested resource it takes the version for a part of the type
        (one["type"].partition("@")[0], one["api_version"], one["existing"])
        for one in theirs.get("resources", {}).values()
    }
    assert {one.symbol: one.path for one in ours.modules.values()} == {
        name: path.parent / one["detail"]["path"] for name, one in theirs.get("modules", {}).items()
    }
    assert {one.name: one.type for one in ours.outputs.values()} == {
        name: one["type"] for name, one in theirs.get("outputs", {}).items()
    }


def test_a_list_that_the_grammar_tears_is_refused(tmp_path: Path) -> None:
    """It reads `[ names[key()] ]` as two elements, without an error."""
    path = tmp_path / "torn.bicep"
    path.write_text("var torn = [\n  names[environment().name]\n]\n")

    with pytest.raises(TemplateError, match="use a variable"):
        read(path)


def test_the_one_line_that_only_one_parser_knows_is_the_extension() -> None:
    """tree-sitter-bicep 1.1.0 is older than `extension`; the reader takes that line out itself."""
    with_extension = [one.path.stem for one in templates() if one.extensions]

    assert with_extension == ["grants", "registration"]


def test_what_is_no_bicep_is_refused(tmp_path: Path) -> None:
    """With file and line."""
    path = tmp_path / "broken.bicep"
    path.write_text("param name string\nresource x = {\n")

    with pytest.raises(TemplateError, match=r"broken\.bicep:2"):
        read(path)
