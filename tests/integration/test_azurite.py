import asyncio
import os
import sys
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceExistsError
from azure.data.tables.aio import TableServiceClient
from azure.storage.blob.aio import BlobServiceClient
from azure.storage.queue.aio import QueueClient

from localdev import azurite as azurite_module
from localdev.azurite import Azurite, AzuriteError

PROJECT = Path(__file__).resolve().parents[2]


async def test_serves_queues_tables_and_blobs() -> None:
    """At the ports that its connection string names."""
    async with Azurite() as azurite:
        text = azurite.connection_string
        async with (
            QueueClient.from_connection_string(text, "emails") as queue,
            TableServiceClient.from_connection_string(text) as tables,
            BlobServiceClient.from_connection_string(text) as blobs,
        ):
            await queue.create_queue()
            await tables.create_table("subscriptions")
            await blobs.create_container("documents")

            assert [table.name async for table in tables.list_tables()] == ["subscriptions"]
            assert [item.name async for item in blobs.list_containers()] == ["documents"]


async def test_several_run_side_by_side() -> None:
    """Each at free ports of its own."""
    async with Azurite() as one, Azurite() as other:
        ports = {item.queue_port for item in (one, other)} | {one.blob_port, one.table_port}

    assert len(ports) == 4


async def test_a_directory_outlives_it(tmp_path: Path) -> None:
    """What was stored is there for the next one."""
    for attempt in range(2):
        async with (
            Azurite(tmp_path) as azurite,
            QueueClient.from_connection_string(azurite.connection_string, "emails") as queue,
        ):
            if attempt == 0:
                await queue.create_queue()
            else:
                with pytest.raises(ResourceExistsError):
                    await queue.create_queue()


async def test_a_port_that_is_taken_is_an_error() -> None:
    """With what Azurite says of it."""
    async with Azurite() as azurite:
        with pytest.raises(AzuriteError, match="EADDRINUSE"):
            await Azurite(queue_port=azurite.queue_port).__aenter__()


async def test_nothing_is_left_behind() -> None:
    """After a cancellation inside the block."""
    started = asyncio.Event()
    pids = []

    async def use() -> None:
        async with Azurite() as azurite:
            pids.append(azurite.pid)
            started.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(use())
    async with asyncio.timeout(60):
        await started.wait()
        task.cancel()
        await asyncio.wait({task})

    assert task.cancelled()
    assert not _runs(pids[0])


@pytest.mark.skipif(sys.platform == "win32", reason="kills with a signal")
async def test_it_ends_when_its_parent_is_killed() -> None:
    """However the parent ends, the emulator notices."""
    script = (
        "import asyncio, os, signal\n"
        "from localdev.azurite import Azurite\n"
        "async def main():\n"
        "    async with Azurite() as azurite:\n"
        "        print(azurite.pid, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(60):
        output, _ = await parent.communicate()
        while _runs(int(output)):  # noqa: ASYNC110 - it is no child of ours
            await asyncio.sleep(0.05)


def test_a_missing_package_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """Node and Azurite both come with the setup."""
    monkeypatch.setattr(azurite_module, "_SCRIPT", PROJECT / "nowhere.js")
    with pytest.raises(AzuriteError, match=r"dev\.py setup"):
        azurite_module.find_script()


def test_finds_node_beside_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no node is on the PATH; else it says what to do."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(AzuriteError, match=r"dev\.py setup"):
        azurite_module.find_node()
    node = tmp_path / ("node.exe" if sys.platform == "win32" else "node")
    node.touch()

    assert azurite_module.find_node() == str(node)


def _runs(pid: int | None) -> bool:
    """Tell whether a process runs; one that has ended and waits for its parent does not."""
    try:
        os.kill(pid or 0, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")
