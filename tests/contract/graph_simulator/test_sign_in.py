"""The sign-in of people: what Entra ID's endpoints answer, on the wire."""

import base64
import hashlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import aiohttp
import jwt
import pytest

from localdev.graph_simulator import CLIENT_ID, TENANT_ID, GraphSimulator, RunningSimulator
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph

ADA = "ada@contoso.example"
BOB = "bob@contoso.example"
BACK = "http://localhost:7071/api/accounts/callback"
VERIFIER = "v" * 43
CHALLENGE = (
    base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
)
SCOPES = (
    "openid profile offline_access https://graph.microsoft.com/Mail.ReadWrite"
    " https://graph.microsoft.com/Mail.ReadWrite.Shared"
)


@dataclass
class Entra:
    """The endpoints, and a client that plays browser and app."""

    http: aiohttp.ClientSession
    authority: str
    secret: str

    async def authorize(
        self, form: dict[str, str] | None = None, tenant: str = TENANT_ID, **changed: str
    ) -> tuple[int, str, dict[str, str]]:
        """Status, page, and the query of the redirect."""
        query = {
            "client_id": CLIENT_ID,
            "response_type": "code",
            "redirect_uri": BACK,
            "scope": SCOPES,
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changed,
        }
        query = {name: value for name, value in query.items() if value}
        url = f"{self.authority}/{tenant}/oauth2/v2.0/authorize?{urlencode(query)}"
        async with self.http.post(url, data=form or {}, allow_redirects=False) as answer:
            location = answer.headers.get("Location", "")
            return answer.status, await answer.text(), dict(parse_qsl(urlsplit(location).query))

    async def code(self, user: str = ADA, **changed: str) -> str:
        """A code, with consent."""
        _, _, back = await self.authorize({"user": user, "consent": "accept"}, **changed)
        return back["code"]

    async def token(self, **form: str) -> tuple[int, dict[str, Any]]:
        """What the token endpoint answers."""
        defaults = {"client_id": CLIENT_ID, "client_secret": self.secret}
        if form["grant_type"] == "authorization_code":
            defaults |= {"redirect_uri": BACK, "code_verifier": VERIFIER}
        url = f"{self.authority}/{TENANT_ID}/oauth2/v2.0/token"
        async with self.http.post(url, data={**defaults, **form}) as answer:
            return answer.status, await answer.json()

    async def redeem(self, code: str, **form: str) -> tuple[int, dict[str, Any]]:
        """Exchanges a code."""
        return await self.token(grant_type="authorization_code", code=code, **form)

    async def refresh(self, token: str, **form: str) -> tuple[int, dict[str, Any]]:
        """Exchanges a refresh token."""
        return await self.token(grant_type="refresh_token", refresh_token=token, **form)


@pytest.fixture
async def entra(simulator: GraphSimulator, running: RunningSimulator) -> AsyncIterator[Entra]:
    """Ada may open the support mailbox, Bob only his own."""
    simulator.add_user(ADA, shared=[SUPPORT])
    simulator.add_user(BOB)
    trust = ssl.create_default_context(cafile=running.ca_file)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http:
        yield Entra(http, running.authority_url, simulator.secret)


def numbers(body: dict[str, Any]) -> list[int]:
    """The numbers of a refusal."""
    found: list[int] = body["error_codes"]
    return found


async def test_a_code_gives_tokens_of_the_person(entra: Entra) -> None:
    """With an id token that says who it is, and the nonce."""
    status, body = await entra.redeem(await entra.code())

    claims = jwt.decode(body["id_token"], options={"verify_signature": False})
    assert status == 200
    assert {"access_token", "refresh_token", "client_info", "scope"} < body.keys()
    assert (claims["preferred_username"], claims["nonce"]) == (ADA, "a-nonce")
    assert (claims["aud"], claims["tid"], claims["ver"]) == (CLIENT_ID, TENANT_ID, "2.0")


async def test_the_id_token_is_signed_with_the_published_key(entra: Entra) -> None:
    """Whoever wants to can check it."""
    _, body = await entra.redeem(await entra.code())
    async with entra.http.get(f"{entra.authority}/{TENANT_ID}/discovery/v2.0/keys") as answer:
        key = jwt.PyJWK((await answer.json())["keys"][0])

    assert jwt.decode(body["id_token"], key, algorithms=["RS256"], audience=CLIENT_ID)


async def test_a_person_chooses_and_agrees_once(entra: Entra) -> None:
    """The next time there is only the choice; with prompt=consent it is asked again."""
    first = await entra.authorize()
    asked = await entra.authorize({"user": ADA})
    await entra.code()
    again = await entra.authorize({"user": ADA})
    prompted = await entra.authorize({"user": ADA}, prompt="consent")

    assert "Pick an account" in first[1]
    assert "Permissions requested" in asked[1]
    assert "code" in again[2]
    assert "Permissions requested" in prompted[1]


async def test_more_permissions_are_asked_for_again(entra: Entra) -> None:
    """Consent is for what was listed."""
    await entra.code()

    _, page, _ = await entra.authorize({"user": ADA}, scope=f"{SCOPES} Mail.Send")

    assert "Permissions requested" in page


async def test_a_code_is_good_once(entra: Entra) -> None:
    """AADSTS54005."""
    code = await entra.code()
    await entra.redeem(code)

    status, body = await entra.redeem(code)

    assert (status, body["error"], numbers(body)) == (400, "invalid_grant", [54005])


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"code_verifier": "w" * 43}, 501481),
        ({"code_verifier": ""}, 501481),
        ({"redirect_uri": "http://localhost:7071/other"}, 500112),
        ({"client_secret": "wrong"}, 7000215),
    ],
)
async def test_a_code_is_good_for_whoever_asked_for_it(
    entra: Entra, changed: dict[str, str], number: int
) -> None:
    """Same verifier, same address, and the app's own secret."""
    _, body = await entra.redeem(await entra.code(), **changed)

    assert numbers(body) == [number]


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"redirect_uri": "https://evil.example/"}, 50011),
        ({"redirect_uri": "http://localhost/other"}, 50011),
        ({"client_id": "unknown"}, 700016),
        ({"tenant": "00000000-0000-0000-0000-000000000009"}, 90002),
        ({"tenant": "organizations"}, 50194),
    ],
)
async def test_some_refusals_are_not_redirected(
    entra: Entra, changed: dict[str, str], number: int
) -> None:
    """The address may be anybody's."""
    status, page, back = await entra.authorize({"user": ADA}, **changed)

    assert (status, f"AADSTS{number}" in page, back) == (400, True, {})


@pytest.mark.parametrize(
    ("form", "changed", "error", "number"),
    [
        ({"user": ADA, "consent": "cancel"}, {}, "access_denied", 65004),
        ({}, {"prompt": "none"}, "login_required", 50058),
        ({}, {"scope": "Nonsense"}, "invalid_scope", 70011),
        ({}, {"response_type": "token"}, "invalid_request", 900144),
    ],
)
async def test_other_refusals_go_back_with_the_state(
    entra: Entra, form: dict[str, str], changed: dict[str, str], error: str, number: int
) -> None:
    """In the words of OAuth, with the number."""
    status, _, back = await entra.authorize(form, **changed)

    assert (status, back["error"], back["state"]) == (302, error, "a-state")
    assert back["error_description"].startswith(f"AADSTS{number}: ")


async def test_where_only_administrators_agree_others_go_back(
    simulator: GraphSimulator, entra: Entra
) -> None:
    """AADSTS90094, after a page that says so."""
    simulator.sign_ins.admins_only = True

    _, page, _ = await entra.authorize({"user": ADA})
    _, _, back = await entra.authorize({"user": ADA, "consent": "back"})

    assert "Need admin approval" in page
    assert "AADSTS90094" in back["error_description"]


async def test_a_refresh_token_gives_a_newer_one(entra: Entra, simulator: GraphSimulator) -> None:
    """The former stays good, unless that is switched off."""
    _, first = await entra.redeem(await entra.code())
    _, second = await entra.refresh(first["refresh_token"])
    status, _ = await entra.refresh(first["refresh_token"])
    assert (status, second["refresh_token"] != first["refresh_token"]) == (200, True)

    simulator.sign_ins.one_use_refresh_tokens = True
    status, body = await entra.refresh(first["refresh_token"])

    assert (status, body["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("how", "number"), [("revoke", 50173), ("expire", 700082), ("withdraw_consent", 65001)]
)
async def test_refresh_tokens_end(
    entra: Entra, simulator: GraphSimulator, how: str, number: int
) -> None:
    """Revoked, too old, or without consent."""
    _, first = await entra.redeem(await entra.code())
    getattr(simulator.sign_ins, how)(ADA)

    status, body = await entra.refresh(first["refresh_token"])

    assert (status, body["error"], numbers(body)) == (400, "invalid_grant", [number])


async def test_without_offline_access_there_is_no_refresh_token(entra: Entra) -> None:
    """As the platform has it."""
    code = await entra.code(scope="openid https://graph.microsoft.com/Mail.ReadWrite")

    assert "refresh_token" not in (await entra.redeem(code))[1]


@pytest.mark.parametrize(
    ("user", "scope", "reached"),
    [
        (ADA, "Mail.ReadWrite.Shared", {ADA, SUPPORT}),
        (ADA, "Mail.ReadWrite", {ADA}),
        (BOB, "Mail.ReadWrite.Shared", {BOB}),
        (ADA, "Mail.Send", set()),
    ],
)
async def test_a_token_reaches_what_person_and_permission_allow(
    entra: Entra, raw: RawGraph, user: str, scope: str, reached: set[str]
) -> None:
    """Shared mailboxes with the permission for them, and where access was given."""
    code = await entra.code(
        user, scope=f"openid offline_access https://graph.microsoft.com/{scope}"
    )
    raw.token = (await entra.redeem(code))[1]["access_token"]

    for mailbox in (ADA, BOB, SUPPORT):
        reply = await raw("GET", f"{raw.url}/v1.0/users/{mailbox}/messages")

        assert reply.status == (200 if mailbox in reached else 403)


async def test_what_a_test_wants_is_refused(entra: Entra, simulator: GraphSimulator) -> None:
    """Any number, at either endpoint, as often as wanted."""
    code = await entra.code()
    simulator.sign_ins.refuse_next("token", 50076, "interaction_required")
    simulator.sign_ins.refuse_next("authorize", 53003, "access_denied")

    _, refused = await entra.redeem(code)
    _, _, back = await entra.authorize()
    status, _ = await entra.redeem(code)

    assert (refused["error"], numbers(refused)) == ("interaction_required", [50076])
    assert "AADSTS53003" in back["error_description"]
    assert status == 200


async def test_pages_show_names_as_text(entra: Entra, simulator: GraphSimulator) -> None:
    """Whatever they are."""
    simulator.add_user("<script>@x")

    assert "<script" not in (await entra.authorize())[1]


def test_the_claims_are_json() -> None:
    """A JWT that any library reads."""
    token = GraphSimulator().sign_ins.id_tokens.sign({"a": 1})

    payload = token.split(".")[1]
    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == {"a": 1}
