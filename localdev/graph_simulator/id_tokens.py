"""Id tokens: JWTs signed with a key that is made when first needed, and published."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

_KEY_ID = "simulator-key-1"


class IdTokens:
    """Signs as the identity platform does, with RS256."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a JWT."""
        header = {"typ": "JWT", "alg": "RS256", "kid": _KEY_ID}
        signed = ".".join(_encoded(json.dumps(part).encode()) for part in (header, dict(claims)))
        signature = self._key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_encoded(signature)}"

    def published(self) -> dict[str, Any]:
        """Return the public key, as a JWK set."""
        numbers = self._key.public_key().public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        exponent = numbers.e.to_bytes(3, "big")
        key = {"kty": "RSA", "use": "sig", "kid": _KEY_ID}
        return {"keys": [{**key, "n": _encoded(modulus), "e": _encoded(exponent)}]}

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
