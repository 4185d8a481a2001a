"""The simulator as a command: `python3 -m localdev.graph_simulator --help`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from localdev.graph_simulator import Faults, GraphSimulator, RunningSimulator


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a simulator until it is interrupted."""
    options = _parser().parse_args(arguments)
    simulator = GraphSimulator(
        faults=Faults(latency=options.latency_ms / 1000, rate=options.fault_rate, seed=options.seed)
    )
    for address in options.mailbox or ["support@contoso.example"]:
        simulator.add_mailbox(address)
        for path in _mail_files(options.mail_dir):
            simulator.deliver(address, path.read_bytes())
    for user in options.user or ():
        address, _, shared = user.partition("=")
        simulator.add_user(address, shared=[one for one in shared.split(",") if one])
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(simulator, options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 -m localdev.graph_simulator",
        description="A Microsoft Graph for mail, on this machine and in memory.",
    )
    parser.add_argument("--port", type=int, default=0, help="Graph's port; any free one by default")
    parser.add_argument("--token-port", type=int, default=0, help="the identity platform's port")
    parser.add_argument("--mail-dir", type=Path, help="deliver the .eml files in and below DIR")
    parser.add_argument(
        "--mailbox",
        action="append",
        metavar="ADDRESS",
        help="a mailbox to have; may be repeated; support@contoso.example by default",
    )
    parser.add_argument(
        "--user",
        action="append",
        metavar="ADDRESS[=SHARED,…]",
        help="somebody who can sign in, and the shared mailboxes that this person may open",
    )
    parser.add_argument("--latency-ms", type=float, default=0, help="what each request takes")
    parser.add_argument("--fault-rate", type=float, default=0, help="share of requests that fail")
    parser.add_argument("--seed", type=int, default=0, help="what faults are drawn from")
    parser.add_argument("--ca-dir", type=Path, help="where certificates are kept for next time")
    return parser


def _mail_files(directory: Path | None) -> list[Path]:
    return sorted(directory.rglob("*.eml")) if directory else []


async def _serve(simulator: GraphSimulator, options: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    if os.name == "posix":
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with simulator.serve(options.port, options.token_port, options.ca_dir) as running:
        sys.stdout.write(_summary(simulator, running))
        sys.stdout.flush()
        await stopped.wait()


def _summary(simulator: GraphSimulator, running: RunningSimulator) -> str:
    lines = [
        f"graph_url={running.graph_url}",
        f"tenant_id={simulator.tenant_id}",
        f"client_id={simulator.client_id}",
        f"client_secret={simulator.secret}",
        *(f"mailbox={each.address}" for each in simulator.directory.mailboxes.values()),
        *(f"{name}={value}" for name, value in running.environment.items()),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
