"""What a target said about one mail: a closed set of results, each handled in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Accepted:
    """The target has the mail, now or since an earlier attempt.

    Args:
        already: the target knew the message id; a duplicate is a success.
    """

    already: bool = False


@dataclass(frozen=True, slots=True)
class Unavailable:
    """The target could not take the mail now: the same again later.

    Args:
        reason: what happened, for a person.
        retry_after: seconds that the target asked to wait, or None.
        tried: whether the target was asked at all; if not, no time of the mail's is used up.
    """

    reason: str
    retry_after: float | None = None
    tried: bool = True


@dataclass(frozen=True, slots=True)
class Rejected:
    """The target will never take this mail as it is: a person must act."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """The message has more bytes than the target takes; a smaller one may be taken.

    Args:
        reason: how large it is and how large it may be, for a person.
    """

    reason: str


Outcome: TypeAlias = Accepted | Unavailable | Rejected

Answer: TypeAlias = Outcome | TooLarge
"""What a target may answer; only a message that is as small as it can be gets an outcome."""
