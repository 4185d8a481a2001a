"""What a subscription makes of a mail: whether it activates, and the message for the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.domain.errors import ExpressionFailed
from shared.domain.expressions import as_text, evaluated, why_null
from shared.domain.mail import Mail, received_at
from shared.domain.target import TargetMessage
from shared.feel import Expression


@dataclass(frozen=True, slots=True)
class Archive:
    """Archive mode: old mail is handed over as old mail.

    Args:
        before: mail received up to then is archived; in UTC.
        variables: what its message carries as well.
    """

    before: datetime
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Correlation:
    """The columns that decide what a target is handed.

    Args:
        message_ttl: how long the target should keep the message.
        activation: which mail activates; None: all of it.
        consume_unmatched: whether mail that activates nothing is post-processed all the same.
        correlation_key: None: the key is empty.
        message_id: None: the mail's immutable id, and `identity_suffix`.
        identity_suffix: tells the messages of this subscription from those of others, where a
            target does not.
        result_variable: the variable that holds the mail; empty: none does.
        result: a context whose entries become variables.
        labels: variables that each message carries.
    """

    message_name: str
    message_ttl: timedelta
    activation: Expression | None = None
    consume_unmatched: bool = False
    correlation_key: Expression | None = None
    message_id: Expression | None = None
    identity_suffix: str = ""
    result_variable: str = ""
    result: Expression | None = None
    labels: Mapping[str, Any] = field(default_factory=dict)
    archive: Archive | None = None

    def seen(self, mail: Mail) -> Mail:
        """The mail as this subscription's expressions and target see it: `archived` is added."""
        archived = self.archive is not None and received_at(mail) <= self.archive.before
        return {**mail, "archived": archived}

    def why_not_activated(self, mail: Mail, now: datetime) -> str:
        """Why a mail does not activate; empty where it does, which takes exactly `true`.

        Raises:
            ExpressionFailed: the condition takes more than its limits allow.
        """
        if self.activation is None:
            return ""
        seen = self.seen(mail)
        value = evaluated("activationCondition", self.activation, seen, now)
        if value is True:
            return ""
        if value is not None:
            return f"activationCondition gave {'false' if value is False else 'no boolean'}"
        why = why_null(self.activation, seen, now)
        return f"activationCondition gave null: {why}" if why else "activationCondition gave null"

    def message(
        self, subscription: str, mail: Mail, now: datetime, traceparent: str
    ) -> TargetMessage:
        """The message that a mail becomes.

        Args:
            subscription: name of the subscription.
            mail: the mail, its documents included.
            now: when the mail was claimed: expressions give the same at every attempt.
            traceparent: W3C trace context.

        Raises:
            ExpressionFailed: an expression has no usable value for this mail.
        """
        seen = self.seen(mail)
        message_id = self._text("messageIdExpression", self.message_id, seen, now)
        key = self._text("correlationKeyExpression", self.correlation_key, seen, now)
        return TargetMessage(
            message_id=message_id if self.message_id else mail["id"] + self.identity_suffix,
            message_name=self.message_name,
            correlation_key=key,
            time_to_live=self.message_ttl,
            subscription=subscription,
            variables=self._variables(seen, now),
            traceparent=traceparent,
        )

    def _text(self, column: str, expression: Expression | None, seen: Mail, now: datetime) -> str:
        """An identity or key. It must not be empty where somebody has asked for one."""
        if expression is None:
            return ""
        value = evaluated(column, expression, seen, now)
        if value is None or value == "":
            what = "null" if value is None else "an empty text"
            raise ExpressionFailed(
                column, f"gave {what}. {why_null(expression, seen, now)}".strip()
            )
        return as_text(value)

    def _variables(self, seen: Mail, now: datetime) -> dict[str, Any]:
        variables: dict[str, Any] = {}
        if self.result_variable:
            variables[self.result_variable] = seen
        if self.result is not None:
            value = evaluated("resultExpression", self.result, seen, now)
            if not isinstance(value, dict):
                why = (
                    why_null(self.result, seen, now) if value is None else "it must give a context"
                )
                raise ExpressionFailed("resultExpression", f"gave no context: {why}")
            variables |= value
        variables |= self.labels
        if seen["archived"] and self.archive is not None:
            variables |= {"archived": True, **self.archive.variables}
        return variables
