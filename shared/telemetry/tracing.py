"""Spans: what is done for a poll, a page of mail or a mail, how long it takes, and the outcome.

All spans of a mail are in one trace, whose id follows from the mail's key: a recovery, which knows
no more than the key, goes on in it. What found the mail is another trace, to which it has a link.
Spans are recorded where they are exported, see :mod:`.export`; else they cost a few microseconds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach, get_current

from shared.domain.delivery import DeliveryKey
from shared.domain.errors import ConnectorError, MailboxError
from shared.domain.trace import next_span

Told = str | int | float
Value = Told | Sequence[str]

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")

wanted_trace: ContextVar[int | None] = ContextVar("wanted_trace", default=None)
"""The id that a trace is to have which begins now; the provider's ids are made with it."""

served: ContextVar[str] = ContextVar("served", default="")
"""Whom the innermost span is for that says so; requests within it are counted for these."""


class Span:
    """What a `with` block may do with its span.

    Args:
        traceparent: names the span to whom it calls (W3C); empty where it has no name.
    """

    __slots__ = ("_recorded", "traceparent")

    def __init__(self, traceparent: str, recorded: trace.Span | None = None) -> None:
        self.traceparent = traceparent
        self._recorded = recorded

    def note(self, **attributes: Value) -> None:
        """Adds what is known by now."""
        if self._recorded is not None:
            self._recorded.set_attributes(_told(attributes))


_UNRECORDED = Span("")


class _Recording:
    """Whether and where spans are recorded.

    Attributes:
        tracer: makes them; None where nothing is recorded.
        mailboxes: whether they may name mailboxes.
    """

    tracer: trace.Tracer | None = None
    mailboxes: bool = False


_recording = _Recording()


def record_spans(tracer: trace.Tracer | None, *, mailboxes: bool = False) -> None:
    """Has all spans from now on recorded; None ends that."""
    _recording.tracer, _recording.mailboxes = tracer, mailboxes


@contextmanager
def span(name: str, *, when: object = True, **attributes: Value) -> Iterator[Span]:
    """A `with` block as a span within the one around it.

    Args:
        name: what is done.
        when: whether the block is worth a span.
        attributes: named as in the log. `mailbox` is left out unless the settings let it in.
    """
    tracer = _recording.tracer
    if tracer is None or not when:
        yield _UNRECORDED
        return
    around, named = get_current(), _told(attributes)
    with _current(tracer.start_span(name, around, attributes=named), around, named) as one:
        yield one


@contextmanager
def mail_span(
    name: str, key: DeliveryKey, traceparent: str = "", **attributes: Value
) -> Iterator[Span]:
    """A `with` block as a span in the trace of a mail; linked to the span around it, if any.

    Args:
        name: what is done.
        key: the mail's delivery.
        traceparent: the span that it follows; empty: it is the first that is known.
        attributes: beside the key's, as in :func:`span`.
    """
    tracer, trace_id = _recording.tracer, _trace_id(key)
    if tracer is None:
        yield Span(next_span(traceparent or f"00-{trace_id:032x}-{0:016x}-01"))
        return
    named = _told({"source": key.source, "mail": key.mail, **attributes})
    around, followed = trace.get_current_span().get_span_context(), _context_of(traceparent)
    links = [trace.Link(around)] if around.is_valid else []
    begun = wanted_trace.set(trace_id)
    try:
        made = tracer.start_span(name, followed, attributes=named, links=links)
    finally:
        wanted_trace.reset(begun)
    with _current(made, followed, named) as one:
        yield one


def annotate(**attributes: Value) -> None:
    """Adds what is known by now to the span around."""
    if _recording.tracer is not None:
        trace.get_current_span().set_attributes(_told(attributes))


@contextmanager
def _current(made: trace.Span, followed: Context, attributes: Mapping[str, Told]) -> Iterator[Span]:
    """Has a span around a block, and ends it with the block."""
    token = attach(trace.set_span_in_context(made, followed))
    whom = served.set(str(attributes.get("subscription", served.get())))
    named = made.get_span_context()
    parts = f"{named.trace_id:032x}-{named.span_id:016x}-{named.trace_flags:02x}"
    try:
        yield Span(f"00-{parts}", made)
    except BaseException as error:
        made.set_attributes(_told(_failure(error)))
        made.set_status(trace.StatusCode.ERROR)
        raise
    finally:
        served.reset(whom)
        detach(token)
        made.end()


def _failure(error: BaseException) -> dict[str, Value]:
    """What a span may say of an error: its type, and its text only where the text is our own."""
    told: dict[str, Value] = {"error": type(error).__name__}
    if isinstance(error, MailboxError):
        told["reason"] = error.what  # its whole text names the mailbox
    elif isinstance(error, ConnectorError):
        told["reason"] = str(error)
    return told


def _told(attributes: Mapping[str, Value]) -> dict[str, Told]:
    """Attributes as exporters take them."""
    return {
        name: value if isinstance(value, str | int | float) else ", ".join(value)
        for name, value in attributes.items()
        if name != "mailbox" or _recording.mailboxes
    }


def _trace_id(key: DeliveryKey) -> int:
    """The trace of a mail; one that is evenly spread, for samplers decide by it."""
    named = f"{key.source}/{key.mail}".encode()
    return int.from_bytes(hashlib.blake2b(named, digest_size=16).digest())


def _context_of(traceparent: str) -> Context:
    """A context around which there is the span that a traceparent names, or none."""
    read = _TRACEPARENT.fullmatch(traceparent)
    if read is None:
        return Context()
    trace_id, span_id, flags = (int(part, 16) for part in read.groups())
    named = trace.SpanContext(
        trace_id, span_id, is_remote=True, trace_flags=trace.TraceFlags(flags)
    )
    return trace.set_span_in_context(trace.NonRecordingSpan(named), Context())
