"""Secrets by name: what ``{{secrets.NAME}}`` in a table refers to."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.errors import SecretNotFound


class SecretStore:
    """Secrets from app settings ``SECRETS__NAME``; in Azure those are Key Vault references.

    Args:
        settings: the app settings' secrets, by name.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._settings = settings

    async def get(self, name: str) -> str:
        """The secret.

        Raises:
            SecretNotFound: there is none of this name.
        """
        # environment variables cannot hold a hyphen on every platform
        for spelled in (name, name.replace("-", "_")):
            if value := self._settings.get(spelled, "").strip():  # files end with a line break
                return value
        raise SecretNotFound(name)
