"""HTML to text and back, as Exchange does when a caller prefers the other body type."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "blockquote",
        "div",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tr",
        "ul",
    ]
)
_SILENT = frozenset(("head", "script", "style", "title"))
_SPACE = re.compile(r"[ \t\r\n\f]+")
_MANY_BREAKS = re.compile(r"\n{3,}")


class _TextCollector(HTMLParser):
    """Keeps the text, turns blocks into line breaks and links into `text<address>`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._silent = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br" or tag in _BLOCKS:
            self._parts.append("\n")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self._parts.append("\n")
        elif tag == "a" and self._links and (link := self._links.pop()).startswith("http"):
            self._parts.append(f"<{link}>")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._parts.append(_SPACE.sub(" ", data))

    def text(self) -> str:
        """Return what was collected, with Exchange's line ends."""
        lines = (line.strip() for line in "".join(self._parts).split("\n"))
        return _MANY_BREAKS.sub("\n\n", "\n".join(lines)).strip().replace("\n", "\r\n")


def html_to_text(source: str, length: int | None = None) -> str:
    """Return the text of an HTML body; broken HTML gives what can be read of it.

    Args:
        source: The HTML.
        length: How many characters are wanted; what follows is not even read. None for all.
    """
    collector = _TextCollector()
    step = len(source) if length is None else 8 * length
    try:
        for start in range(0, len(source), max(1, step)):
            collector.feed(source[start : start + step])
            if length is not None and len(text := collector.text()) > length:
                return text[:length]
        collector.close()
    except AssertionError:  # how html.parser reports some malformed declarations
        return _SPACE.sub(" ", source)[:length]
    return collector.text()[:length]


def text_to_html(source: str) -> str:
    """Return a text body as the HTML page that Exchange makes of it."""
    lines = html.escape(source, quote=False).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return (
        "<html><head>\r\n"
        '<meta http-equiv="Content-Type" content="text/html; charset=utf-8">'
        f'</head><body><div class="PlainText">{lines}</div></body></html>'
    )
