"""Each way to sign in, proved by a mailbox that only this app may reach."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from localdev.graph_simulator import MANAGED_IDENTITY_ID
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world

SECRET_APP = "5ec2e700-0000-4000-8000-000000000001"
CERTIFICATE_APP = "ce271f00-0000-4000-8000-000000000002"
FEDERATED_APP = "fede2a00-0000-4000-8000-000000000003"
COLUMNS = {
    "secret": {"clientId": SECRET_APP, "clientSecret": "{{secrets.app-secret}}"},
    "certificate": {"clientId": CERTIFICATE_APP, "clientCertificate": "{{secrets.certificate}}"},
    "managed-identity": {},
    "federated": {"clientId": FEDERATED_APP},
}


def mailbox(name: str) -> str:
    return f"{name}@contoso.example"


def certificate_and_key() -> tuple[bytes, bytes]:
    """A certificate of its own, and its key: PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "connector")])
    start = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, start, start + timedelta(days=9))
    ).sign(key, hashes.SHA256())
    return certificate.public_bytes(serialization.Encoding.PEM), key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """A run without an app in the settings, and rows that sign in each in another way."""
    certificate, key = certificate_and_key()
    settings = {
        "M365_CLIENT_ID": "",
        "M365_CLIENT_SECRET": "",
        "SECRETS__app_secret": "the-secret",
        "SECRETS__certificate": (certificate + key).decode(),
    }
    async with new_world(tmp_path_factory.mktemp("world"), settings=settings) as world:
        add_app = world.simulator.add_app
        add_app(SECRET_APP, secret="the-secret", mailboxes=[mailbox("secret")])
        add_app(CERTIFICATE_APP, certificate=certificate, mailboxes=[mailbox("certificate")])
        add_app(MANAGED_IDENTITY_ID, mailboxes=[mailbox("managed-identity")])
        add_app(FEDERATED_APP, federated=True, mailboxes=[mailbox("federated")])
        for name, columns in COLUMNS.items():
            world.deliver(mailbox(name), mail())
            await world.stack.subscribe(f"team/{name}", userId=mailbox(name), **columns)
        async with world.app():
            await world.ended(len(COLUMNS))
            yield world


@pytest.mark.parametrize("name", COLUMNS)
async def test_signs_in(world: World, name: str) -> None:
    """And gets the mail that no other of these apps could get."""
    [delivery] = await world.deliveries(f"team/{name}")
    source = await world.source(f"team/{name}")

    assert (delivery["state"], source["error"]) == ("done", "")


async def test_health_gets_a_token_in_each_way(world: World) -> None:
    """One for each that a row uses."""
    status, body = await world.health()

    assert (status, body["reasons"]) == (200, [])


async def test_one_token_serves_all_requests(world: World) -> None:
    """It is kept, not asked for anew: the federated app needs two, one of them to prove itself."""
    assert world.simulator.metrics.token_requests == len(COLUMNS) + 1
