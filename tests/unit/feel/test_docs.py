"""Every example of the language's page is run, and every function has one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from shared.feel import evaluate
from shared.feel.builtins import NAMES

PAGE = (Path(__file__).parents[3] / "docs" / "feel.md").read_text(encoding="utf-8")

MAIL: dict[str, Any] = json.loads(re.findall(r"```json mail\n(.*?)```", PAGE, re.DOTALL)[0])
EXAMPLES: list[tuple[str, str]] = [
    (text, value)
    for block in re.findall(r"```feel\n(.*?)```", PAGE, re.DOTALL)
    for text, value in (line.rsplit(" → ", 1) for line in block.strip().splitlines())
]


@pytest.mark.parametrize(("text", "value"), EXAMPLES)
def test_the_example_has_the_value_beside_it(text: str, value: str) -> None:
    found, wanted = evaluate(text, MAIL), evaluate(value)

    assert (type(found), found) == (type(wanted), wanted)


@pytest.mark.parametrize("name", NAMES)
def test_the_function_has_an_example(name: str) -> None:
    called = re.compile(rf"(?<![\w ]){re.escape(name)}\(|[(,] ?{re.escape(name)}\(")

    assert any(called.search(text) or text.startswith(f"{name}(") for text, _ in EXAMPLES)
