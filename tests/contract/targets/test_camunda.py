"""What the engine says, as outcomes; on a stand-in that fails when told to."""

from dataclasses import replace

import pytest

from shared.domain.outcome import Accepted, Answer, Rejected, TooLarge, Unavailable
from shared.domain.target import CamundaTarget, EngineAuth, EngineCall
from tests.builders import target_message
from tests.contract.targets.worlds import VARIABLES, Cluster
from tests.fakes.engine import CUT, LOST


async def test_a_message_is_published_whole(cluster: Cluster) -> None:
    """With name, key, time to live in milliseconds, identity and variables; and no other field."""
    assert await cluster.deliver(tenant_id="sales") == Accepted()

    [published] = cluster.engine.published.values()
    assert published == {
        "name": "mail-received",
        "correlationKey": "order-4711",
        "timeToLive": 3_600_000,
        "messageId": "AAMk-1=",
        "tenantId": "sales",
        "variables": {"email": {"id": "AAMk-1=", "subject": "Grüße ?"}},
    }
    [(_, headers)] = cluster.engine.requests
    assert headers["traceparent"] == target_message().traceparent


async def test_a_message_that_comes_twice_is_accepted_once(cluster: Cluster) -> None:
    """A duplicate is a success; the same after an answer that got lost."""
    cluster.engine.fail_next(LOST, after=True)

    first = await cluster.deliver()
    second = await cluster.deliver()

    assert isinstance(first, Unavailable)
    assert second == Accepted(already=True)
    assert len(cluster.engine.published) == 1


async def test_a_message_is_correlated_with_who_waits(cluster: Cluster) -> None:
    """It has no identity there, and no time to live."""
    cluster.engine.waiting.add("order-4711")

    outcome = await cluster.deliver(call=EngineCall.CORRELATE)

    [correlated] = cluster.engine.correlated
    assert outcome == Accepted()
    assert set(correlated) == {"name", "correlationKey", "variables"}


async def test_that_nobody_waits_is_tried_again(cluster: Cluster) -> None:
    """However often, it does not count against the engine."""
    outcomes = [await cluster.deliver(n, call=EngineCall.CORRELATE) for n in range(8)]

    assert {getattr(one, "reason", "") for one in outcomes} == {
        "no process waits for such a message with this correlation key"
    }
    assert await cluster.deliver(9) == Accepted()


async def test_a_process_is_started(cluster: Cluster) -> None:
    """By the id of its definition."""
    outcome = await cluster.deliver(call=EngineCall.START, process_id="handle-mail")

    [started] = cluster.engine.started
    assert outcome == Accepted()
    assert started["processDefinitionId"] == "handle-mail"
    assert set(started) == {"processDefinitionId", "variables"}


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Rejected("answered 400 FAILED: as it was told")),
        (403, Unavailable("answered 403: check targetAuth and the client's rights")),
        (
            413,
            TooLarge(
                "answered 413 FAILED: as it was told: the message is too large for the engine"
            ),
        ),
        (429, Unavailable("answered 429 FAILED: as it was told", 7.0)),
        (503, Unavailable("answered 503 FAILED: as it was told", 7.0)),
        (500, Unavailable("answered 500 FAILED: as it was told", 7.0)),
    ],
)
async def test_what_statuses_mean(cluster: Cluster, status: int, outcome: Answer) -> None:
    """With the problem's own words, and the wait that is asked for."""
    cluster.engine.fail_next(status, retry_after="7")

    assert await cluster.deliver() == outcome


async def test_a_process_that_is_not_deployed_is_waited_for(cluster: Cluster) -> None:
    """A person deploys it; no mail is dead because of that."""
    outcome = await cluster.deliver(call=EngineCall.START, process_id="nowhere")

    assert isinstance(outcome, Unavailable)
    assert "whether the process is deployed" in outcome.reason


@pytest.mark.parametrize(
    ("call", "size"), [(EngineCall.PUBLISH, VARIABLES), (EngineCall.CORRELATE, VARIABLES // 2)]
)
async def test_variables_over_the_limit_are_not_sent(
    cluster: Cluster, call: EngineCall, size: int
) -> None:
    """The engine might accept them and never hand them to a process."""
    message = target_message(variables={"body": "é" * (size // 2)})

    answer = await cluster.targets.deliver(replace(cluster.target, call=call), message)

    assert isinstance(answer, TooLarge)
    assert f"of {size:,} at most" in answer.reason
    assert cluster.engine.requests == []


@pytest.mark.parametrize(
    ("secret", "pair"), [("PAIR", "YWRhOnDDpHNzd29yZA=="), ("BROKEN", "YWRhOnA/c3N3b3Jk")]
)
async def test_basic_authentication(cluster: Cluster, secret: str, pair: str) -> None:
    """User and password, in UTF-8; what no UTF-8 holds is a question mark."""
    await cluster.deliver(auth=EngineAuth(basic=secret))

    [(_, headers)] = cluster.engine.requests
    assert headers["Authorization"] == f"Basic {pair}"


async def test_one_token_serves_many_messages(cluster: Cluster) -> None:
    """It is asked for with what the row says."""
    for number in range(5):
        assert await cluster.deliver(number, auth=cluster.oidc()) == Accepted()

    assert cluster.engine.token_forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "mail",
            "client_secret": "s3cret",
            "audience": "zeebe",
            "scope": "all",
        }
    ]


async def test_a_token_is_replaced_before_it_ends(cluster: Cluster) -> None:
    """One that lives for no time at all serves one message."""
    cluster.engine.token_lifetime = 0

    outcomes = [await cluster.deliver(number, auth=cluster.oidc()) for number in range(3)]

    assert outcomes == [Accepted()] * 3
    assert cluster.engine.tokens == 3


async def test_a_token_that_is_refused_is_replaced_at_once(cluster: Cluster) -> None:
    """Keys of identity providers change."""
    await cluster.deliver(1, auth=cluster.oidc())
    cluster.engine.wants = "Bearer token-2"

    assert await cluster.deliver(2, auth=cluster.oidc()) == Accepted()
    assert cluster.engine.tokens == 2


async def test_a_client_that_is_refused_is_waited_for(cluster: Cluster) -> None:
    """The reason names no secret; a person corrects it."""
    outcome = await cluster.deliver(auth=cluster.oidc("WRONG"))

    assert outcome == Unavailable(
        "identity provider: answered 401 invalid_client; check targetAuth"
    )


async def test_an_unknown_secret_is_named(cluster: Cluster) -> None:
    """By its name only."""
    outcome = await cluster.deliver(auth=EngineAuth(basic="MISSING"))

    assert isinstance(outcome, Unavailable)
    assert "secret 'MISSING' is not known" in outcome.reason


async def test_a_cluster_says_whether_it_can_be_reached(cluster: Cluster) -> None:
    """Without being handed anything."""
    wrong = replace(cluster.target, auth=cluster.oidc("WRONG"))

    assert await cluster.targets.reachable(cluster.target) == ""
    assert "invalid_client" in await cluster.targets.reachable(wrong)
    assert "not reached" in await cluster.targets.reachable(CamundaTarget("http://127.0.0.1:9"))
    assert cluster.engine.published == {}


async def test_a_message_is_accepted_whose_answer_breaks_off(cluster: Cluster) -> None:
    """Its status says that the engine has it; what follows is not waited for."""
    cluster.engine.fail_next(CUT, after=True)

    assert await cluster.deliver() == Accepted()


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "application/x+json"])
async def test_any_json_is_an_engines_answer(cluster: Cluster, content_type: str) -> None:
    """Versions of the engine name theirs differently."""
    cluster.engine.fail_next(200, after=True, content_type=content_type)

    assert await cluster.deliver() == Accepted()


async def test_a_page_is_not_an_engines_answer(cluster: Cluster) -> None:
    """A sign-in page before the cluster says 200 to everything, and takes no mail."""
    reason = "answered 200, but not as an engine does: check targetUrl"
    for _ in range(2):
        cluster.engine.fail_next(200, content_type="text/html")

    assert await cluster.deliver() == Unavailable(reason)
    assert await cluster.targets.reachable(cluster.target) == reason


@pytest.mark.parametrize(
    ("detail", "told"),
    [
        ("Expected 'Rosebud' to be \"Rosebud\", or so", "Expected '…' to be '…', or so"),
        ("It can't be 'Ada's \"Rosebud\"': no", "It can't be '…': no"),
        ("Unexpected token 'Rosebud and so", "Unexpected token '…'"),
        ('of "Rosebud\nand more"', "of '…'"),
    ],
)
async def test_what_a_problem_quotes_is_left_out(cluster: Cluster, detail: str, told: str) -> None:
    """It may be the mail's own words; the rest says what is wrong."""
    cluster.engine.fail_next(400, detail=detail)

    assert await cluster.deliver() == Rejected(f"answered 400 FAILED: {told}")


async def test_a_long_problem_is_shortened(cluster: Cluster) -> None:
    """Quotations first, so that none is cut open."""
    cluster.engine.fail_next(400, detail=f"{'x' * 180} '{'Rosebud ' * 90}' {'y' * 500}")

    outcome = await cluster.deliver()

    assert isinstance(outcome, Rejected)
    assert len(outcome.reason) == len("answered 400 ") + 200
    assert "Rosebud" not in outcome.reason


async def test_a_size_is_recognized_wherever_a_problem_names_it(cluster: Cluster) -> None:
    """Also behind what is not shown."""
    cluster.engine.fail_next(500, detail=f"{'x' * 300} 'EXCEEDED_BATCH_RECORD_SIZE'")

    assert isinstance(await cluster.deliver(), TooLarge)
