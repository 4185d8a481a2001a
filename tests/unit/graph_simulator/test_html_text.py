"""HTML to text and back."""

import pytest

from localdev.graph_simulator.html_text import html_to_text, text_to_html


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<p>one</p><p>two</p>", "one\r\n\r\ntwo"),
        ("one<br>two", "one\r\ntwo"),
        ("<ul><li>a</li><li>b</li></ul>", "a\r\n\r\nb"),
        ("<head><title>t</title><style>p{}</style></head>text<script>x()</script>", "text"),
        ("a \n  b&nbsp;&amp;&lt;", "a b\xa0&<"),
        ('<a href="https://x.example">link</a>', "link<https://x.example>"),
        ("<p>open <b>tags", "open tags"),
        ("<![if !mso]>seen<![endif]>", "seen"),
    ],
)
def test_text_is_what_can_be_read(source: str, expected: str) -> None:
    """Blocks become lines, what is not shown is left out, broken HTML is read all the same."""
    assert html_to_text(source) == expected


def test_html_shows_the_text_and_runs_nothing() -> None:
    """Text is escaped, and its lines stay lines."""
    page = text_to_html("<b>\r\nnext")

    assert "&lt;b&gt;<br>\r\nnext" in page
    assert html_to_text(page) == "<b>\r\nnext"
