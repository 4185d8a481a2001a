import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.account_ports import AccountPorts
from shared.adapters.accounts.credential import (
    AHEAD,
    LOOK_EVERY,
    AccountCredential,
    AccountCredentials,
)
from shared.domain.accounts import Account, EntraRefused, EntraUnavailable, State
from shared.domain.errors import MailboxUnavailable, SignInRefused
from tests.fakes.accounts import ADA, AccountWorld, FakeAccountTable
from tests.fakes.waiting import Hourglass

HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> AccountWorld:
    """With an account that is connected."""
    world = AccountWorld()
    tokens = world.sign_in.tokens()
    world.accounts["ada"] = Account(
        name="ada",
        mailbox=ADA.user,
        state=State.CONNECTED,
        tenant=ADA.tenant,
        user=ADA.user,
        user_id=ADA.user_id,
        scopes=("Mail.ReadWrite",),
        signed_in_at=world.clock.now(),
        refreshed_at=world.clock.now(),
        sealed=world.vault.seal("ada", tokens.refresh_token),
        version="v0",
    )
    return world


def credential_of(world: AccountWorld) -> AccountCredential:
    """The credential of one more worker, which waits for nothing."""
    return AccountCredential("ada", world.ports(), Hourglass().sleep)


def table_of(ports: AccountPorts) -> FakeAccountTable:
    assert isinstance(ports.accounts, FakeAccountTable)
    return ports.accounts


def stored_token(world: AccountWorld) -> str:
    """The refresh token in the table."""
    return world.vault.open("ada", world.accounts["ada"].sealed)


async def test_the_rotated_token_is_stored_before_the_access_token_is_given(
    world: AccountWorld,
) -> None:
    """With the time at which it came."""
    world.clock.advance(HOUR)
    token = await credential_of(world).get_token("any")

    assert (token.token, stored_token(world)) == ("access-2", "refresh-2")
    assert world.accounts["ada"].refreshed_at == world.clock.now()


async def test_a_token_that_could_not_be_stored_is_not_used(world: AccountWorld) -> None:
    """It is stored at the next try; nothing is asked of Entra ID again."""
    ports = world.ports()
    credential = AccountCredential("ada", ports)
    table_of(ports).unavailable = True
    with pytest.raises(MailboxUnavailable, match="account ada: no token now"):
        await credential.get_token("any")
    table_of(ports).unavailable = False

    token = await credential.get_token("any")

    assert (token.token, stored_token(world)) == ("access-2", "refresh-2")
    assert world.sign_in.refreshes == ["refresh-1"]


async def test_a_token_is_good_for_five_minutes_at_least(world: AccountWorld) -> None:
    """Or for half of a life that is short."""
    credential = credential_of(world)
    for _ in range(100):
        token = await credential.get_token("any")
        assert token.expires_on - world.clock.now().timestamp() >= AHEAD.total_seconds()
        world.clock.advance(timedelta(minutes=7))


async def test_short_lives_are_refreshed_at_half(world: AccountWorld) -> None:
    """And not at each request."""
    world.sign_in.lifetime = 60
    credential = credential_of(world)
    for _ in range(10):
        await credential.get_token("any")
        world.clock.advance(timedelta(seconds=10))

    assert len(world.sign_in.refreshes) == 4


async def test_the_former_token_serves_while_entra_is_not_reached(world: AccountWorld) -> None:
    """Until its end."""
    credential = credential_of(world)
    first = await credential.get_token("any")
    world.sign_in.refused = [EntraUnavailable("Entra ID did not answer.") for _ in range(2)]
    world.clock.advance(HOUR - AHEAD)
    assert await credential.get_token("any") == first
    world.clock.advance(AHEAD)

    with pytest.raises(MailboxUnavailable, match="account ada: no token now"):
        await credential.get_token("any")
    assert (await credential.get_token("any")).token == "access-3"
    assert world.accounts["ada"].state is State.CONNECTED


async def test_a_worker_that_was_slower_takes_the_token_that_the_other_stored(
    world: AccountWorld,
) -> None:
    """Its own was refused for that reason; the account stays connected."""
    world.sign_in.one_use = True
    world.sign_in.good.clear()

    async def meanwhile(seconds: float) -> None:
        if seconds and not world.sign_in.good:
            _rotated(world)

    token = await AccountCredential("ada", world.ports(), meanwhile).get_token("any")

    assert token.token == "access-3"
    assert stored_token(world) == "refresh-3"
    assert world.accounts["ada"].state is State.CONNECTED


async def test_an_earlier_token_never_replaces_a_later_one(world: AccountWorld) -> None:
    """Of two that come from the same, the one that came later stays."""
    ports = world.ports()
    used = world.accounts["ada"]
    later = world.clock.now() + HOUR
    sealed = world.vault.seal("ada", "refresh-later")
    original = world.sign_in.refresh

    async def overtaken(*arguments: object) -> object:
        tokens = await original(*arguments)  # type: ignore[arg-type]
        world.accounts["ada"] = replace(used, sealed=sealed, refreshed_at=later, version="v9")
        return tokens

    world.sign_in.refresh = overtaken  # type: ignore[method-assign, assignment]
    await AccountCredential("ada", ports).get_token("any")

    assert stored_token(world) == "refresh-later"


async def test_whoever_holds_the_newer_token_overrules_one_that_gave_up(
    world: AccountWorld,
) -> None:
    """The other saw only that the common token was spent."""
    ports = world.ports()
    used = world.accounts["ada"]
    original = world.sign_in.refresh

    async def overtaken(*arguments: object) -> object:
        tokens = await original(*arguments)  # type: ignore[arg-type]
        world.accounts["ada"] = replace(
            used, state=State.NEEDS_SIGN_IN, error="AADSTS70000", version="v9"
        )
        return tokens

    world.sign_in.refresh = overtaken  # type: ignore[method-assign, assignment]
    await AccountCredential("ada", ports).get_token("any")

    assert world.accounts["ada"].state is State.CONNECTED
    assert stored_token(world) == "refresh-2"


async def test_a_refresh_goes_on_where_nobody_waits_for_it_any_more(world: AccountWorld) -> None:
    """Or the token that it brings would be lost."""
    credential = credential_of(world)
    asking = asyncio.ensure_future(credential.get_token("any"))
    await asyncio.sleep(0)
    asking.cancel()
    await credential.settle()

    assert stored_token(world) == "refresh-2"


async def test_a_disconnected_account_is_refused_within_a_minute(world: AccountWorld) -> None:
    """Although the token would be good for longer."""
    credential = credential_of(world)
    await credential.get_token("any")
    world.accounts["ada"] = replace(world.accounts["ada"], state=State.DISCONNECTED, sealed="")
    assert await credential.get_token("any")
    world.clock.advance(LOOK_EVERY)

    with pytest.raises(SignInRefused, match="it was disconnected"):
        await credential.get_token("any")


async def test_a_token_of_the_person_before_is_not_used(world: AccountWorld) -> None:
    """A new sign-in means new tokens."""
    credential = credential_of(world)
    await credential.get_token("any")
    world.clock.advance(LOOK_EVERY)
    fresh = world.vault.seal("ada", world.sign_in.tokens().refresh_token)
    world.accounts["ada"] = replace(
        world.accounts["ada"], sealed=fresh, signed_in_at=world.clock.now(), version="v9"
    )

    assert (await credential.get_token("any")).token == "access-4"


async def test_a_refusal_of_the_app_leaves_the_sign_in(world: AccountWorld) -> None:
    """Once the secret is right again, nobody has to sign in."""
    world.sign_in.refused = [EntraRefused("invalid_client", "AADSTS7000222: expired")]
    credential = credential_of(world)
    with pytest.raises(SignInRefused, match="account ada: AADSTS7000222"):
        await credential.get_token("any")

    account = world.accounts["ada"]
    assert (account.state, "7000222" in account.error) == (State.CONNECTED, True)
    assert await credential.get_token("any")
    assert world.accounts["ada"].error == ""


async def test_a_challenge_is_answered_with_a_newer_token(world: AccountWorld) -> None:
    """As with any credential."""
    credential = credential_of(world)
    first = await credential.get_token("any", enable_cae=True)

    assert (await credential.get_token("any", claims="{}")).token != first.token


async def test_an_account_that_is_not_there_is_named(world: AccountWorld) -> None:
    """With what to do."""
    credential = AccountCredential("other", world.ports())

    with pytest.raises(SignInRefused, match="account other: there is no such account"):
        await credential.get_token("any")


async def test_a_key_that_is_gone_is_said(world: AccountWorld) -> None:
    """On the mailbox whose account it is."""
    world.accounts["ada"] = replace(world.accounts["ada"], sealed="k1|bob|refresh-1")

    with pytest.raises(SignInRefused, match="account ada: a stored sign-in was changed"):
        await credential_of(world).get_token("any")


async def test_an_account_has_one_credential_a_process(world: AccountWorld) -> None:
    """So that it refreshes once."""
    credentials = AccountCredentials(world.ports())
    tokens = await asyncio.gather(*(credentials.of("ada").get_token("x") for _ in range(9)))
    await credentials.close()

    assert len(set(tokens)) == len(world.sign_in.refreshes) == 1


def _rotated(world: AccountWorld) -> None:
    """Another worker stores what it got for the token."""
    fresh = world.vault.seal("ada", world.sign_in.tokens().refresh_token)
    world.accounts["ada"] = replace(world.accounts["ada"], sealed=fresh, version="v9")
