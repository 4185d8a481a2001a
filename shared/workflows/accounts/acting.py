"""A mailbox that is opened through an account, for whoever names the account."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from shared.account_ports import AccountTable
from shared.domain.accounts import AccountRefused, State, check_usable
from shared.domain.outbound.mail import MailContent
from shared.domain.subscription import Credential
from shared.outbound_ports import Caller

Mail = TypeVar("Mail", bound=MailContent)


async def through_account(accounts: AccountTable, name: str, mailbox: str) -> Caller:
    """The caller who opens a mailbox as the person who signed in.

    An account that waits for its person is let through: each request of it says what to do.

    Args:
        accounts: all there are.
        name: of the account.
        mailbox: the one that it serves, by its address.

    Raises:
        AccountRefused: there is no such account, it was disconnected, or serves another mailbox.
        StorageUnavailable: it cannot be looked up now.
    """
    account = await accounts.read(name)
    if account is None or account.state is not State.NEEDS_SIGN_IN:
        account = check_usable(account, name)
    if account.mailbox.lower() != mailbox.lower():
        what = f"it does not serve the mailbox {mailbox}. Name the account that does, or none."
        raise AccountRefused(name, what)
    return Caller(mailbox, Credential(account=name))


def from_its_mailbox(mail: Mail, caller: Caller) -> Mail:
    """A mail that goes out from the mailbox, and not from the person who opens it.

    Graph's rule for user tokens: without ``from``, it is the signed-in person who sends.
    https://learn.microsoft.com/graph/outlook-send-mail-from-other-user
    """
    if not caller.credential.account or mail.sender is not None:
        return mail
    return msgspec.structs.replace(mail, sender=caller.mailbox)
