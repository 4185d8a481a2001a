"""The mails of a demo: `.eml` files and mail boxes (`.box`, `.mbox`) below a folder."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

SAMPLE_MAIL = Path(__file__).resolve().parent.parent / "sample_mail"


class NoMail(Exception):
    """A folder without any mail."""


def load_mails(directory: Path, count: int | None) -> list[bytes]:
    """All mails below a folder in the order of their paths; cut or repeated to ``count``.

    Raises:
        NoMail: there is no folder, or none in it.
    """
    found = [mail for path in sorted(directory.rglob("*")) for mail in _mails_of(path)]
    if not found:
        raise NoMail(f"{directory}: no .eml, .box or .mbox file below this folder")
    return found if count is None else list(islice(cycle(found), count))


def _mails_of(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    if path.suffix.lower() == ".eml":
        yield path.read_bytes()
    elif path.suffix.lower() in {".box", ".mbox"}:
        box = mailbox.mbox(path, create=False)
        try:
            for key in box.iterkeys():
                yield box.get_bytes(key)
        finally:
            box.close()
