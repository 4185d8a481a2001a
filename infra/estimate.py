"""What a connector costs a month: ``python -m infra.estimate --mailboxes 1000``.

Every assumption is an option, and every price a line below. Prices are Azure's list prices for pay
as you go, East US, in US dollars; look yours up at https://azure.microsoft.com/pricing/calculator.
Counted is the mail that comes in. What is not stands in docs/operations.md, below the bill.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields

DAYS = 30
SECONDS_A_DAY = 86_400

PRICES = {
    "execution, GB-second": 0.000026,
    "executions, million": 0.40,
    "table operations, 10,000": 0.00036,
    "queue operations, 10,000": 0.004,
    "blob operations, 10,000": 0.05,
    "logs taken in, GB": 2.30,
    "alert on logs, every 5 minutes": 1.50,
    "alert on logs, every 15 minutes": 0.50,
    "further series of such an alert": 0.05,
    "alert on a metric, each": 0.10,
    "private endpoint, hour": 0.01,
    "NAT gateway, hour": 0.045,
}
FREE_GB_SECONDS = 100_000
FREE_EXECUTIONS = 250_000

# what a mail does, counted in the code and with the storage emulator
TABLE_OPERATIONS_A_MAIL = 4  # claimed (a share of a transaction), read, accepted, done
QUEUE_OPERATIONS_A_MAIL = 3  # put, get, delete
TABLE_OPERATIONS_A_POLL = 3  # states read (a share), lease taken, lease given back
LOG_BYTES_A_MAIL = 4_000  # four lines of the platform's, one of ours a poll
LOG_BYTES_A_TICK = 3_000
QUEUES = 5
QUEUE_LOOKS_A_SECOND = 0.5  # host.json, maxPollingInterval

POLLS_AT_ONCE = 16
LOG_ALERTS = {"PT5M": 4, "PT15M": 8}
METRIC_ALERTS = 3
PRIVATE_ENDPOINTS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """How much there is to do.

    Args:
        interval: seconds between two polls of a mailbox.
        tick: seconds between two runs of the poll timer.
        graph: seconds that Graph takes to answer.
        target: seconds that the target takes to answer.
        memory: of an instance, in MB.
        large: share of mails over 45 KiB, which wait in a blob.
        failing: mailboxes that cannot be polled, at a time: each is a series of its alert.
    """

    mailboxes: int = 1000
    mails: int = 100
    interval: float = 30
    tick: float = 10
    graph: float = 0.15
    target: float = 0.3
    memory: int = 2048
    large: float = 0.2
    failing: int = 10
    private: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the bill."""

    what: str
    amount: str
    dollars: float


def estimate(a: Assumptions) -> list[Item]:
    """The bill of a month.

    An instance is paid for while anything runs on it, a second at least. Mails are taken as spread
    evenly over the day, which is the dearest way: none shares its second with another.
    """
    mails = a.mailboxes * a.mails * DAYS
    ticks = SECONDS_A_DAY / a.tick * DAYS
    polls = a.mailboxes * SECONDS_A_DAY / a.interval * DAYS
    tick_seconds = max(1.0, polls / ticks * a.graph / POLLS_AT_ONCE)
    mail_seconds = max(1.0, 3 * a.graph + a.target)
    busy = ticks * min(tick_seconds, a.tick) + min(mails * mail_seconds, SECONDS_A_DAY * DAYS)
    gigabyte_seconds = busy * a.memory / 1024
    executions = ticks + mails + SECONDS_A_DAY / 300 * DAYS
    looks = QUEUES * QUEUE_LOOKS_A_SECOND * SECONDS_A_DAY * DAYS
    tables = mails * TABLE_OPERATIONS_A_MAIL + polls * TABLE_OPERATIONS_A_POLL
    queues = mails * QUEUE_OPERATIONS_A_MAIL + looks
    blobs = mails * a.large * 3
    logs = (mails * LOG_BYTES_A_MAIL + ticks * LOG_BYTES_A_TICK) / 1e9
    paid_seconds = max(0.0, gigabyte_seconds - FREE_GB_SECONDS)
    paid_executions = max(0.0, executions - FREE_EXECUTIONS)
    items = [
        _item("execution, GB-second", paid_seconds),
        _item("executions, million", paid_executions / 1e6),
        _item("table operations, 10,000", tables / 1e4),
        _item("queue operations, 10,000", queues / 1e4),
        _item("blob operations, 10,000", blobs / 1e4),
        _item("logs taken in, GB", logs),
        _item("alert on logs, every 5 minutes", LOG_ALERTS["PT5M"]),
        _item("alert on logs, every 15 minutes", LOG_ALERTS["PT15M"]),
        _item("further series of such an alert", a.failing),
        _item("alert on a metric, each", METRIC_ALERTS),
    ]
    if a.private:
        hours = DAYS * 24
        items.append(_item("private endpoint, hour", PRIVATE_ENDPOINTS * hours))
        items.append(_item("NAT gateway, hour", hours))
    return items


def _item(what: str, amount: float) -> Item:
    return Item(what, f"{amount:,.1f}", amount * PRICES[what])


def table(items: Sequence[Item]) -> str:
    """The bill as Markdown."""
    lines = ["| what | how much | each | a month |", "|---|---:|---:|---:|"]
    lines += [
        f"| {one.what} | {one.amount} | ${_price(one.what)} | ${one.dollars:,.2f} |"
        for one in items
    ]
    total = sum(one.dollars for one in items)
    return "\n".join([*lines, f"| **together** | | | **${total:,.2f}** |"]) + "\n"


def _price(what: str) -> str:
    return f"{PRICES[what]:.6f}".rstrip("0").rstrip(".")


def main(arguments: Sequence[str]) -> None:
    """Prints the bill for the given assumptions."""
    parser = argparse.ArgumentParser(prog="python -m infra.estimate", description=__doc__)
    known = Assumptions()
    for name in (one.name for one in fields(Assumptions) if one.name != "private"):
        default = getattr(known, name)
        parser.add_argument(f"--{name}", type=type(default), default=default, help=str(default))
    parser.add_argument("--private", action="store_true", help="with the private network")
    sys.stdout.write(table(estimate(Assumptions(**vars(parser.parse_args(arguments))))))


if __name__ == "__main__":
    main(sys.argv[1:])
