"""The playground: `python3 -m shared.feel`."""

import json
from io import StringIO
from pathlib import Path

import pytest

from shared.feel.__main__ import main


@pytest.fixture
def mail(tmp_path: Path) -> str:
    path = tmp_path / "mail.json"
    path.write_text(json.dumps({"subject": "Order 4711", "count": 2}), encoding="utf-8")
    return str(path)


def test_it_prints_the_value_as_json(mail: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["substring(subject, 7)", "--context", mail]) == 0
    assert capsys.readouterr().out == '"4711"\n'


def test_it_prints_the_warnings_beneath(mail: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["{a: subjct}", "--context", mail]) == 0
    assert capsys.readouterr().out == (
        '{\n  "a": null\n}\n'
        "warning: NO_VARIABLE_FOUND at line 1, column 5: there is no variable 'subjct'\n"
    )


def test_it_needs_no_context(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["1 + 1"]) == 0
    assert capsys.readouterr().out == "2\n"


def test_it_reads_unary_tests(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO('{"?": 7}'))

    assert main(["> 5", "--test", "--context", "-"]) == 0
    assert capsys.readouterr().out == "true\n"


def test_it_reads_the_expression_from_standard_input(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", StringIO("1 +\n2\n"))

    assert main(["-"]) == 0
    assert capsys.readouterr().out == "3\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["1 +"], "the expression ends too early"),
        (["assert(1, false)"], "not fulfilled"),
        (["1", "--context", "/no/such/file"], "No such file"),
        (["for i in 1..1e9 return i"], "passed its limit"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert said in capsys.readouterr().err


def test_a_context_is_an_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "list.json"
    path.write_text("[1]", encoding="utf-8")

    assert main(["1", "--context", str(path)]) == 1
    assert "no JSON object" in capsys.readouterr().err
