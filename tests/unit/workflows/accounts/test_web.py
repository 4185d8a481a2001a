import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.accounts import Account, Person, State
from shared.workflows.accounts import web
from shared.workflows.accounts.sign_in import PATIENCE, reauthenticate
from shared.workflows.accounts.web import Reply
from tests.fakes.accounts import ADA, BOB, AccountWorld, FakeAccountTable

SHARED = "orders@contoso.example"


@pytest.fixture
def world() -> AccountWorld:
    return AccountWorld()


def state_of(reply: Reply) -> str:
    """The state that the browser was sent away with."""
    return parse_qs(urlsplit(reply.headers["Location"]).query)["state"][0]


def cookie_of(reply: Reply) -> str:
    """What the browser sends back of what it was given."""
    return reply.headers["Set-Cookie"].partition(";")[0]


async def connected(world: AccountWorld, name: str, person: Person = ADA, **query: str) -> Reply:
    """Somebody goes the whole way."""
    world.sign_in.person = person
    begun = await web.connect({"name": name, **query}, world.ports())
    if begun.status != 302:
        return begun
    answer = {"code": "c", "state": state_of(begun)}
    return await web.callback(answer, {"Cookie": cookie_of(begun)}, world.ports())


async def test_the_browser_is_given_a_cookie_and_sent_away(world: AccountWorld) -> None:
    """Set by this host alone, only over TLS, not to scripts, and not from other sites' pages."""
    begun = await web.connect({"name": "ada"}, world.ports())

    name, *cookie = begun.headers["Set-Cookie"].split("; ")
    assert begun.status == 302
    assert begun.headers["Cache-Control"] == "no-store"
    assert cookie == [
        "Path=/",
        "Max-Age=600",
        "HttpOnly",
        "SameSite=Lax",
        "Secure",
    ]
    assert name.startswith("__Host-sign-in-")


@pytest.mark.parametrize("url", ["http://localhost:7071", "http://127.0.0.1:7071", "http://[::1]"])
async def test_on_loopback_the_cookie_goes_without_tls(world: AccountWorld, url: str) -> None:
    """There is none."""
    begun = await web.connect({"name": "ada"}, world.ports(url))

    assert "Secure" not in begun.headers["Set-Cookie"]
    assert not begun.headers["Set-Cookie"].startswith("__Host-")


@pytest.mark.parametrize(
    ("url", "says"), [("", "PUBLIC_URL is missing"), ("http://contoso.example", "https only")]
)
async def test_nobody_is_sent_away_who_cannot_come_back(
    world: AccountWorld, url: str, says: str
) -> None:
    """The page names the setting."""
    reply = await web.connect({"name": "ada"}, world.ports(url))

    assert (reply.status, says in reply.body) == (503, True)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({}, "a name of up to 63"),
        ({"name": "<b>"}, "a name of up to 63"),
        ({"name": "a", "mailbox": "x y"}, "mailbox: an address"),
        ({"name": "a", "tenant": "../x"}, "tenant: the id"),
    ],
)
async def test_what_cannot_be_used_is_refused(
    world: AccountWorld, query: dict[str, str], says: str
) -> None:
    """Before anybody is sent anywhere."""
    reply = await web.connect(query, world.ports())

    assert (reply.status, says in reply.body) == (400, True)
    assert world.pending == {}


async def test_what_is_stored_of_a_sign_in_lets_nobody_complete_it(world: AccountWorld) -> None:
    """Neither state nor cookie are stored, and the rest is encrypted."""
    begun = await web.connect({"name": "ada"}, world.ports())

    [pending] = world.pending.values()
    stored = repr(pending)
    assert state_of(begun) not in stored
    assert cookie_of(begun).partition("=")[2] not in stored
    assert "secret-verifier" not in stored
    assert pending.expires_at == world.clock.now() + PATIENCE


@pytest.mark.parametrize("broken", ["state", "no state", "cookie", "no cookie", "late", "twice"])
async def test_whatever_is_wrong_with_a_callback_the_answer_is_the_same(
    world: AccountWorld, broken: str
) -> None:
    """Nobody learns which sign-ins are under way."""
    ports = world.ports()
    begun = await web.connect({"name": "ada"}, ports)
    answer, cookie = {"code": "c", "state": state_of(begun)}, cookie_of(begun)
    match broken:
        case "state":
            answer["state"] = "x" * 43
        case "no state":
            del answer["state"]
        case "cookie":
            cookie = f"{cookie}x"
        case "no cookie":
            cookie = ""
        case "late":
            world.clock.advance(PATIENCE)
        case _:
            await web.callback(answer, {"Cookie": cookie}, ports)
            world.accounts.clear()

    reply = await web.callback(answer, {"Cookie": cookie}, ports)

    assert reply.status == 400
    assert "it is not known, has expired, was used already, or began in another" in reply.body
    assert world.accounts == {}


@pytest.mark.parametrize("cookie", ["", ";;=;", "=x", "\x00", "a" * 100_000, "é=ü"])
async def test_no_cookie_header_does_harm(world: AccountWorld, cookie: str) -> None:
    """It is anybody's."""
    begun = await web.connect({"name": "ada"}, world.ports())

    answer = {"code": "c", "state": state_of(begun)}
    assert (await web.callback(answer, {"Cookie": cookie}, world.ports())).status == 400


async def test_the_cookie_is_forgotten_when_it_has_served(world: AccountWorld) -> None:
    """It is good for one sign-in."""
    begun = await web.connect({"name": "ada"}, world.ports())
    answer = {"code": "c", "state": state_of(begun)}

    reply = await web.callback(answer, {"Cookie": cookie_of(begun)}, world.ports())

    name, _, given = reply.headers["Set-Cookie"].partition("=")
    assert name == cookie_of(begun).partition("=")[0]
    assert given.startswith("; Path=/; Max-Age=0; ")


async def test_the_page_shows_names_as_text(world: AccountWorld) -> None:
    """And runs nothing, whatever somebody calls himself."""
    person = replace(ADA, user="<script>alert(1)</script>@x")

    reply = await connected(world, "ada", person)

    assert reply.status == 200
    assert "<script" not in reply.body
    assert "&lt;script&gt;" in reply.body
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    assert "unsafe" not in reply.headers["Content-Security-Policy"]
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["Referrer-Policy"] == "no-referrer"


async def test_the_page_tells_what_to_write_into_a_subscription(world: AccountWorld) -> None:
    """The name of the account."""
    reply = await connected(world, "orders", mailbox=SHARED)

    assert f"serves the mailbox {SHARED}" in reply.body
    assert "column account: orders" in reply.body


async def test_permissions_for_shared_mailboxes_are_asked_for_where_needed(
    world: AccountWorld,
) -> None:
    """Whoever connects the own mailbox is not asked for more."""
    await connected(world, "ada")
    await connected(world, "orders", mailbox=SHARED)

    own, shared = (scopes for _, _, scopes in world.sign_in.asked)
    assert own == ("Mail.ReadWrite", "Mail.Send")
    assert set(shared) == {*own, "Mail.ReadWrite.Shared", "Mail.Send.Shared"}


async def test_two_who_connect_a_mailbox_at_once_do_not_both_have_it(world: AccountWorld) -> None:
    """Neither saw the other before; whoever sees the other afterwards steps back."""

    class Slow(FakeAccountTable):
        async def write(self, account: Account) -> Account | None:
            await asyncio.sleep(0)
            return await super().write(account)

    ports = replace(world.ports(), accounts=Slow(world.accounts))
    begun = [await web.connect({"name": name, "mailbox": SHARED}, ports) for name in "ab"]
    replies = await asyncio.gather(
        *(
            web.callback({"code": "c", "state": state_of(one)}, {"Cookie": cookie_of(one)}, ports)
            for one in begun
        )
    )

    assert [reply.status for reply in replies] == [200, 409]
    assert {one.name: one.state for one in world.accounts.values()} == {
        "a": State.CONNECTED,
        "b": State.DISCONNECTED,
    }
    assert world.accounts["b"].sealed == ""


async def test_an_account_keeps_its_mailbox(world: AccountWorld) -> None:
    """Another one needs another account."""
    await connected(world, "orders", mailbox=SHARED)

    reply = await connected(world, "orders", mailbox="other@contoso.example")

    assert (reply.status, f"it serves {SHARED}" in reply.body) == (409, True)


async def test_signing_in_again_expects_the_same_person(world: AccountWorld) -> None:
    """Entra ID is told whom; permissions and tenant are those of before."""
    await connected(world, "orders", mailbox=SHARED)
    sent = await reauthenticate("orders", world.ports())

    assert sent.url
    tenant, user, scopes = world.sign_in.asked[-1]
    assert (tenant, user, len(scopes)) == (ADA.tenant, ADA.user, 4)
    assert (await connected(world, "orders", BOB)).status == 409


async def test_a_mailbox_that_does_not_open_is_not_connected(world: AccountWorld) -> None:
    """It says what to grant."""
    world.sign_in.closed.add(SHARED)

    reply = await connected(world, "orders", mailbox=SHARED)

    assert (reply.status, "full access" in reply.body) == (409, True)
    assert world.accounts == {}


async def test_the_list_shows_everything_but_secrets(world: AccountWorld) -> None:
    """And whether a former key is still needed."""
    await connected(world, "ada")
    world.vault.key = "k2"
    await connected(world, "bob", BOB)

    listed = await web.listed(world.ports())

    accounts = json.loads(listed.body)["accounts"]
    assert [one["name"] for one in accounts] == ["ada", "bob"]
    assert [one["key"] for one in accounts] == ["former", "current"]
    assert accounts[0]["user"] == ADA.user
    assert "refresh" not in listed.body.replace("refreshedAt", "")


async def test_one_account_is_shown(world: AccountWorld) -> None:
    """Or 404."""
    await connected(world, "ada")

    assert json.loads((await web.shown("ada", world.ports())).body)["state"] == "connected"
    assert (await web.shown("other", world.ports())).status == 404


async def test_disconnecting_removes_person_and_token(world: AccountWorld) -> None:
    """Again does no harm; an account that never was is a 404."""
    await connected(world, "ada")
    await web.disconnected("ada", world.ports())
    again = await web.disconnected("ada", world.ports())

    assert json.loads(again.body)["state"] == "disconnected"
    assert ADA.user_id not in repr(world.accounts)
    assert world.accounts["ada"].sealed == ""
    assert (await web.disconnected("other", world.ports())).status == 404


async def test_disconnecting_ends_sign_ins_that_are_under_way(world: AccountWorld) -> None:
    """Who disconnects does not find the account connected again; a new sign-in connects it."""
    await connected(world, "ada")
    begun = await web.connect({"name": "ada"}, world.ports())
    world.clock.advance(timedelta(seconds=1))
    await web.disconnected("ada", world.ports())
    answer = {"state": state_of(begun), "code": "c"}

    reply = await web.callback(answer, {"Cookie": cookie_of(begun)}, world.ports())

    assert reply.status == 409
    assert "disconnected after this sign-in had begun" in reply.body
    assert world.accounts["ada"].state is State.DISCONNECTED
    assert (await connected(world, "ada")).status == 200


async def test_a_mailbox_is_not_connected_again_by_an_alias(world: AccountWorld) -> None:
    """Two accounts would take each other's mail."""
    await connected(world, "ada")
    world.sign_in.aliases["ada.lovelace@contoso.example"] = ADA.user

    reply = await connected(world, "other", mailbox="ada.lovelace@contoso.example")

    assert reply.status == 409
    assert "duplicate" in reply.body
    assert "other" not in world.accounts


async def test_a_callback_to_an_app_with_a_wrong_address_is_a_page(world: AccountWorld) -> None:
    """Nobody could have begun there; whatever comes gets an answer."""
    ports = world.ports("http://mail.contoso.example")

    reply = await web.callback({"state": "x", "code": "y"}, {"Cookie": "a=b"}, ports)

    assert reply.status == 400
    assert "cannot be completed here" in reply.body


async def test_sign_ins_that_nobody_completed_are_removed(world: AccountWorld) -> None:
    """When the next begins."""
    await web.connect({"name": "ada"}, world.ports())
    world.clock.advance(PATIENCE + timedelta(seconds=1))
    await web.connect({"name": "bob"}, world.ports())

    assert [one.account for one in world.pending.values()] == ["bob"]


async def test_an_administrators_consent_connects_nobody(world: AccountWorld) -> None:
    """It only agrees; what comes back without agreement is a refusal."""
    for answer, status in (({"admin_consent": "True"}, 200), ({}, 400)):
        begun = await web.consent({"tenant": "contoso.example"}, world.ports())
        came = {**answer, "tenant": "t", "state": state_of(begun)}
        reply = await web.callback(came, {"Cookie": cookie_of(begun)}, world.ports())

        assert reply.status == status
    assert world.accounts == {}
