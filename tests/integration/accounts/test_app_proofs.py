"""The app proves itself with a secret, a certificate, or its managed identity."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    pkcs12,
)
from cryptography.x509.oid import NameOID

from localdev.graph_simulator import GraphSimulator, RunningSimulator
from shared.adapters.accounts.application import certificate_form
from shared.domain.errors import SettingsError
from tests.integration.accounts.browser import Browser
from tests.integration.accounts.conftest import ADA, NewEntra, NewPorts, application


def certificate_and_key() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), 1, start, start + timedelta(days=9)
    )
    return builder.sign(key, hashes.SHA256()), key


@pytest.mark.parametrize("form", ["pem", "pfx"])
async def test_with_a_certificate(
    simulator: GraphSimulator,
    running: RunningSimulator,
    new_ports: NewPorts,
    new_entra: NewEntra,
    form: str,
) -> None:
    """In the forms in which the setting holds it."""
    certificate, key = certificate_and_key()
    pem = certificate.public_bytes(Encoding.PEM)
    simulator.add_app("with-certificate", certificate=pem)
    if form == "pem":
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        text = (private + pem).decode()
    else:
        pfx = pkcs12.serialize_key_and_certificates(None, key, certificate, None, NoEncryption())
        text = base64.b64encode(pfx).decode()
    entra = new_entra(client_id="with-certificate", secret="", certificate=text)

    reply = await Browser(new_ports(entra), running, simulator.sign_ins).connect("ada", ADA)

    assert reply.status == 200


async def test_with_the_managed_identity(
    browser: Browser,
    new_ports: NewPorts,
    new_entra: NewEntra,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That the app's federated credential trusts: there is no secret anywhere."""
    monkeypatch.setenv("IDENTITY_ENDPOINT", browser.running.identity_endpoint)
    monkeypatch.setenv("IDENTITY_HEADER", browser.running.identity_header)
    browser.ports = new_ports(new_entra(secret=""))

    assert (await browser.connect("ada", ADA)).status == 200


@pytest.mark.parametrize("text", ["hunter2!", "bm8gY2VydGlmaWNhdGU=", "-----BEGIN X-----"])
def test_a_certificate_that_cannot_be_read_is_not_shown(
    simulator: GraphSimulator, text: str
) -> None:
    """The app whose it is, is named."""
    with pytest.raises(
        SettingsError, match=r"the certificate of the app .* cannot be read"
    ) as raised:
        certificate_form(application(simulator, secret="", certificate=text))

    assert "hunter2" not in str(raised.value)


async def test_without_an_app_registration_the_setting_is_named(
    browser: Browser, new_ports: NewPorts, new_entra: NewEntra
) -> None:
    """People sign in to one."""
    browser.ports = new_ports(new_entra(client_id=""))

    for reply in (await browser.begin("ada"), await browser.consent(ADA)):
        assert (reply.status, "M365_CLIENT_ID is missing" in reply.body) == (503, True)
