"""Who calls: whether a caller may open a mailbox, and as whom it is opened."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.account_ports import AccountTable
from shared.api.calls import BadRequest
from shared.api.http import ApiRequest
from shared.domain.accounts import account_name
from shared.domain.api_access import PRINCIPAL_HEADER, ApiAccess, Principal
from shared.domain.outbound.mailbox import mailbox_name
from shared.outbound_ports import Caller
from shared.workflows.accounts.acting import through_account

TOKEN_HEADER = "x-graph-authorization"  # noqa: S105 - the name of a header, no secret
ACCOUNT_HEADER = "x-mail-account"
LONGEST_TOKEN = 16_384

_BEARER = re.compile(r"[Bb]earer +([A-Za-z0-9._~+/-]+=*)")


class Admission:
    """Lets callers in, each to the mailboxes that are open to it.

    Args:
        access: who may open what.
        accounts: through which mailboxes can be opened.
    """

    def __init__(self, access: ApiAccess, accounts: AccountTable) -> None:
        self._access = access
        self._accounts = accounts

    def principal(self, headers: Mapping[str, str]) -> Principal | None:
        """Who calls; None where callers have function keys, which the platform has checked.

        Args:
            headers: names in lower case.

        Raises:
            BadRequest: 401: nobody has signed in.
        """
        if not self._access.callers:
            return None
        principal = self._access.principal(headers.get(PRINCIPAL_HEADER, ""))
        if principal is not None:
            return principal
        if not self._access.authenticated:
            raise BadRequest(
                "MAIL_API_CALLERS is set, but App Service authentication is off: nobody is let in.",
                401,
                "authenticationOff",
            )
        raise BadRequest("Sign in with Entra ID, and send the token.", 401, "notSignedIn")

    async def caller(self, request: ApiRequest, principal: Principal | None) -> Caller:
        """The mailbox, and as whom it is opened.

        Raises:
            BadRequest: the mailbox is not open to who calls, or the mailbox, the token or the
                account have no form that they can have.
            AccountRefused: the account does not serve the mailbox.
            StorageUnavailable: accounts cannot be looked up now.
        """
        account, given = request.headers.get(ACCOUNT_HEADER), request.headers.get(TOKEN_HEADER)
        try:
            mailbox = mailbox_name(request.user)
            account = None if account is None else account_name(account.strip())
        except ValueError as error:
            raise BadRequest(str(error)) from error
        self.check(principal, mailbox)
        bearer = "" if given is None else _token(given)
        if account is None:
            return Caller(mailbox, bearer=bearer)
        if bearer:
            raise BadRequest("Send X-Mail-Account or X-Graph-Authorization, not both.")
        return await through_account(self._accounts, account, mailbox)

    def check(self, principal: Principal | None, mailbox: str) -> None:
        """Lets pass what may be opened, and sent from.

        Raises:
            BadRequest: 403: this mailbox may not.
        """
        if not self._access.allows(principal, mailbox):
            raise BadRequest(
                f"The mailbox {mailbox} is not open to this caller. Mailboxes are known here by the"
                " names that MAIL_API_MAILBOXES and MAIL_API_CALLERS give them, and by no other.",
                403,
                "mailboxNotAllowed",
            )


def _token(given: str) -> str:
    found = _BEARER.fullmatch(given.strip()) if len(given) <= LONGEST_TOKEN else None
    if found is None:
        raise BadRequest("X-Graph-Authorization is `Bearer` and a token", 401)
    return found[1]
