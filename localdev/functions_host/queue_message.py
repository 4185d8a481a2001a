"""Turns a stored message into what a function is given, with the library's own converter."""

import base64
import json
from datetime import datetime
from typing import Literal

import azure.functions as func
from azure.functions.meta import Datum
from azure.functions.queue import QueueMessageInConverter
from azure.storage.queue import QueueMessage

Encoding = Literal["base64", "none"]


def decode_message(message: QueueMessage, encoding: Encoding) -> func.QueueMessage:
    """Return the message as a function gets it in the cloud.

    Raises:
        ValueError: its text is not in the encoding that host.json names.
    """
    text = message.content or ""
    body = base64.b64decode(text, validate=True) if encoding == "base64" else text.encode()
    # The worker is given texts as texts and everything else as JSON.
    metadata = {
        "Id": Datum(message.id, "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
        "DequeueCount": Datum(json.dumps(message.dequeue_count), "json"),
        "InsertionTime": _time(message.inserted_on),
        "ExpirationTime": _time(message.expires_on),
        "NextVisibleTime": _time(message.next_visible_on),
    }
    decoded: func.QueueMessage = QueueMessageInConverter.decode(
        Datum(body.decode(), "string"), trigger_metadata=metadata
    )
    return decoded


def encode_text(text: str, encoding: Encoding) -> str:
    """Return a text as host.json says that it is stored."""
    return base64.b64encode(text.encode()).decode() if encoding == "base64" else text


def _time(time: datetime | None) -> Datum | None:
    return None if time is None else Datum(f'"{time:%Y-%m-%dT%H:%M:%S}+00:00"', "json")
