"""The page on the command and the command say the same."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from mailctl.app import app
from mailctl.rows_file import rows_of
from shared.domain.columns import read_row
from shared.domain.subscription import Subscription

PAGE = (Path(__file__).parents[3] / "docs" / "mailctl.md").read_text()
ROOT: Any = get_command(app)
EVERYWHERE = {"--help"}


def commands(
    command: Any = ROOT, path: tuple[str, ...] = ("mailctl",)
) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its whole name."""
    if not getattr(command, "commands", None) or (command.invoke_without_command and path[1:]):
        yield " ".join(path), command
    for name, one in getattr(command, "commands", {}).items():
        yield from commands(one, (*path, name))


def sections() -> dict[str, str]:
    """What the page says of each command."""
    parts = re.split(r"^#{2,3} (.*)$", PAGE, flags=re.MULTILINE)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {title: text for title, text in found.items() if title.startswith("mailctl")}


def usage(section: str) -> str:
    """The first block of a section."""
    return str(re.findall(r"^```\n(.*?)\n```", section, re.DOTALL | re.MULTILINE)[0])


def examples() -> list[str]:
    """Each line of a shell that runs the command."""
    blocks = re.findall(r"^```sh\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    return [line.partition(" >")[0] for line in lines if line.startswith("mailctl ")]


def test_every_command_is_documented() -> None:
    """And none that does not exist."""
    assert set(sections()) == {name for name, _ in commands()}


@pytest.mark.parametrize(("name", "command"), list(commands()), ids=[n for n, _ in commands()])
def test_the_usage_has_every_option_and_argument(name: str, command: Any) -> None:
    """In the page's first block on the command."""
    text = usage(sections()[name])
    options = {one.opts[0] for one in command.params if one.param_type_name == "option"}
    arguments = [
        one.metavar or one.name.upper()
        for one in command.params
        if one.param_type_name == "argument"
    ]
    rest = re.sub(r"\[--[^\]]*\](\.\.\.)?", "", text)

    assert set(re.findall(r"--[a-z-]+", text)) == options - EVERYWHERE
    assert rest.split() == [*name.split(), *arguments]


@pytest.mark.parametrize("line", examples())
def test_the_examples_are_well_formed(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command takes them; they end where the storage is not named."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(
        app,
        shlex.split(line)[1:],
        env=dict.fromkeys(("AzureWebJobsStorage", "AzureWebJobsStorage__accountName")),
    )

    assert (result.exit_code, "AzureWebJobsStorage is missing" in result.stderr) == (3, True)


def test_the_example_of_a_file_is_a_valid_row() -> None:
    """A reader can take it as it is."""
    [text] = re.findall(r"^```yaml\n(.*?)\n```", PAGE, re.DOTALL | re.MULTILINE)
    [row] = rows_of(text)
    read = read_row(row)

    assert isinstance(read, Subscription), read
    assert read.warnings == ()


@pytest.mark.parametrize("name", [name for name, _ in commands()])
def test_every_command_explains_itself(name: str) -> None:
    """With its options; and takes `--json`."""
    result = CliRunner().invoke(app, [*name.split()[1:], "--help"])

    assert result.exit_code == 0
    assert "--json" in result.stdout
