"""Links to documents that carry their own permission: signed, and good for a time."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode

ATTEMPTS_WITHIN = timedelta(days=1)
"""How long after ``since`` a link may be handed over."""

_SECONDS = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class DocumentLinks:
    """Makes and recognises links to documents.

    Args:
        base_url: where this app is reached, such as ``https://app.azurewebsites.net``.
        secret: what links are signed with; empty: there are none.
        lifetime: how long a link is good, at least, once its mail is handed over.
    """

    base_url: str
    secret: str = field(repr=False)
    lifetime: timedelta

    def url(self, document_id: str, since: datetime) -> str | None:
        """The link to a document, the same at every attempt at its delivery.

        Args:
            document_id: see :func:`~shared.domain.document.document_id`.
            since: from when the document is kept; an attempt with it comes within a day.

        Returns:
            None where links are not signed, or nobody has said where this app is.
        """
        if not self.secret or not self.base_url:
            return None
        expires = str(int((since + ATTEMPTS_WITHIN + self.lifetime).timestamp()))
        query = urlencode({"expires": expires, "signature": self._signature(document_id, expires)})
        return f"{self.base_url.rstrip('/')}/api/signed-documents/{document_id}?{query}"

    def accepts(self, document_id: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether a link with these values was made here and is still good."""
        if not self.secret or _SECONDS.fullmatch(expires) is None:
            return False
        expected = self._signature(document_id, expires)
        genuine = hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
        return genuine and now.timestamp() < int(expires)

    def _signature(self, document_id: str, expires: str) -> str:
        # named after its use, for the secret may sign other things elsewhere
        signed = f"document-link\n{document_id}\n{expires}".encode("utf-8", "replace")
        digest = hmac.digest(self.secret.encode(), signed, "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()
