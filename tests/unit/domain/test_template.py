from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from shared.domain.outbound.requests import SendRequest
from shared.domain.outbound.template import MOST_EXPRESSIONS, TemplateError, render

ORDER = {
    "id": "A-17",
    "total": 12.5,
    "customer": {"name": "Ada", "address": "ada@example.org"},
    "watchers": ["b@example.org", {"address": "c@example.org", "name": "C"}],
}


def rendered(**fields: Any) -> dict[str, Any]:
    return render({"template": True, "variables": {"order": ORDER}, **fields})


def problems(**fields: Any) -> tuple[str, ...]:
    with pytest.raises(TemplateError) as raised:
        rendered(**fields)
    return raised.value.problems


def test_strings_that_begin_with_an_equals_sign_are_evaluated() -> None:
    """All else stays as it is, and so do template and variables not."""
    assert rendered(subject='= "Re: " + order.id', body="Total = 12", to=["a@example.org"]) == {
        "subject": "Re: A-17",
        "body": "Total = 12",
        "to": ["a@example.org"],
    }


@pytest.mark.parametrize("fields", [{}, {"template": False}])
def test_without_template_nothing_is_evaluated(fields: dict[str, Any]) -> None:
    """Ordinary text that begins with an equals sign is safe."""
    assert render({"subject": '= "x"', "body": "=)", **fields}) == {
        "subject": '= "x"',
        "body": "=)",
    }


def test_text_that_begins_with_an_equals_sign_is_written_as_a_string() -> None:
    """Within a template."""
    assert rendered(body='= "=) " + order.id')["body"] == "=) A-17"


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("= order.customer.address", ["ada@example.org"]),
        ("= order.customer", [ORDER["customer"]]),
        ("= order.watchers", ORDER["watchers"]),
        (["a@example.org", "= order.watchers"], ["a@example.org", *ORDER["watchers"]]),  # type: ignore[misc]
        (
            [{"address": "= order.customer.address", "name": "= order.customer.name"}],
            [{"address": "ada@example.org", "name": "Ada"}],
        ),
        ("= []", []),
    ],
)
def test_recipients_are_text_contexts_or_lists_of_them(to: Any, expected: list[Any]) -> None:
    """A list within a list is laid flat."""
    assert rendered(to=to)["to"] == expected


def test_the_sender_is_one_address() -> None:
    """Text or a context."""
    assert rendered(**{"from": "= order.customer"})["from"] == ORDER["customer"]
    assert problems(**{"from": "= order.watchers"}) == ("from: one address is wanted, not 2",)


def test_headers_and_names_of_files_may_be_expressions() -> None:
    """The bytes of files are never looked at."""
    found = rendered(
        headers={"x-order": "= order.id"},
        attachments=[{"name": '= order.id + ".pdf"', "content": "=AAA"}],
    )

    assert found["headers"] == {"x-order": "A-17"}
    assert found["attachments"] == [{"name": "A-17.pdf", "content": "=AAA"}]


def test_variables_with_blanks_in_their_names_are_known() -> None:
    """As FEEL has it."""
    request = {"template": True, "variables": {"first name": "Ada"}, "body": "= first name"}

    assert render(request) == {"body": "Ada"}


def test_now_is_the_time_of_the_request() -> None:
    """Rendered once, so every attempt sends the same."""
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    body = "= string(date(now()))"

    assert render({"template": True, "body": body}, now) == {"body": "2026-03-02"}


def test_a_syntax_error_is_shown_with_a_caret() -> None:
    """Under the place in the text as it was written."""
    [problem] = problems(subject='= "Re: " + + order.id')

    assert problem.startswith("subject: a FEEL expression is wanted. line 1, column")
    assert problem.splitlines()[-1].strip() == "^"


def test_all_problems_are_told_at_once() -> None:
    """Each with its field, none with a value."""
    found = problems(
        subject="= order.total",
        body="= order.missing",
        to=["= order.total", "= ("],
        headers={"x-a": "= assert(order, false)"},
    )

    assert [problem.partition(":")[0] for problem in found] == [
        "subject",
        "body",
        "to[0]",
        "to[1]",
        "headers.x-a",
    ]
    assert found[0] == "subject: text is wanted, not a number; string(…) makes text of numbers"
    assert "null" in found[1]
    assert "addresses are wanted" in found[2]
    assert not any("12.5" in problem or "ada@" in problem for problem in found)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"variables": {}}, "set template to true"),
        ({"template": "yes"}, "true or false"),
        ({"template": True, "variables": []}, "an object"),
        ({"template": True, "variables": {"a": "x" * 1_100_000}}, "at most"),
        ({"template": True, "body": "=" + "1+" * 6000 + "1"}, "characters"),
    ],
)
def test_what_is_no_template_is_refused(request_: dict[str, Any], message: str) -> None:
    """With what is allowed."""
    with pytest.raises(TemplateError, match=message):
        render(request_)


def test_a_template_has_so_many_expressions_at_most() -> None:
    """And tells that once."""
    found = problems(cc=['= "a@example.org"'] * (MOST_EXPRESSIONS + 5))

    assert len(found) == 1
    assert "at most" in found[0]


def test_expressions_end_within_their_time() -> None:
    """Together, not each."""
    slow = "= string(sum(for i in 1..100000 return sum(for j in 1..1000 return j)))"
    found = problems(cc=[slow] * 3, subject=slow)

    assert all("limit" in one or "more than" in one for one in found)


def test_what_is_rendered_is_checked_as_any_request() -> None:
    """An address from a variable is checked like any other; nothing gets into a header."""
    evil = {"template": True, "variables": {"s": "a\r\nBcc: x@y.z"}, "to": ["a@b.c"]}

    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(render({**evil, "subject": "= s"}), SendRequest)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(render({**evil, "to": ["= s"]}), SendRequest)


def test_the_request_itself_is_left_as_it_was() -> None:
    """The caller may render it again."""
    request = {"template": True, "variables": {"a": "x"}, "to": ["= a"], "body": "= a"}
    before = msgspec.json.encode(request)
    render(request)

    assert msgspec.json.encode(request) == before
