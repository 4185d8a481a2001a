"""A small run of `python3 dev.py bench --only endurance`: faults everywhere, and three kills."""

import sys
from collections.abc import AsyncIterator

import pytest

from benchmarks.endurance import Endurance, Plan, figures
from benchmarks.figures import is_good
from localdev.storage_faults import FaultKind

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")

PLAN = Plan(mailboxes=2, mails=150, kills=3, backlog=250, seconds=170)


@pytest.fixture(scope="module")
async def run(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Endurance]:
    """300 mails, each for two targets; one in ten requests fails, of whatever kind."""
    async with Endurance(PLAN, tmp_path_factory.mktemp("world")) as endurance:
        await endurance.run(lambda _progress: None)
        yield endurance


def test_it_comes_to_its_end(run: Endurance) -> None:
    """With every delivery done, and no dead letter."""
    assert run.seen.trouble == ""
    assert run.seen.states == {"done": PLAN.total}
    assert run.seen.left == 0


def test_every_target_accepts_every_mail_once(run: Endurance) -> None:
    """Under one id, by which it knows the repetitions."""
    assert run.seen.lost == 0
    assert run.seen.doubled == 0
    assert run.receiver.counters.accepted == PLAN.deliveries
    assert run.receiver.counters.bad_signatures == 0


def test_no_mail_is_acted_upon_before_both_have_accepted_it(run: Endurance) -> None:
    """Seen at the moment of each acceptance."""
    assert run.seen.too_early == 0


def test_faults_struck_everywhere(run: Endurance) -> None:
    """Or the other tests here would prove nothing: acceptances got lost, and were repeated."""
    assert run.seen.kills == PLAN.kills
    assert run.receiver.counters.duplicates > 0
    assert run.simulator.metrics.faults > 0
    assert set(run.storage.counts) == set(FaultKind)


def test_the_benchmark_finds_it_good(run: Endurance) -> None:
    """No binding figure is broken."""
    assert is_good(figures(run))
