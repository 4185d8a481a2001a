import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.account_ports import AccountTable, PendingSignIn, PendingSignIns
from shared.adapters.accounts.tables import TableAccounts, TablePendingSignIns
from shared.domain.accounts import Account, State
from tests.fakes.accounts import FakeAccountTable, FakePendingSignIns

NOW = datetime(2026, 1, 14, 16, 11, 39, 123456, tzinfo=UTC)
WHOLE = Account(
    name="team-1.orders_2",
    mailbox="straße@contoso.com",
    state=State.NEEDS_SIGN_IN,
    tenant="7a3f2c5e-0d64-4b8e-9a51-2f6c1e8b4d70",
    user="ada@contoso.com",
    user_id="oid",
    scopes=("Mail.ReadWrite", "Mail.Send"),
    signed_in_at=NOW,
    refreshed_at=NOW + timedelta(hours=1),
    inbox="AAMkAD==",
    disconnected_at=NOW,
    error="AADSTS50173: revoked",
    sealed="1.key." + "x" * 8000,
)
PENDING = PendingSignIn(
    key="a" * 64,
    browser="b" * 64,
    expires_at=NOW,
    account="orders",
    mailbox="orders@contoso.com",
    tenant="contoso.com",
    sealed="1.key.flow",
)


@dataclass(frozen=True)
class Tables:
    """Each call gives the tables of another worker."""

    accounts: Callable[[], AccountTable]
    pending: Callable[[], PendingSignIns]


@pytest.fixture(params=["fake", "azurite"])
def tables(request: pytest.FixtureRequest) -> Tables:
    """Fakes, or the real adapters on a real storage."""
    if request.param == "azurite":
        clients = request.getfixturevalue("clients")
        return Tables(lambda: TableAccounts(clients), lambda: TablePendingSignIns(clients))
    accounts: dict[str, Account] = {}
    pending: dict[str, PendingSignIn] = {}
    return Tables(lambda: FakeAccountTable(accounts), lambda: FakePendingSignIns(pending))


async def test_what_is_written_is_read_by_another_worker(tables: Tables) -> None:
    """Whole, with its version."""
    written = await tables.accounts().write(WHOLE)

    assert written is not None
    assert written.version
    assert written == replace(WHOLE, version=written.version)
    assert await tables.accounts().read(WHOLE.name) == written


async def test_an_account_that_was_never_stored_is_none(tables: Tables) -> None:
    """There may be no table yet."""
    assert await tables.accounts().read("other") is None
    assert await tables.accounts().all() == []


async def test_all_are_given_by_name(tables: Tables) -> None:
    """In order."""
    for name in ("b", "a", "c"):
        await tables.accounts().write(replace(WHOLE, name=name))

    assert [account.name for account in await tables.accounts().all()] == ["a", "b", "c"]


async def test_a_write_with_an_old_version_is_refused(tables: Tables) -> None:
    """What was stored meanwhile stays, its token with it."""
    first = await tables.accounts().write(WHOLE)
    assert first is not None
    second = await tables.accounts().write(replace(first, sealed="1.key.newer"))

    assert await tables.accounts().write(replace(first, sealed="1.key.late")) is None
    assert await tables.accounts().read(WHOLE.name) == second


async def test_a_first_write_is_refused_where_somebody_was_faster(tables: Tables) -> None:
    """Two people connect one name at once."""
    await tables.accounts().write(WHOLE)

    assert await tables.accounts().write(WHOLE) is None


async def test_one_of_many_workers_writes(tables: Tables) -> None:
    """The others are told so."""
    first = await tables.accounts().write(WHOLE)
    assert first is not None
    results = await asyncio.gather(
        *(tables.accounts().write(replace(first, sealed=f"1.key.{n}")) for n in range(8))
    )

    assert len([one for one in results if one is not None]) == 1


async def test_a_sign_in_under_way_is_found_by_another_worker(tables: Tables) -> None:
    """With all that completing it takes."""
    await tables.pending().add(PENDING)

    found = await tables.pending().find(PENDING.key)
    assert found is not None
    assert found == replace(PENDING, version=found.version)
    assert await tables.pending().find("c" * 64) is None


async def test_one_of_many_workers_takes_a_sign_in(tables: Tables) -> None:
    """It works once."""
    await tables.pending().add(PENDING)
    found = await tables.pending().find(PENDING.key)
    assert found is not None

    taken = await asyncio.gather(*(tables.pending().take(found) for _ in range(8)))

    assert sorted(taken) == [False] * 7 + [True]
    assert await tables.pending().find(PENDING.key) is None
    assert await tables.pending().take(found) is False


async def test_old_sign_ins_are_removed(tables: Tables) -> None:
    """Those that have time left stay."""
    await tables.pending().add(PENDING)
    await tables.pending().add(replace(PENDING, key="c" * 64, expires_at=NOW + timedelta(hours=1)))

    assert await tables.pending().purge(NOW + timedelta(minutes=1)) == 1
    assert await tables.pending().find(PENDING.key) is None
    assert await tables.pending().find("c" * 64) is not None
