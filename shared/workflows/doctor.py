"""The doctor: asks everything that the connector stands on, and says what is wrong with it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from shared.domain import odata
from shared.domain.delivery import DeliveryKey, State
from shared.domain.envelope import Envelope
from shared.domain.errors import ConnectorError
from shared.domain.settlement import LONGEST_DELAY
from shared.domain.source import Source
from shared.domain.subscription import Credential, InvalidSubscription, Operation, Subscription
from shared.domain.target import CamundaTarget, Target
from shared.ports import MailboxAddress, Ports, StorageWatch
from shared.workflows.apply import check, table_rows
from shared.workflows.concurrency import for_each
from shared.workflows.health import LATE
from shared.workflows.mailbox_access import REMEDY, SCOPED, of_the_settings, undone
from shared.workflows.preview import where
from shared.workflows.registry import Configuration

AT_ONCE = 8
PATIENCE = timedelta(seconds=30)
LONG_PATIENCE = timedelta(minutes=2)
"""The same for a walk through a table."""

WAITING = LONGEST_DELAY + LATE
"""Age of a message that waits too long; one that is tried again was put with a delay."""

CLOCK_TOLERANCE = timedelta(seconds=30)

T = TypeVar("T")

_ELSEWHERE = (
    "a managed identity has tokens in Azure only: GET /api/health of the app asks the same there;"
    " or look at the app's permissions in the Entra admin center, Enterprise applications."
)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong.

    Args:
        area: ``storage``, ``rows``, ``secrets``, ``tokens``, ``access``, ``mailboxes``,
            ``targets``, ``queues``, ``deliveries``, ``sources`` or ``clock``; of the command:
            ``settings``.
        subject: what it is about, such as a subscription with its mailbox.
        problem: what is wrong.
        advice: what to do.
    """

    area: str
    subject: str
    problem: str
    advice: str


Progress = Callable[[str, int, int], None]
"""Is told the area at hand, how many of its questions are answered, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """What an examination needs.

    Args:
        watch: figures of the storage.
        plain_http_hosts: hosts that may be called without TLS.
        why_no_secret: why a secret cannot be used, by its name; empty where it can.
        signs_by_default: whether rows without `targetAuth` are signed.
        mailbox_access: the setting MAILBOX_ACCESS.
        progress: is told how far the examination has come.
        patience: how long one question may take.
    """

    ports: Ports
    watch: StorageWatch
    plain_http_hosts: Sequence[str]
    why_no_secret: Callable[[str], str]
    signs_by_default: bool
    progress: Progress
    mailbox_access: str = ""
    patience: timedelta = PATIENCE

    async def examine(self) -> list[Finding]:
        """Asks one thing after the other; gives what is wrong, in the order of the areas.

        Where the tables do not answer, nothing else can be asked.
        """
        found = await self._storage()
        if any(finding.subject == "tables" for finding in found):
            return found
        configuration = check(await table_rows(self.ports.subscriptions), self.plain_http_hosts)
        found += _rows(configuration)
        found += self._secrets(configuration)
        refused = await self._tokens(configuration)
        found += refused.values()
        found += await self._access(configuration)
        usable = [
            source
            for source in configuration.sources.values()
            if source.polling.credential not in refused
        ]
        found += await self._each("mailboxes", usable, self._mailbox)
        found += await self._targets(configuration)
        for area in (self._queues, self._dead_letters, self._clock):
            found += await area()
        return found + await self._sources(configuration)

    async def _storage(self) -> list[Finding]:
        ports = self.ports
        nothing = Envelope(key=DeliveryKey("doctor", "nothing"), blob="doctor/nothing")
        questions: dict[str, Callable[[], Awaitable[object]]] = {
            "tables": ports.sources.all,
            "queues": ports.polls.length,
            "blobs": lambda: ports.emails.mail_of(nothing),
        }
        advice = (
            "check AzureWebJobsStorage, the account's firewall, and whether whoever runs this has"
            " the roles Storage Table Data Contributor, Storage Queue Data Contributor and Storage"
            " Blob Data Owner."
        )

        async def ask(service: str) -> list[Finding]:
            why = await self._why_not(questions[service]())
            return [Finding("storage", service, why, advice)] if why else []

        return await self._each("storage", list(questions), ask)

    def _secrets(self, configuration: Configuration) -> list[Finding]:
        users: dict[str, list[str]] = {}
        for one in _usable(configuration):
            for secret in secrets_of(one):
                users.setdefault(secret, []).append(one.name)
        found = [
            Finding(
                "secrets",
                f"secret {secret} of {_listed(names)}",
                why,
                f"add the app setting SECRETS__{secret}; in Azure as a Key Vault reference.",
            )
            for secret, names in sorted(users.items())
            if (why := self.why_no_secret(secret))
        ]
        unsigned = [one.name for one in _usable(configuration) if not _signed(one)]
        if unsigned and not self.signs_by_default:
            problem = "nothing signs what their webhooks are sent, so that nothing is sent"
            advice = "set targetAuth, or the app setting WEBHOOK_SIGNING_SECRET."
            found.append(Finding("secrets", _listed(unsigned), problem, advice))
        return found

    async def _tokens(self, configuration: Configuration) -> dict[Credential, Finding]:
        users: dict[Credential, list[str]] = {}
        for source in configuration.sources.values():
            users.setdefault(source.polling.credential, []).extend(source.subscriptions)
        refused: dict[Credential, Finding] = {}

        async def ask(credential: Credential) -> list[Finding]:
            why = await self._why_not_text(self.ports.health.token(credential))
            if why:
                subject = (
                    f"{credential.client_id or 'the default app'}, for {_listed(users[credential])}"
                )
                advice = "check tenantId, clientId and the secret or certificate."
                refused[credential] = Finding("tokens", subject, why, advice)
            return []

        await self._each("tokens", list(users), ask)
        return {credential: refused[credential] for credential in users if credential in refused}

    async def _access(self, configuration: Configuration) -> list[Finding]:
        """Whether a consent in Entra ID undoes that the app reaches chosen mailboxes only."""
        if self.mailbox_access != SCOPED:
            return []
        used = {source.polling.credential for source in configuration.sources.values()}

        async def ask(credential: Credential) -> list[Finding]:
            tenant = f" in {credential.tenant_id}" if credential.tenant_id else ""
            subject = f"the app of the settings{tenant}"
            roles: list[str] = []

            async def look() -> None:
                roles.extend(await self.ports.health.mail_roles(credential))

            if why := await self._why_not(look()):
                return [Finding("access", subject, f"not checked: {why}", _ELSEWHERE)]
            why = undone(roles)
            return [Finding("access", subject, why, REMEDY)] if why else []

        return await self._each("access", of_the_settings(used), ask)

    async def _mailbox(self, source: Source) -> list[Finding]:
        """Reads the folder as polling does, and looks for the folder that mail is moved to."""
        polling, mailboxes = source.polling, self.ports.mailboxes
        address = MailboxAddress(polling.credential, polling.mailbox)
        subject = f"{_listed(source.subscriptions)}, mailbox {polling.mailbox}"

        async def read() -> None:
            folder = await mailboxes.find_folder(address, polling.folder)
            query = odata.id_listing(odata.BEGINNING, polling.condition, 1)
            await mailboxes.list_messages(address, folder, query, polling.body_format)

        why = await self._why_not(read())
        if why:
            advice = "the page on troubleshooting names Graph's codes; else correct the row."
            return [Finding("mailboxes", subject, why, advice)]
        actions = polling.post_process
        moves = Operation.MOVE in actions.operations and not actions.create_folder
        if not moves or actions.move_to is None:
            return []
        why = await self._why_not(mailboxes.find_folder(address, actions.move_to))
        advice = "create the folder, correct moveTo, or set createFolder."
        return [Finding("mailboxes", subject, f"moveTo: {why}", advice)] if why else []

    async def _targets(self, configuration: Configuration) -> list[Finding]:
        users: dict[Target, list[str]] = {}
        for one in _usable(configuration):
            users.setdefault(one.target, []).append(one.name)

        async def ask(target: Target) -> list[Finding]:
            why = await self._why_not_text(self.ports.targets.reachable(target))
            if not why:
                return []
            subject = f"{where(target)[0]}, for {_listed(users[target])}"
            advice = "check targetUrl, targetAuth, and whether the target is up."
            return [Finding("targets", subject, why, advice)]

        return await self._each("targets", list(users), ask)

    async def _queues(self) -> list[Finding]:
        ports, found = self.ports, []

        async def look() -> None:
            lengths = await self.watch.queued()
            for queue, messages in lengths.items():
                if queue.endswith("-poison") and messages:
                    problem = f"messages on which the app failed every time: {messages}"
                    advice = (
                        "look at the app's log; the app takes up those of emails-poison and"
                        " outbox-poison itself."
                    )
                    found.append(Finding("queues", queue, problem, advice))
            oldest, now = await ports.emails.oldest_waiting(), ports.clock.now()
            if oldest is not None and oldest + WAITING < now:
                problem = (
                    f"a message waits since {oldest.isoformat(timespec='seconds')},"
                    f" with about {lengths['emails']} in the queue"
                )
                advice = "is the app running? If it is, allow it more instances."
                found.append(Finding("queues", "emails", problem, advice))

        return await self._area("queues", look, found)

    async def _dead_letters(self) -> list[Finding]:
        found: list[Finding] = []

        async def look() -> None:
            dead = [one async for one in self.ports.ledger.find([State.DEAD])]
            if dead:
                names = {name for one in dead for name in one.waiting or one.subscriptions}
                advice = "see `mailctl dead list`; correct the cause, then replay or discard them."
                subject = _listed(sorted(names))
                found.append(Finding("deliveries", subject, f"dead letters: {len(dead)}", advice))

        return await self._area("deliveries", look, found)

    async def _clock(self) -> list[Finding]:
        found: list[Finding] = []

        async def look() -> None:
            ahead = await self.watch.clock_ahead()
            if abs(ahead) > CLOCK_TOLERANCE:
                way = "ahead of" if ahead > timedelta(0) else "behind"
                problem = f"it is {abs(ahead).total_seconds():.0f} s {way} the storage's"
                advice = "set the clock: signatures and tokens depend on it."
                found.append(Finding("clock", "this machine", problem, advice))

        return await self._area("clock", look, found)

    async def _sources(self, configuration: Configuration) -> list[Finding]:
        found: list[Finding] = []

        async def look() -> None:
            states, now = await self.ports.sources.all(), self.ports.clock.now()
            for source in configuration.sources.values():
                subject = f"{_listed(source.subscriptions)}, mailbox {source.polling.mailbox}"
                state = states.get(source.id)
                if state is None:
                    problem = "never polled"
                    advice = "is the app running? A new row is seen within 30 s."
                elif state.failures:
                    problem = (
                        f"polls that failed in a row: {state.failures}; the last: {state.error}"
                    )
                    advice = "correct what the last poll failed on."
                elif state.next_poll_at + LATE < now and state.lease_until < now:
                    due = state.next_poll_at.isoformat(timespec="seconds")
                    problem = f"due since {due}, and not polled"
                    advice = "is the app running, or is one instance too few?"
                else:
                    continue
                found.append(Finding("sources", subject, problem, advice))

        return await self._area("sources", look, found)

    async def _area(
        self, area: str, look: Callable[[], Awaitable[None]], found: list[Finding]
    ) -> list[Finding]:
        """One look at something; that it was not possible is a finding, too."""
        self.progress(area, 0, 1)
        why = await self._why_not(look(), LONG_PATIENCE)
        self.progress(area, 1, 1)
        if why:
            found.append(Finding(area, "storage", why, "look at what the storage area says."))
        return found

    async def _each(
        self, area: str, items: Sequence[T], ask: Callable[[T], Awaitable[list[Finding]]]
    ) -> list[Finding]:
        """Asks about many things, some at once; findings come in the order of the things."""
        found: dict[int, list[Finding]] = {}
        self.progress(area, 0, len(items))

        async def one(number: int) -> None:
            found[number] = await ask(items[number])
            self.progress(area, len(found), len(items))

        await for_each(one, range(len(items)), AT_ONCE)
        return [finding for number in sorted(found) for finding in found[number]]

    async def _why_not(self, question: Awaitable[object], patience: timedelta | None = None) -> str:
        """Empty where a question is answered in time, else why not."""
        seconds = (patience or self.patience).total_seconds()
        try:
            async with asyncio.timeout(seconds):
                await question
        except ConnectorError as error:
            return str(error)
        except TimeoutError:
            return f"no answer within {seconds:g} s"
        return ""

    async def _why_not_text(self, question: Awaitable[str]) -> str:
        """The answer to a question that says itself what is wrong, or why there is none."""
        answers: list[str] = []

        async def ask() -> None:
            answers.append(await question)

        return await self._why_not(ask()) or answers[0]


def secrets_of(subscription: Subscription) -> tuple[str, ...]:
    """The names of the secrets that a subscription refers to."""
    credential, auth = subscription.polling.credential, subscription.target.auth
    names = [credential.secret, credential.certificate, auth.basic]
    if isinstance(subscription.target, CamundaTarget):
        oidc = subscription.target.auth.oidc
        names.append(oidc.secret if oidc else "")
    else:
        names += [subscription.target.auth.signing, subscription.target.auth.bearer]
    return tuple(name for name in dict.fromkeys(names) if name)


def _rows(configuration: Configuration) -> list[Finding]:
    return [
        Finding("rows", name, " ".join(one.problems), "correct the row; it is not used until then.")
        for name, one in sorted(configuration.subscriptions.items())
        if isinstance(one, InvalidSubscription)
    ]


def _usable(configuration: Configuration) -> Iterable[Subscription]:
    """The subscriptions that the app uses: valid and enabled."""
    for _, one in sorted(configuration.subscriptions.items()):
        if isinstance(one, Subscription) and one.enabled:
            yield one


def _signed(subscription: Subscription) -> bool:
    """Whether the row itself says what signs, or nothing needs to."""
    target = subscription.target
    return isinstance(target, CamundaTarget) or bool(target.auth.signing)


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
