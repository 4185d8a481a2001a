"""The app settings: read once into one frozen object; every problem is reported at once."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.domain import values
from shared.domain.api_access import callers
from shared.domain.errors import SettingsError

SECRET_PREFIX = "SECRETS__"  # noqa: S105 - the prefix of names, no secret

UNRESOLVED = "@Microsoft.KeyVault("
"""What a reference to Key Vault begins with that Azure could not put a secret in the place of."""

_VAULT = "is the secret there, and may the app's identity read it?"


@dataclass(frozen=True, slots=True)
class Setting:
    """One app setting: how it is read, what it is when absent, what it means."""

    read: Callable[[object], Any]
    default: Any
    meaning: str


SETTINGS: Mapping[str, Setting] = {
    "M365_TENANT_ID": Setting(values.text, "", "tenant of mailboxes whose row names none"),
    "M365_CLIENT_ID": Setting(values.text, "", "app registration of rows that name none"),
    "M365_CLIENT_SECRET": Setting(values.text, "", "its secret; absent: managed identity"),
    "M365_CLIENT_CERTIFICATE": Setting(
        values.text, "", "or its certificate: PEM, or PFX in base64"
    ),
    "MANAGED_IDENTITY_CLIENT_ID": Setting(values.text, "", "user-assigned identity to use"),
    "ACCOUNT_CLIENT_ID": Setting(
        values.text, "", "app registration that people sign in to; absent: M365_CLIENT_ID"
    ),
    "ACCOUNT_CLIENT_SECRET": Setting(values.text, "", "its secret"),
    "ACCOUNT_CLIENT_CERTIFICATE": Setting(values.text, "", "or its certificate"),
    "ACCOUNT_KEY": Setting(values.text, "", "encrypts the sign-ins of delegated accounts"),
    "ACCOUNT_KEY_FILE": Setting(values.text, "", "or, on one machine, a file with that key"),
    "GRAPH_ENDPOINT": Setting(
        lambda value: values.url(value).rstrip("/"),
        "https://graph.microsoft.com",
        "Graph; another one in national clouds",
    ),
    "PLAIN_HTTP_HOSTS": Setting(
        values.words, (), "hosts of targets that may be called without TLS"
    ),
    "MAILBOX_ACCESS": Setting(
        values.one_of(("scoped", "tenantWide")),
        "",
        "whether the app is to reach chosen mailboxes only; what `mailctl doctor` checks",
    ),
    "MAIL_API_MAILBOXES": Setting(
        values.words, (), "mailboxes that /api/mail opens, by the names given; empty: every one"
    ),
    "MAIL_API_CALLERS": Setting(
        callers, {}, "who may call /api/mail with an Entra token, and for what"
    ),
    "WEBHOOK_SIGNING_SECRET": Setting(values.text, "", "signs for rows without targetAuth"),
    "TARGET_TIMEOUT": Setting(
        values.duration(least=timedelta(seconds=1), most=timedelta(minutes=3)),
        timedelta(seconds=30),
        "how long a target may take to answer",
    ),
    "MAILS_PER_RECIPIENT_AND_HOUR": Setting(
        values.integer(least=0, most=100_000),
        60,
        "mails that one recipient is sent in an hour, against loops; 0: any number",
    ),
    "UNLIMITED_RECIPIENTS": Setting(
        values.words, (), "addresses that may get more in an hour, such as an archive's"
    ),
    "ENGINE_VARIABLES_LIMIT": Setting(
        values.integer(least=1_000, most=100_000_000),
        1_300_000,
        "bytes of variables that an engine is sent at most",
    ),
    "DOCUMENT_RETENTION": Setting(
        values.duration(least=timedelta(days=1), most=timedelta(days=3650)),
        timedelta(days=30),
        "how long documents are kept",
    ),
    "DOCUMENT_SIGNING_SECRET": Setting(
        values.text, "", "signs the addresses of documents; absent: mail carries none"
    ),
    "DOCUMENT_URL_LIFETIME": Setting(
        values.duration(least=timedelta(minutes=1), most=timedelta(days=3650)),
        timedelta(days=7),
        "how long a signed address is good",
    ),
    "PUBLIC_URL": Setting(
        lambda value: values.url(value).rstrip("/"),
        "",
        "where the app is reached; absent: the host name that Azure gives it",
    ),
    "ATTACHMENT_MEMORY_MB": Setting(
        values.integer(least=8, most=2048), 32, "memory that attachments may take at once"
    ),
    "LARGEST_ATTACHMENT_MB": Setting(
        values.integer(least=1, most=1024), 150, "size up to which an attachment is kept"
    ),
    "TICK_BUDGET": Setting(
        values.duration(least=timedelta(seconds=1), most=timedelta(minutes=5)),
        timedelta(seconds=8),
        "how long the poll timer polls itself before it hands over to the queue",
    ),
    "SWEEP_INTERVAL": Setting(
        values.duration(least=timedelta(seconds=1)),
        timedelta(minutes=15),
        "how often a whole folder is compared with the ledger",
    ),
    "RECOVERY_AFTER": Setting(
        values.duration(least=timedelta(seconds=1)),
        timedelta(minutes=5),
        "how long a delivery may stand still before recovery takes it up",
    ),
    "LEASE_TIME": Setting(
        values.duration(least=timedelta(seconds=2), most=timedelta(hours=1)),
        timedelta(minutes=2),
        "how long a worker has a source for itself without a sign of life",
    ),
    "LEDGER_RETENTION": Setting(
        values.duration(least=timedelta(days=1)),
        timedelta(days=90),
        "how long finished deliveries are remembered after their mail was last seen",
    ),
    "OUTBOX_RETENTION": Setting(
        values.duration(least=timedelta(days=2)),
        timedelta(days=30),
        "how long keys of sends are remembered",
    ),
    "PAGE_SIZE": Setting(values.integer(least=1, most=1000), 100, "mails that one request lists"),
    "TELEMETRY_EXPORT": Setting(
        values.boolean, default=False, meaning="whether spans and metrics are exported"
    ),
    "TELEMETRY_MAILBOXES": Setting(
        values.boolean, default=False, meaning="whether spans name mailboxes"
    ),
}
"""The connector's own settings."""

SCHEDULES: Mapping[str, str] = {
    "POLL_SCHEDULE": "*/10 * * * * *",
    "RECOVERY_SCHEDULE": "0 */5 * * * *",
}
"""Settings that the platform reads itself, to run the timers, and what holds without them."""


def schedule(name: str, environment: Mapping[str, str]) -> str:
    """What a timer's binding says: the setting's name for the platform, or a default."""
    return f"%{name}%" if environment.get(name, "").strip() else SCHEDULES[name]


def authenticated(environment: Mapping[str, str]) -> bool:
    """Whether App Service authentication is on: only then nobody else writes what it says.

    https://learn.microsoft.com/azure/app-service/reference-app-settings
    """
    return environment.get("WEBSITE_AUTH_ENABLED", "").strip().lower() == "true"


def callers_have_tokens(environment: Mapping[str, str]) -> bool:
    """Whether callers of the HTTP API sign in with Entra ID, and need no function key.

    Read when the triggers are declared, which have one way of being called for good.
    """
    return authenticated(environment) and bool(environment.get("MAIL_API_CALLERS", "").strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that is set outside the tables. Fields are named as the app settings, in lower case.

    Beside them ``authenticated``: whether App Service authentication is on.
    """

    m365_tenant_id: str
    m365_client_id: str
    m365_client_secret: str
    m365_client_certificate: str
    managed_identity_client_id: str
    account_client_id: str
    account_client_secret: str
    account_client_certificate: str
    account_key: str
    account_key_file: str
    graph_endpoint: str
    plain_http_hosts: tuple[str, ...]
    mailbox_access: str
    mail_api_mailboxes: tuple[str, ...]
    mail_api_callers: Mapping[str, Collection[str]]
    webhook_signing_secret: str
    target_timeout: timedelta
    mails_per_recipient_and_hour: int
    unlimited_recipients: tuple[str, ...]
    engine_variables_limit: int
    document_retention: timedelta
    document_signing_secret: str
    document_url_lifetime: timedelta
    public_url: str
    attachment_memory_mb: int
    largest_attachment_mb: int
    tick_budget: timedelta
    sweep_interval: timedelta
    recovery_after: timedelta
    lease_time: timedelta
    ledger_retention: timedelta
    outbox_retention: timedelta
    page_size: int
    telemetry_export: bool
    telemetry_mailboxes: bool
    authenticated: bool
    secrets: Mapping[str, str]
    storage: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Reads all settings.

        Raises:
            SettingsError: some cannot be used; it names each.
        """
        fields: dict[str, Any] = {}
        problems = []
        for name, setting in SETTINGS.items():
            value = environment.get(name, "")
            if value.startswith(UNRESOLVED):
                problems.append(f"{name}: Azure has not resolved its Key Vault reference: {_VAULT}")
                continue
            try:
                fields[name.lower()] = setting.read(value) if value.strip() else setting.default
            except ValueError as error:
                problems.append(f"{name} cannot be used; allowed: {error}.")
        storage = {
            name: value
            for name, value in environment.items()
            if value.strip()
            and (name == "AzureWebJobsStorage" or name.startswith("AzureWebJobsStorage__"))
        }
        if not storage:
            problems.append(
                "AzureWebJobsStorage is missing: a connection string, or"
                " AzureWebJobsStorage__accountName for access by identity."
            )
        if problems:
            raise SettingsError(problems)
        if not fields["public_url"] and (host := environment.get("WEBSITE_HOSTNAME", "").strip()):
            fields["public_url"] = f"https://{host}"
        secrets = {
            name.removeprefix(SECRET_PREFIX): value
            for name, value in environment.items()
            if name.startswith(SECRET_PREFIX) and not value.startswith(UNRESOLVED)
        }
        return cls(
            **fields, authenticated=authenticated(environment), secrets=secrets, storage=storage
        )
