"""The tables `accounts` and `signins`: accounts guarded by ETags, and sign-ins under way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from azure.data.tables import UpdateMode

from shared.account_ports import PendingSignIn
from shared.adapters.storage.clients import StorageClients
from shared.adapters.storage.guarded import write_unchanged
from shared.adapters.storage.lookup import find
from shared.adapters.storage.tables import (
    CONFLICT,
    EARLIEST,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Table,
    moment,
    plain,
    stored,
)
from shared.adapters.storage.transactions import delete
from shared.domain.accounts import Account, State
from shared.domain.errors import StorageUnavailable

ERROR_CHARACTERS = 4000

_ACCOUNT = "account"
_PENDING = "signin"
_SOMEBODY_WAS_FASTER = {CONFLICT, PRECONDITION_FAILED, NOT_FOUND}


class TableAccounts:
    """Fulfils :class:`~shared.account_ports.AccountTable`."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = Table(clients, "accounts")

    async def all(self) -> list[Account]:
        """Every account, by name."""
        rows = [row async for row in self._table.query()]
        return sorted((_account(row) for row in rows), key=lambda account: account.name)

    async def read(self, name: str) -> Account | None:
        """One account; None where there is none."""
        rows = await find(self._table, _ACCOUNT, [name])
        return _account(rows[0]) if rows else None

    async def write(self, account: Account) -> Account | None:
        """Stores an account if nobody stored another since it was read (ETag)."""
        version = await write_unchanged(self._table, _account_row(account), account.version)
        return None if version is None else replace(account, version=version)


class TablePendingSignIns:
    """Fulfils :class:`~shared.account_ports.PendingSignIns`."""

    def __init__(self, clients: StorageClients) -> None:
        self._table = Table(clients, "signins")

    async def add(self, pending: PendingSignIn) -> None:
        """Stores one."""
        row = {
            "PartitionKey": _PENDING,
            "RowKey": pending.key,
            "browser": pending.browser,
            "expiresAt": pending.expires_at,
            "account": pending.account,
            "mailbox": pending.mailbox,
            "tenant": pending.tenant,
            "sealed": pending.sealed,
        }
        await self._table.run(lambda client: client.upsert_entity(row, mode=UpdateMode.REPLACE))

    async def find(self, key: str) -> PendingSignIn | None:
        """One of them; None where there is none."""
        rows = await find(self._table, _PENDING, [key])
        return _pending(rows[0]) if rows else None

    async def take(self, pending: PendingSignIn) -> bool:
        """Removes one that was found. Of many that try at once, one is told that it has it."""
        entity = {"PartitionKey": _PENDING, "RowKey": pending.key}
        try:
            # in a transaction, for alone the library passes over that the row is gone
            await self._table.commit([delete(entity, pending.version)], may_repeat=False)
        except StorageUnavailable as error:
            if error.status in _SOMEBODY_WAS_FASTER:
                return False
            raise
        return True

    async def purge(self, before: datetime) -> int:
        """Removes those that expired before a time; gives how many."""
        condition = f"PartitionKey eq '{_PENDING}' and expiresAt lt {moment(before)}"
        found = [_pending(row) async for row in self._table.query(condition)]
        return sum([await self.take(one) for one in found])


def _account_row(account: Account) -> dict[str, Any]:
    return {
        "PartitionKey": _ACCOUNT,
        "RowKey": account.name,
        "mailbox": account.mailbox,
        "state": account.state.value,
        "tenant": account.tenant,
        "user": account.user,
        "userId": account.user_id,
        "scopes": json.dumps(account.scopes),
        "signedInAt": account.signed_in_at,
        "refreshedAt": account.refreshed_at,
        "inbox": account.inbox,
        "disconnectedAt": stored(account.disconnected_at),
        "error": account.error[:ERROR_CHARACTERS],
        "sealed": account.sealed,
    }


def _account(row: Any) -> Account:
    # a column that a later version adds is absent from a row that an earlier one wrote
    return Account(
        name=row["RowKey"],
        mailbox=row["mailbox"],
        state=State(row["state"]),
        tenant=row.get("tenant", ""),
        user=row.get("user", ""),
        user_id=row.get("userId", ""),
        scopes=tuple(json.loads(row.get("scopes", "[]"))),
        signed_in_at=plain(row["signedInAt"]),
        refreshed_at=plain(row["refreshedAt"]),
        inbox=row.get("inbox", ""),
        disconnected_at=plain(row.get("disconnectedAt", EARLIEST)),
        error=row.get("error", ""),
        sealed=row.get("sealed", ""),
        version=row.metadata["etag"] or "",
    )


def _pending(row: Any) -> PendingSignIn:
    return PendingSignIn(
        key=row["RowKey"],
        browser=row["browser"],
        expires_at=plain(row["expiresAt"]),
        account=row.get("account", ""),
        mailbox=row.get("mailbox", ""),
        tenant=row.get("tenant", ""),
        sealed=row.get("sealed", ""),
        version=row.metadata["etag"] or "",
    )
