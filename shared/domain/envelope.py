"""The envelope: the message on the queue `emails`, and when a mail travels beside it in a blob."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.domain.delivery import DeliveryKey
from shared.domain.errors import EnvelopeError
from shared.domain.mail import Mail

VERSION = 1
INLINE_BYTES = 45 * 1024
"""The largest envelope that holds its mail; a queue message takes 64 KiB."""


def blob_name(key: DeliveryKey) -> str:
    """The blob that holds the mail of a delivery, if one has to."""
    return f"{key.source}/{key.mail}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One delivery on its way.

    Args:
        mail: the e-mail, where it travels inline.
        blob: name of the blob that holds the e-mail (claim check). Neither: it is read from the
            mailbox when it is needed, as after a recovery.
        first_tried_at: when the first attempt began; None before it.
        traceparent: W3C trace context, made when the mail was claimed.
    """

    key: DeliveryKey
    mail: Mail | None = None
    blob: str = ""
    first_tried_at: datetime | None = None
    traceparent: str = ""

    def encode(self) -> str:
        """The queue message: JSON in ASCII, so that characters are bytes and XML takes them all."""
        fields: dict[str, Any] = {
            "version": VERSION,
            "source": self.key.source,
            "key": self.key.mail,
            "traceparent": self.traceparent,
        }
        if self.first_tried_at is not None:
            fields["firstTriedAt"] = self.first_tried_at.isoformat()
        if self.blob:
            fields["blob"] = self.blob
        if self.mail is not None:
            fields["mail"] = self.mail
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def decode(cls, message: str | bytes) -> Envelope:
        """Reads a queue message.

        Raises:
            EnvelopeError: it is none, or of a version that this one does not know.
        """
        try:
            fields = json.loads(message)
            if fields["version"] != VERSION:
                raise EnvelopeError(
                    f"a queue message of version {fields['version']!r}; this app reads {VERSION}"
                )
            tried = fields.get("firstTriedAt")
            return cls(
                key=DeliveryKey(fields["source"], fields["key"]),
                mail=fields.get("mail"),
                blob=fields.get("blob", ""),
                first_tried_at=datetime.fromisoformat(tried) if tried else None,
                traceparent=fields.get("traceparent", ""),
            )
        except (ValueError, KeyError, TypeError) as error:
            # by its type alone: text and cause repeat the message, which holds a mail
            what = type(error).__name__
            raise EnvelopeError(f"a queue message that is no envelope ({what})") from None
