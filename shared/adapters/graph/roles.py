"""What an app's token says of consents in Entra ID, which hold for every mailbox of the tenant.

Roles that Exchange gives by RBAC for Applications are in no token: a role for mail that is in one
was consented to in Entra ID, and both together let the app in.
https://learn.microsoft.com/exchange/permissions-exo/application-rbac
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode

_MAIL = re.compile(
    r"Mail[.-].*|Mailbox(Item|Folder)\..*|full_access_as_app|(IMAP|POP)\.AccessAsApp"
    r"|SMTP\.SendAsApp"
)


def mail_roles(token: str) -> tuple[str, ...]:
    """The roles for mail in an access token, which is read and not trusted.

    Raises:
        ValueError: it has another form than Entra ID's tokens have.
    """
    try:
        payload = token.split(".")[1]
        claims = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        roles = [str(role) for role in claims.get("roles", ())]
    except (IndexError, ValueError, AttributeError, TypeError) as error:
        raise ValueError("the token is no JWT") from error
    return tuple(role for role in roles if _MAIL.fullmatch(role))
