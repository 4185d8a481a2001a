from datetime import timedelta
from typing import Any

import pytest

from shared.domain import values

MINUTE = timedelta(minutes=1)


def test_text_is_stripped() -> None:
    """Blanks around it are nobody's intention."""
    assert values.text("  a b ") == "a b"


@pytest.mark.parametrize("value", ["", "  ", None, 7, True])
def test_text_is_never_empty_nor_something_else(value: Any) -> None:
    """A number in a text column is a mistake."""
    with pytest.raises(ValueError, match="a text that is not empty"):
        values.text(value)


@pytest.mark.parametrize(
    ("value", "read"), [(True, True), (False, False), ("TRUE", True), (" false ", False)]
)
def test_booleans(value: Any, read: bool) -> None:  # noqa: FBT001
    """Typed or written."""
    assert values.boolean(value) is read


@pytest.mark.parametrize("value", ["yes", "1", 1, "", None])
def test_other_words_are_no_boolean(value: Any) -> None:
    """Nobody guesses."""
    with pytest.raises(ValueError, match="true or false"):
        values.boolean(value)


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("PT30S", timedelta(seconds=30)),
        (" PT1H30M ", timedelta(minutes=90)),
        ("P1D", timedelta(days=1)),
        ("P2W", timedelta(weeks=2)),
        ("PT0.5S", timedelta(seconds=0.5)),
    ],
)
def test_durations(value: str, read: timedelta) -> None:
    """ISO 8601."""
    assert values.duration()(value) == read


@pytest.mark.parametrize(
    "value", ["", "30", "PT", "P", "1 day", "-PT1S", "P1M", "P1Y", f"P{10**12}D", None, 30]
)
def test_other_durations_are_refused(value: Any) -> None:
    """Also months and years, whose length nobody knows."""
    with pytest.raises(ValueError, match="an ISO 8601 duration such as PT30S, PT5M or P1D"):
        values.duration()(value)


def test_durations_have_bounds() -> None:
    """The bounds themselves are allowed; the error names them."""
    read = values.duration(least=MINUTE, most=2 * MINUTE)

    assert [read("PT1M"), read("PT2M")] == [MINUTE, 2 * MINUTE]
    for value in ("PT59S", "PT121S"):
        with pytest.raises(ValueError, match="from PT1M up to PT2M"):
            read(value)


def test_integers_have_bounds() -> None:
    """Text or number."""
    read = values.integer(least=1, most=1000)

    assert [read("1"), read(" 1000 "), read(7)] == [1, 1000, 7]
    for value in ("0", "1001", "ten", "1.5", "", "1e2"):
        with pytest.raises(ValueError, match="a whole number from 1 to 1000"):
            read(value)


def test_one_of_a_few_words() -> None:
    """In any case; spelled as documented afterwards."""
    read = values.one_of(["markAsRead", "move"])

    assert read(" MARKASREAD ") == "markAsRead"
    with pytest.raises(ValueError, match="markAsRead, move"):
        read("delete")


def test_words() -> None:
    """Parted by commas; empty ones are dropped."""
    assert values.words(" a, b c ,,") == ("a", "b c")
    assert values.words(",") == ()


def test_a_secret_reference_names_a_secret() -> None:
    """In the form of Camunda's."""
    assert values.secret_reference(" {{secrets.MAIL-APP}} ") == "MAIL-APP"


@pytest.mark.parametrize("value", ["hunter2", "{{secrets.}}", "{{hunter2}}", "{{secrets.a/b}}"])
def test_anything_else_is_no_reference_and_not_repeated(value: str) -> None:
    """It may be the secret itself."""
    with pytest.raises(ValueError, match=r"\{\{secrets.NAME\}\}") as raised:
        values.secret_reference(value)

    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    "value", ["https://a.example", " http://localhost:7072/x?y=%20 ", "https://[::1]:8443/"]
)
def test_addresses(value: str) -> None:
    """Absolute, http or https."""
    assert values.url(value) == value.strip()


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a.example",
        "//a.example",
        "https://",
        "https:///path",
        "file:///etc/passwd",
        "https://user@a.example",
        "https://user:password@a.example",
        "https://a.example:99999",
        "https://[::1",
        "https://a.example/a b",
        "https://a.example/a\nb",
    ],
)
def test_other_addresses_are_refused(value: str) -> None:
    """Relative ones, other schemes, and those with a password."""
    with pytest.raises(ValueError, match="an absolute https address"):
        values.url(value)
