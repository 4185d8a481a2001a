import io
import json
from datetime import UTC, datetime

import pytest
import typer

from mailctl.output import confirmed, print_fields, print_json, print_table, shown
from shared.domain.odata import BEGINNING


@pytest.mark.parametrize("text", ["\x1b[31mred", "a\rb", "\x9b2J", "half \ud83d a character"])
def test_what_a_terminal_would_obey_is_not_printed(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A mail may hold anything."""
    print_table(["subject"], [[text]], "")
    print_fields({"subject": text})
    print_json({"subject": text})

    printed = capsys.readouterr().out
    assert all(one.isprintable() for one in printed.replace("\n", ""))
    assert json.loads(printed[printed.index("{") :]) == {"subject": text}


def test_markup_in_a_mail_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """It is shown as it stands there."""
    print_table(["subject"], [["[bold]Order[/bold]"]], "")

    assert "[bold]Order[/bold]" in capsys.readouterr().out


def test_keys_are_never_broken_into_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """They are there to be copied."""
    key = "67d408e832829cb01ce297e4/6b011ac4-SpdjB-cjE3y4pO7pK1I8Love"
    print_table(["key", "reason"], [[key, "because of " * 60]], "")

    assert key in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 3, 2, 9, tzinfo=UTC), "2026-03-02 09:00:00Z"),
        (BEGINNING, "never"),
        (True, "yes"),
        (("a", "b"), "a\nb"),
        ({"done": 1}, "done: 1"),
        (None, ""),
    ],
)
def test_values_are_shown_for_people(value: object, text: str) -> None:
    """Times in UTC, several values a line each."""
    assert shown(value) == text


@pytest.mark.parametrize("answer", ["", "n\n", "\n", "maybe\n"])
def test_only_yes_is_yes(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is nobody to ask."""
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    with pytest.raises(typer.Exit) as ended:
        confirmed("Sure?", yes=False)
    assert ended.value.exit_code == 2


def test_the_question_is_not_part_of_the_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which may be JSON."""
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    confirmed("Sure?", yes=False)

    assert capsys.readouterr() == ("", "Sure? [y/N] ")
