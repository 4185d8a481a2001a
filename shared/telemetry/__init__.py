"""What the connector tells of itself: logs always; spans and metrics where they are exported.

None of it holds a secret, token, body or subject, nor an address unless a setting says so.
"""

from shared.telemetry.logs import LOGGER, bound, configure_logging, frames, logger
from shared.telemetry.tracing import annotate, mail_span, span

__all__ = [
    "LOGGER",
    "annotate",
    "bound",
    "configure_logging",
    "frames",
    "logger",
    "mail_span",
    "span",
]
