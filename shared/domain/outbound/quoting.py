"""An answer above the mail that it quotes; each of both may be text or HTML."""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

FARTHEST_BODY = 200_000
"""Characters in which a page's body begins, styles included; strangers write what is quoted."""


def above(own: str, own_type: str, quoted: str, quoted_type: str) -> tuple[str, str]:
    """The body of an answer: the caller's part, then what Graph has quoted.

    Args:
        own: the caller's part.
        own_type: `text` or `html`.
        quoted: the body of the draft that Graph has made of the mail.
        quoted_type: likewise.

    Returns:
        the body, and its type: HTML where either part is.
    """
    if own_type != "html" and quoted_type != "html":
        return f"{own}\r\n\r\n{quoted}" if own else quoted, "text"
    mine = own if own_type == "html" else as_html(own)
    theirs = quoted if quoted_type == "html" else as_html(quoted)
    at = _body_begins(theirs)
    return f"{theirs[:at]}<div>{_inner(mine)}</div>\r\n{theirs[at:]}", "html"


def as_html(text: str) -> str:
    """Text that looks the same as HTML."""
    lines = escape(text).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return lines.replace("  ", "&nbsp; ")


def _inner(html: str) -> str:
    """What stands within the body of a page; a page within a page would be none."""
    rest = html[_body_begins(html) :]
    if len(rest) == len(html):
        return html
    ends = rest.lower().rfind("</body>")
    return rest[:ends] if ends >= 0 else rest


def _body_begins(html: str) -> int:
    """Where the content of a page's body begins; 0 where it has no such tag."""
    finder = _BodyFinder(convert_charrefs=False)
    try:
        finder.feed(html[:FARTHEST_BODY])
    except _Found as found:
        line, column, length = found.args
        begin = 0
        for _ in range(line - 1):
            begin = html.index("\n", begin) + 1
        return int(begin + column + length)
    return 0


class _Found(Exception):
    """The tag is found: its line, its column, its length."""


class _BodyFinder(HTMLParser):
    """Reads as browsers do: comments, styles, scripts and quoted values hold no tags."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Stops at the tag."""
        if tag == "body":
            raise _Found(*self.getpos(), len(self.get_starttag_text() or ""))
