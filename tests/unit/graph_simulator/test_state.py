"""Ids, the order of messages, limits over time, certificates: the parts that need no server."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from localdev.certificates import ensure_certificates
from localdev.graph_simulator import Faults, GraphError, GraphSimulator, Metrics, Throttling
from localdev.graph_simulator.exchange import Request
from localdev.graph_simulator.faults import FaultInjector
from localdev.graph_simulator.throttling import Throttle

ADDRESS = "support@contoso.example"


@pytest.fixture
def simulator() -> GraphSimulator:
    simulator = GraphSimulator()
    simulator.add_mailbox(ADDRESS)
    return simulator


def test_ids_are_the_same_in_every_run() -> None:
    """The same mail delivered to the same mailbox has the same id."""
    ids = []
    for _ in range(2):
        simulator = GraphSimulator()
        simulator.add_mailbox(ADDRESS)
        ids.append(simulator.deliver(ADDRESS, b""))

    assert ids[0] == ids[1]


def test_ids_differ_by_case_alone(simulator: GraphSimulator) -> None:
    """Some ids of a mailbox are equal but for the case: folding it mixes messages up."""
    ids = [simulator.deliver(ADDRESS, b"") for _ in range(200)]

    assert len({each.casefold() for each in ids}) < len(set(ids)) == 200


def test_ids_need_escaping_and_hold_no_slash(simulator: GraphSimulator) -> None:
    """Ids have `=`, `-` and `_`, never `/` or `+`."""
    text = "".join(simulator.deliver(ADDRESS, b"") for _ in range(10))
    text += simulator.messages(ADDRESS)[0].mutable_id

    assert set("=-_") <= set(text)
    assert not set("/+") & set(text)


def test_messages_stay_in_the_order_of_arrival(simulator: GraphSimulator) -> None:
    """The oldest comes first; equal times keep the order of delivery."""
    day = datetime(2025, 1, 1, tzinfo=UTC)
    for name, days in (("b", 2), ("a", 1), ("c", 2), ("d", 3)):
        simulator.deliver(
            ADDRESS, f"Subject: {name}\r\n\r\n".encode(), received=day + timedelta(days=days)
        )

    assert [message.subject for message in simulator.messages(ADDRESS, "inbox")] == list("abcd")


def test_a_delivery_creates_its_folder(simulator: GraphSimulator) -> None:
    """A path of names is walked and made."""
    message_id = simulator.deliver(ADDRESS, b"", folder="Inquiries/Tech-Support")

    message = simulator.message(ADDRESS, message_id)
    assert message.parent_folder.path == "Inquiries/Tech-Support"
    assert simulator.messages(ADDRESS, "inquiries") == []


def test_a_copy_is_a_message_of_its_own(simulator: GraphSimulator) -> None:
    """What happens to a copy does not happen to the original."""
    original = simulator.message(ADDRESS, simulator.deliver(ADDRESS, b"Subject: x\r\n\r\n"))

    copy = original.mailbox.copy(original, original.mailbox.folder("archive"))
    copy.content.subject = "y"

    assert copy.id != original.id
    assert original.subject == "x"


def test_a_window_ends() -> None:
    """After the window, the quota is whole again; refused requests counted as well."""
    now = 0.0
    throttle = Throttle(Throttling(requests=1, window=10), Metrics(), lambda: now)

    def ask() -> str | None:
        try:
            with throttle.admitted("app", ADDRESS):
                return None
        except GraphError as error:
            return error.headers["Retry-After"]

    waits = []
    for moment in (0.0, 0.5, 9.0, 10.0):
        now = moment
        waits.append(ask())

    assert waits == [None, "10", "1", None]


def test_limits_are_per_application_and_mailbox() -> None:
    """Another mailbox, or another application, has a quota of its own."""
    throttle = Throttle(Throttling(requests=1), Metrics())

    for app, mailbox in (("a", "x"), ("a", "y"), ("b", "x")):
        with throttle.admitted(app, mailbox):
            pass
    with pytest.raises(GraphError), throttle.admitted("a", "x"):
        pass


def test_connections_do_not_break_inside_a_batch() -> None:
    """An inner request has no connection of its own to lose."""
    injector = FaultInjector(Faults(rate=1.0, kinds=("drop",)), Metrics())
    request = Request("GET", "/", {})

    assert injector.draw(request, "GET messages", in_batch=True) is None
    assert injector.draw(request, "GET messages") is not None


def test_the_share_of_lost_answers_is_set() -> None:
    """`after_effect` tells how many faults strike after the operation."""
    injector = FaultInjector(Faults(rate=1.0, after_effect=1.0), Metrics())

    fault = injector.draw(Request("GET", "/", {}), "GET messages")

    assert fault is not None
    assert fault.after_effect


def test_certificates_are_kept_while_they_last(tmp_path: Path) -> None:
    """What is there and valid is used again; what is broken is made anew."""
    first = ensure_certificates(tmp_path / "ca")
    authority = first.ca_file.read_bytes()

    again = ensure_certificates(tmp_path / "ca")
    assert again.ca_file.read_bytes() == authority
    first.server_certificate.write_text("broken")
    ensure_certificates(tmp_path / "ca")

    assert first.ca_file.read_bytes() != authority
    ssl.create_default_context(cafile=first.ca_file)
