"""The log of a run in which much goes wrong tells nothing that is nobody's business."""

from collections.abc import AsyncIterator

import pytest

from localdev.callback_receiver import CallbackReceiver
from localdev.graph_simulator import CLIENT_ID, App, Faults, GraphSimulator
from localdev.graph_simulator.identity import GRAPH_RESOURCES, AccessToken, IdentityPlatform
from tests.end_to_end.mails import mail
from tests.end_to_end.world import World, new_world

MAILBOX = "support@contoso.example"
MAILS = 8
MARKERS = {
    "subject": "marker-subject",
    "body": "marker-body",
    "attachment": "marker-attachment",
    "client secret": "marker-client-secret",
    "wrong client secret": "marker-wrong-secret",
    "bearer secret": "marker-bearer-secret",
    "secret in the open": "marker-open-secret",
    "token in an address": "marker-address-token",
    "filter on subjects": "marker-filter",
}


class RecordingIdentity(IdentityPlatform):
    """Remembers the tokens that it issues."""

    def __init__(self) -> None:
        super().__init__()
        self.issued: list[str] = []

    def issue(self, app: App, resource: str = GRAPH_RESOURCES[0]) -> AccessToken:
        """Issue a token."""
        token = super().issue(app, resource)
        self.issued.append(token.value)
        return token


@pytest.fixture(scope="module")
def identity() -> RecordingIdentity:
    return RecordingIdentity()


@pytest.fixture(scope="module")
async def world(
    identity: RecordingIdentity, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    """Faults, a rejection, a wrong secret and a bad row; then the app has ended."""

    def target(secret: str) -> CallbackReceiver:
        receiver = CallbackReceiver(secret, fault_rate=0.2, seed=3)
        receiver.reject("team/rejected")
        return receiver

    simulator = GraphSimulator(faults=Faults(rate=0.1, seed=3, after_effect=0.5))
    simulator.secret = MARKERS["client secret"]
    simulator.identity = identity
    simulator.add_app(CLIENT_ID, secret=simulator.secret)
    settings = {
        "SECRETS__wrong": MARKERS["wrong client secret"],
        "SECRETS__bearer": MARKERS["bearer secret"],
    }
    directory = tmp_path_factory.mktemp("world")
    async with new_world(directory, simulator, target, settings) as world:
        marked = [
            mail(
                number,
                subject=f"{MARKERS['subject']} {number}",
                body=MARKERS["body"] * 5000 * (number % 2),
                attachment=MARKERS["attachment"].encode() * 100,
            )
            for number in range(MAILS)
        ]
        address = f"{world.stack.callbacks.hook('tickets')}?token={MARKERS['token in an address']}"
        auth = '{"bearer": "{{secrets.bearer}}"}'
        rows = {
            "tickets": {"targetUrl": address, "targetAuth": auth},
            "rejected": {"userId": "rejected@contoso.example", "targetUrl": address},
            "searching": {"subjectContains": MARKERS["filter on subjects"]},
            "wrong-secret": {
                "userId": "other@contoso.example",
                "clientId": CLIENT_ID,
                "clientSecret": "{{secrets.wrong}}",
            },
            "bad-row": {"clientId": CLIENT_ID, "clientSecret": MARKERS["secret in the open"]},
            "bad-address": {"targetUrl": f"http://x.example/{MARKERS['token in an address']}"},
        }
        world.deliver(MAILBOX, *marked)
        world.deliver("rejected@contoso.example", *marked[:2])
        for name, columns in rows.items():
            await world.stack.subscribe(f"team/{name}", **{"userId": MAILBOX, **columns})
        async with world.app():
            await world.ended(MAILS + 2)
            await world.poll_failed("team/wrong-secret")
            await world.health()
        yield world


@pytest.mark.parametrize("what", MARKERS)
def test_the_log_does_not_tell(world: World, what: str) -> None:
    """Not even where something fails."""
    assert MARKERS[what] not in world.log


def test_the_log_holds_no_token(world: World, identity: RecordingIdentity) -> None:
    """Nor the secret that callbacks are signed with."""
    assert identity.issued
    assert not any(token in world.log for token in identity.issued)
    assert world.stack.signing_secret.removeprefix("whsec_") not in world.log


def test_the_log_holds_no_address_of_a_request(world: World) -> None:
    """In which a filter stands, and what people search for in subjects with it."""
    assert "$filter" not in world.log


def test_the_log_tells_what_went_wrong(world: World) -> None:
    """Or the other tests here would be easy to pass."""
    for event in ("delivery.postponed", "delivery.dead", "poll.failed", "subscription.invalid"):
        assert event in world.log


@pytest.mark.parametrize("table", ["deliveries", "sources", "subscriptionstatus"])
async def test_the_tables_do_not_tell(world: World, table: str) -> None:
    """What operators read of mail are keys, states and reasons."""
    rows = str(await world.rows(table))

    assert not [what for what, marker in MARKERS.items() if marker in rows]
