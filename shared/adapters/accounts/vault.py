"""Encrypts refresh tokens, with AES-256-GCM and keys that the app settings give."""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import secrets
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.domain.errors import SettingsError

KEY_BYTES = 32
_NONCE_BYTES = 12
_FORMAT = "1"
_ALLOWED = "32 random bytes in base64; several by commas, of which the first encrypts"
_MISSING = (
    "ACCOUNT_KEY is missing: sign-ins of delegated accounts are stored encrypted. Allowed:"
    f" {_ALLOWED}. On one machine ACCOUNT_KEY_FILE instead, the path of a file that is made."
)


class KeyVault:
    """Fulfils :class:`~shared.account_ports.TokenVault`. Keys are read when first needed.

    Args:
        keys: the setting ``ACCOUNT_KEY``: in Azure a Key Vault reference.
        file: the setting ``ACCOUNT_KEY_FILE``: a file with a key a line, for one machine. It is
            made where it is missing, readable by its owner only.
    """

    def __init__(self, keys: str, file: str) -> None:
        self._settings = keys
        self._file = Path(file) if file else None

    def seal(self, what: str, text: str) -> str:
        """Encrypts with the first key."""
        identity, key = next(iter(self._keys.items()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), what.encode())
        return f"{_FORMAT}.{identity}.{base64.urlsafe_b64encode(sealed).decode()}"

    def open(self, what: str, sealed: str) -> str:
        """Decrypts with whichever key it was encrypted with."""
        form, _, rest = sealed.partition(".")
        identity, _, text = rest.partition(".")
        key = self._keys.get(identity)
        if form != _FORMAT or key is None:
            problem = (
                "ACCOUNT_KEY: the key that a sign-in was encrypted with is not among the keys."
                " Put it back behind the others, or connect the account again."
            )
            raise SettingsError([problem])
        try:
            data = base64.urlsafe_b64decode(text)
            opened = AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], what.encode())
        except (InvalidTag, ValueError) as error:
            raise SettingsError(
                ["a stored sign-in was changed, or moved from another account. Connect again."]
            ) from error
        return opened.decode()

    def is_current(self, sealed: str) -> bool:
        """Whether it was encrypted with the first key."""
        return sealed.split(".")[1:2] == [next(iter(self._keys))]

    @cached_property
    def _keys(self) -> dict[str, bytes]:
        """The keys by their identities, the one that encrypts first."""
        if self._settings:
            return _read(self._settings.split(","), "ACCOUNT_KEY")
        if self._file is None:
            raise SettingsError([_MISSING])
        return _read(_lines(self._file), f"the file of ACCOUNT_KEY_FILE ({self._file.name})")


def _read(texts: Sequence[str], where: str) -> dict[str, bytes]:
    keys = {}
    for text in filter(None, (text.strip() for text in texts)):
        try:
            key = base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if len(key) != KEY_BYTES:
            raise SettingsError([f"{where}: a key cannot be used; allowed: {_ALLOWED}."])
        keys[hashlib.sha256(key).hexdigest()[:12]] = key
    if not keys:
        raise SettingsError([f"{where}: there is no key; allowed: {_ALLOWED}."])
    return keys


def _lines(file: Path) -> list[str]:
    try:
        if not file.exists():
            _make(file)
        if os.name == "posix" and file.stat().st_mode & 0o077:
            raise SettingsError(
                [f"ACCOUNT_KEY_FILE: {file.name} is open to others than its owner; chmod 600 it."]
            )
        return file.read_text().splitlines()
    except OSError as error:
        raise SettingsError(
            [f"ACCOUNT_KEY_FILE: {file.name} cannot be read or made ({type(error).__name__})."]
        ) from error


def _make(file: Path) -> None:
    """Puts a new key in place, whole; of two workers that do so at once, one key stays."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode() + "\n")
    try:
        with contextlib.suppress(FileExistsError):  # another worker was faster: its key is the one
            file.hardlink_to(partial)
    finally:
        partial.unlink()
