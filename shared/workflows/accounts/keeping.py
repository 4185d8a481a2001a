"""Accounts as an operator sees them, and their end."""

from __future__ import annotations

from typing import Any

from shared.account_ports import AccountPorts, TokenVault
from shared.domain.accounts import Account, AccountNotFound, AccountUnavailable
from shared.domain.errors import SettingsError
from shared.telemetry import logger
from shared.workflows.accounts.sign_in import ATTEMPTS, forgotten


async def all_accounts(ports: AccountPorts) -> list[dict[str, Any]]:
    """Every account, without its secret; JSON."""
    return [shown(account, ports.vault) for account in await ports.accounts.all()]


async def one_account(name: str, ports: AccountPorts) -> dict[str, Any]:
    """One account, without its secret; JSON.

    Raises:
        AccountNotFound: there is none of this name.
    """
    account = await ports.accounts.read(name)
    if account is None:
        raise AccountNotFound(name)
    return shown(account, ports.vault)


async def disconnect(name: str, ports: AccountPorts) -> Account:
    """Forgets the person and the sign-in. Workers that have a token use it a minute longer.

    Raises:
        AccountNotFound: there is none of this name.
    """
    for _ in range(ATTEMPTS):
        account = await ports.accounts.read(name)
        if account is None:
            raise AccountNotFound(name)
        written = await ports.accounts.write(forgotten(account, ports.clock.now()))
        if written is not None:
            logger().info("account.disconnected", account=name)
            return written
    raise AccountUnavailable(name, "others change it all the time. Try again.")


def shown(account: Account, vault: TokenVault) -> dict[str, Any]:
    """What people may see of an account."""
    return {
        "name": account.name,
        "mailbox": account.mailbox,
        "state": account.state.value,
        "user": account.user,
        "tenant": account.tenant,
        "shared": account.is_kept and account.is_shared,
        "scopes": list(account.scopes),
        "signedInAt": account.signed_in_at.isoformat() if account.is_kept else None,
        "refreshedAt": account.refreshed_at.isoformat() if account.is_kept else None,
        "error": account.error,
        "key": _key(account, vault),
    }


def _key(account: Account, vault: TokenVault) -> str:
    """Which key it is encrypted with: a former one is still needed as long as one says so."""
    if not account.sealed:
        return ""
    try:
        return "current" if vault.is_current(account.sealed) else "former"
    except SettingsError:
        return "missing"
