"""Tokens as azure-identity gets them, and the refusals it must be able to explain."""

import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import (
    CertificateCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    ManagedIdentityCredential,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from localdev.graph_simulator import MANAGED_IDENTITY_ID, GraphSimulator, RunningSimulator
from tests.contract.graph_simulator.clients import SUPPORT, RawGraph

SCOPE = "https://graph.microsoft.com/.default"


@asynccontextmanager
async def secret_credential(
    running: RunningSimulator, tenant_id: str, client_id: str, secret: str
) -> AsyncIterator[ClientSecretCredential]:
    credential = ClientSecretCredential(
        tenant_id,
        client_id,
        secret,
        authority=running.authority_url,
        connection_verify=str(running.ca_file),
    )
    async with credential:
        yield credential


async def test_a_secret_gets_a_token_that_graph_takes(
    simulator: GraphSimulator, running: RunningSimulator, raw: RawGraph
) -> None:
    """One POST to the token endpoint, over TLS with the simulator's own authority."""
    async with secret_credential(
        running, simulator.tenant_id, simulator.client_id, simulator.secret
    ) as credential:
        token = await credential.get_token(SCOPE)

    raw.token = token.token
    assert (await raw("GET", "/messages")).status == 200
    assert token.expires_on > time.time() + 3000
    assert simulator.metrics.token_requests == 1


@pytest.mark.parametrize(
    ("changed", "number"),
    [
        ({"secret": "wrong"}, "AADSTS7000215"),
        ({"tenant_id": "00000000-0000-0000-0000-000000000001"}, "AADSTS90002"),
        ({"client_id": "00000000-0000-0000-0000-000000000002"}, "AADSTS700016"),
    ],
)
async def test_wrong_credentials_are_refused_by_number(
    simulator: GraphSimulator,
    running: RunningSimulator,
    changed: dict[str, str],
    number: str,
) -> None:
    """The error names what was wrong, as the identity platform does."""
    right = {
        "tenant_id": simulator.tenant_id,
        "client_id": simulator.client_id,
        "secret": simulator.secret,
    }
    async with secret_credential(running, **{**right, **changed}) as credential:
        with pytest.raises(ClientAuthenticationError, match=number):
            await credential.get_token(SCOPE)


async def test_a_refusal_has_the_platforms_form(
    simulator: GraphSimulator, running: RunningSimulator, http: aiohttp.ClientSession
) -> None:
    """A wrong secret is a 401 with `invalid_client`, numbers and trace ids."""
    form = {
        "grant_type": "client_credentials",
        "client_id": simulator.client_id,
        "client_secret": "wrong",
        "scope": SCOPE,
    }
    url = f"{running.authority_url}/{simulator.tenant_id}/oauth2/v2.0/token"
    async with http.post(url, data=form, ssl=_trusting(running)) as response:
        body = await response.json()

    assert response.status == 401
    assert body["error"] == "invalid_client"
    assert body["error_codes"] == [7000215]
    assert body.keys() == {
        "error",
        "error_description",
        "error_codes",
        "timestamp",
        "trace_id",
        "correlation_id",
        "error_uri",
    }


async def test_a_certificate_gets_a_token(
    simulator: GraphSimulator, running: RunningSimulator, raw: RawGraph
) -> None:
    """An assertion signed with the registered certificate is as good as a secret."""
    certificate, key = _self_signed()
    simulator.add_app("certificate-app", certificate=certificate)
    async with CertificateCredential(
        simulator.tenant_id,
        "certificate-app",
        certificate_data=certificate + key,
        authority=running.authority_url,
        connection_verify=str(running.ca_file),
    ) as credential:
        raw.token = (await credential.get_token(SCOPE)).token

    assert (await raw("GET", "/messages")).status == 200


async def test_another_certificate_gets_none(
    simulator: GraphSimulator, running: RunningSimulator
) -> None:
    """An assertion that the registered certificate did not sign is refused."""
    simulator.add_app("certificate-app", certificate=_self_signed()[0])
    other, key = _self_signed()
    async with CertificateCredential(
        simulator.tenant_id,
        "certificate-app",
        certificate_data=other + key,
        authority=running.authority_url,
        connection_verify=str(running.ca_file),
    ) as credential:
        with pytest.raises(ClientAuthenticationError, match="AADSTS700027"):
            await credential.get_token(SCOPE)


async def test_a_managed_identity_is_a_federated_credential(
    simulator: GraphSimulator,
    running: RunningSimulator,
    raw: RawGraph,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The managed identity's token stands in for a secret: no secret anywhere."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", running.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", running.identity_header)
    async with ManagedIdentityCredential() as identity:
        assertion = (await identity.get_token("api://AzureADTokenExchange/.default")).token
    async with ClientAssertionCredential(
        simulator.tenant_id,
        simulator.client_id,
        lambda: assertion,
        authority=running.authority_url,
        connection_verify=str(running.ca_file),
    ) as credential:
        raw.token = (await credential.get_token(SCOPE)).token

    assert (await raw("GET", "/messages")).status == 200


async def test_a_managed_identity_reaches_the_mailboxes_it_is_scoped_to(
    simulator: GraphSimulator,
    raw: RawGraph,
    running: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Any other mailbox is a 403, as with RBAC for Applications."""
    simulator.add_mailbox("board@contoso.example")
    simulator.add_app(MANAGED_IDENTITY_ID, mailboxes=[SUPPORT])
    monkeypatch.setenv("IDENTITY_ENDPOINT", running.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", running.identity_header)
    async with ManagedIdentityCredential() as identity:
        raw.token = (await identity.get_token(SCOPE)).token

    assert (await raw("GET", "/messages")).status == 200
    refused = await raw("GET", f"{running.graph_url}/v1.0/users/board@contoso.example/messages")
    assert (refused.status, refused.code) == (403, "ErrorAccessDenied")


async def test_a_consent_over_every_mailbox_undoes_a_scope(
    simulator: GraphSimulator, raw: RawGraph, running: RunningSimulator
) -> None:
    """Both together let an application in, and its token says so."""
    simulator.add_mailbox("board@contoso.example")
    scoped = simulator.add_app("scoped", mailboxes=[SUPPORT])
    both = simulator.add_app("both", mailboxes=[SUPPORT], roles=["Mail.Read"])
    board = f"{running.graph_url}/v1.0/users/board@contoso.example/messages"

    found = []
    for app in (scoped, both):
        raw.token = simulator.issue_token(app)
        reply = await raw("GET", board)
        claims = jwt.decode(raw.token, options={"verify_signature": False})
        found.append((reply.status, claims["roles"]))

    assert found == [(403, []), (200, ["Mail.Read"])]


@pytest.mark.parametrize("token", ["", "made-up"])
async def test_graph_refuses_tokens_it_did_not_get(raw: RawGraph, token: str) -> None:
    """A missing or unknown token is a 401 that says how to get one."""
    raw.token = token

    reply = await raw("GET", "/messages")

    assert (reply.status, reply.code) == (401, "InvalidAuthenticationToken")
    assert reply.headers["WWW-Authenticate"].startswith("Bearer ")


async def test_graph_refuses_expired_tokens(simulator: GraphSimulator, raw: RawGraph) -> None:
    """A token is good for its lifetime."""
    simulator.identity.token_lifetime = -1
    raw.token = simulator.issue_token()

    assert (await raw("GET", "/messages")).code == "InvalidAuthenticationToken"


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("/{tenant}/v2.0/.well-known/openid-configuration", "token_endpoint"),
        ("/common/discovery/instance?api-version=1.1", "tenant_discovery_endpoint"),
    ],
)
async def test_the_authority_describes_itself(
    simulator: GraphSimulator,
    running: RunningSimulator,
    http: aiohttp.ClientSession,
    path: str,
    key: str,
) -> None:
    """Libraries find the endpoints by discovery."""
    url = running.authority_url + path.format(tenant=simulator.tenant_id)
    async with http.get(url, ssl=_trusting(running)) as response:
        assert (await response.json())[key].startswith(running.authority_url)


def _trusting(running: RunningSimulator) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=running.ca_file)


def _self_signed() -> tuple[bytes, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    return certificate.public_bytes(pem), key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, plain
    )
