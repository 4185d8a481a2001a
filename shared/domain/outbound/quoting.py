"""An answer above the mail that it quotes; each of both may be text or HTML."""

from __future__ import annotations

import re
from html import escape

_BODY = re.compile(r"<body\b[^>]{0,2000}>", re.IGNORECASE)


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
    begins = _BODY.search(theirs)
    at = begins.end() if begins else 0
    return f"{theirs[:at]}<div>{_inner(mine)}</div>\r\n{theirs[at:]}", "html"


def as_html(text: str) -> str:
    """Text that looks the same as HTML."""
    lines = escape(text).replace("\r\n", "\n").replace("\n", "<br>\r\n")
    return lines.replace("  ", "&nbsp; ")


def _inner(html: str) -> str:
    """What stands within the body of a page; a page within a page would be none."""
    begins = _BODY.search(html)
    if begins is None:
        return html
    rest = html[begins.end() :]
    ends = rest.lower().rfind("</body>")
    return rest[:ends] if ends >= 0 else rest
