"""An answer stands above what it quotes, whatever both are."""

import pytest

from shared.domain.outbound.quoting import above


@pytest.mark.parametrize(
    ("own", "quoted", "merged"),
    [
        (("Hi", "text"), ("Old", "text"), ("Hi\r\n\r\nOld", "text")),
        (("", "text"), ("Old", "text"), ("Old", "text")),
        (
            ("<p>Hi</p>", "html"),
            ("<html><body lang=EN>Old</body></html>", "html"),
            ("<html><body lang=EN><div><p>Hi</p></div>\r\nOld</body></html>", "html"),
        ),
        (
            ("<html><head><title>t</title></head><body><p>Hi</p></body></html>", "html"),
            ("<b>Old</b>", "html"),
            ("<div><p>Hi</p></div>\r\n<b>Old</b>", "html"),
        ),
        (("a < b\n c", "text"), ("Old", "html"), ("<div>a &lt; b<br>\r\n c</div>\r\nOld", "html")),
        (("<p>Hi</p>", "html"), ("<x>", "text"), ("<div><p>Hi</p></div>\r\n&lt;x&gt;", "html")),
    ],
)
def test_both_are_there(
    own: tuple[str, str], quoted: tuple[str, str], merged: tuple[str, str]
) -> None:
    """Text within HTML is escaped; a page within a page is none."""
    assert above(*own, *quoted) == merged
