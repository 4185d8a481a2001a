"""The simulator as a command of its own."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, "-m", "localdev.graph_simulator"]


async def test_help_names_every_option() -> None:
    """`--help` explains what can be set."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, "--help", cwd=ROOT, stdout=subprocess.PIPE
    )
    output, _ = await process.communicate()

    assert process.returncode == 0
    for option in ("--port", "--token-port", "--mail-dir", "--mailbox", "--latency-ms", "--seed"):
        assert option.encode() in output


async def test_it_prints_where_it_listens_and_serves_the_mail_of_a_folder(tmp_path: Path) -> None:
    """The printed environment is enough to get a token, and the token to read the mail."""
    (tmp_path / "mail").mkdir()
    (tmp_path / "mail" / "one.eml").write_bytes(b"Subject: from a file\r\n\r\nHello")
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        *("--mail-dir", str(tmp_path / "mail")),
        *("--mailbox", "a@contoso.example", "--mailbox", "b@contoso.example"),
        *("--ca-dir", str(tmp_path / "ca")),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    printed: dict[str, str] = {}
    while "IDENTITY_HEADER" not in printed:
        name, _, value = (await process.stdout.readline()).decode().strip().partition("=")
        printed[name] = value
    try:
        async with aiohttp.ClientSession() as session:
            async with session.get(
                printed["IDENTITY_ENDPOINT"],
                params={"resource": "https://graph.microsoft.com", "api-version": "2019-08-01"},
                headers={"X-IDENTITY-HEADER": printed["IDENTITY_HEADER"]},
            ) as response:
                token = (await response.json())["access_token"]
            async with session.get(
                f"{printed['graph_url']}/v1.0/users/b@contoso.example/messages",
                headers={"Authorization": f"Bearer {token}"},
            ) as response:
                subjects = [m["subject"] for m in (await response.json())["value"]]
    finally:
        process.terminate()
        await process.wait()

    assert subjects == ["from a file"]
    assert process.returncode == 0
