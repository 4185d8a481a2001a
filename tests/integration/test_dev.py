"""The developer's door, without a network: nothing here installs anything."""

import subprocess
import sys
from pathlib import Path

import pytest

import dev

INPUTS = (*dev.PIP_INPUTS, *dev.NPM_INPUTS)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that was set up, in a folder of its own; its Python is the one that runs this."""
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    monkeypatch.setattr(dev, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(dev, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(dev, "_npm", lambda: ["npm"])
    for name in INPUTS:
        (tmp_path / name).write_text(name)
    for folder, inputs in ((".venv", dev.PIP_INPUTS), ("node_modules", dev.NPM_INPUTS)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".installed").write_text(dev._digest(inputs))  # noqa: SLF001
    return tmp_path


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What would have been installed, instead of installing it."""
    made: list[str] = []
    monkeypatch.setattr(dev, "_call", lambda command: made.append(" ".join(command)))
    return made


@pytest.mark.parametrize("word", ["help", "-h", "--help"])
def test_help_names_every_command(word: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And needs no setting up."""
    assert dev.main([word]) == 0
    printed = capsys.readouterr().out

    for command in ("demo", "test", "check", "bench", "start", "setup", "package", "lock"):
        assert f"python3 dev.py {command} " in printed


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """With those that there are."""
    assert dev.main(["dmeo"]) == 2

    printed = capsys.readouterr().out
    assert printed.startswith("There is no command 'dmeo'.")
    assert "python3 dev.py demo" in printed


def test_a_python_that_is_too_old_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], calls: list[str]
) -> None:
    """With what is needed, and what was found."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 4, "final", 0))

    assert dev.main(["demo"]) == 2
    assert "needs Python 3.11 or later; it is run by 3.10.4" in capsys.readouterr().out
    assert calls == []


@pytest.mark.usefixtures("project")
def test_nothing_is_installed_twice(calls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Where the stamps are those of the files."""
    assert dev.main(["setup"]) == 0
    assert calls == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("changed", "installer"), [("requirements.txt", "pip install"), ("package.json", "npm ci")]
)
def test_what_changed_is_installed_once(
    project: Path, calls: list[str], changed: str, installer: str
) -> None:
    """And nothing else."""
    (project / changed).write_text("something new")

    assert (dev.main(["setup"]), dev.main(["setup"])) == (0, 0)
    assert len(calls) == 1
    assert installer in calls[0]


def test_a_failed_installation_is_tried_again(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that failed is shown, and no stamp is left."""
    (project / "requirements.txt").write_text("something new")
    tried = []

    def fail(command: list[str]) -> None:
        tried.append(command)
        raise subprocess.CalledProcessError(7, command)

    monkeypatch.setattr(dev, "_call", fail)

    assert (dev.main(["setup"]), dev.main(["demo"])) == (1, 1)
    assert len(tried) == 2
    assert "requirements-dev.txt ended with 7." in capsys.readouterr().out


@pytest.mark.usefixtures("project")
def test_every_step_runs_and_the_first_failure_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that one run of `check` shows all findings."""
    ran: list[list[str]] = []

    def run(step: list[str]) -> int:
        ran.append(step)
        return [0, 3, 4, 0][len(ran) - 1]

    monkeypatch.setattr(dev, "_run", run)

    assert dev.main(["check"]) == 3
    assert len(ran) == 4
