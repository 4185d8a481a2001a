"""Whether the app still reaches chosen mailboxes only, where that is how it was set up.

Scoped access is given in Exchange (RBAC for Applications). Consent in Entra ID holds for every
mailbox, and both together let the app in: one such consent undoes the scope, and nothing fails.
"""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.subscription import Credential

SCOPED = "scoped"
"""The value of the setting MAILBOX_ACCESS where it is so."""

REMEDY = (
    "take it from the app: Entra admin center, Enterprise applications, the app, Permissions; or"
    " set MAILBOX_ACCESS to tenantWide, where every mailbox is meant. Tokens keep it for a day."
)


def of_the_settings(credentials: Iterable[Credential]) -> list[Credential]:
    """The credentials that are the app of the settings, in whichever tenant."""
    others = {one for one in credentials if not (one.client_id or one.account)}
    return sorted({Credential(), *others}, key=repr)


def undone(roles: Iterable[str]) -> str:
    """What undoes the scope, in words; empty where nothing does."""
    listed = ", ".join(roles)
    if not listed:
        return ""
    return (
        f"the app is to reach chosen mailboxes only, but Entra ID gives it {listed} over every"
        " mailbox of the tenant"
    )
