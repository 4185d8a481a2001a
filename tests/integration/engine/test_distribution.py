import hashlib
import io
import os
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from localdev.engine import EngineUnavailable, distribution
from localdev.engine.distribution import VERSION, find_distribution

NAME = f"camunda-zeebe-{VERSION}"


def archive() -> bytes:
    """A distribution in small."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as files:
        entry = tarfile.TarInfo(f"{NAME}/lib/engine.jar")
        entry.size = 3
        files.addfile(entry, io.BytesIO(b"jar"))
    return packed.getvalue()


def names(directory: Path) -> list[str]:
    """What a directory holds."""
    return [entry.name for entry in directory.iterdir()]


class Central:
    """A Maven repository: serves one archive, and counts."""

    def __init__(self) -> None:
        self.content = archive()
        self.status = 200
        self.requests = 0

    async def handle(self, _: web.BaseRequest) -> web.StreamResponse:
        """Answers."""
        self.requests += 1
        return web.Response(status=self.status, body=self.content)


@pytest.fixture
async def central(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Central]:
    """On a machine without mvn."""
    serving = Central()
    runner = web.ServerRunner(web.Server(serving.handle, access_log=None))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/maven"
    monkeypatch.setenv(distribution.REPOSITORY, url)
    monkeypatch.setattr(distribution, "SHA256", hashlib.sha256(serving.content).hexdigest())
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    yield serving
    await runner.cleanup()


async def test_it_is_fetched_once(central: Central, tmp_path: Path) -> None:
    """And nothing but the distribution is kept."""
    homes = [await find_distribution(tmp_path / "cache") for _ in range(2)]

    assert homes == [tmp_path / "cache" / VERSION] * 2
    assert (homes[0] / "lib" / "engine.jar").read_bytes() == b"jar"
    assert names(tmp_path / "cache") == [VERSION]
    assert central.requests == 1


@pytest.mark.parametrize(
    ("status", "content", "told"),
    [(404, b"", "cannot be fetched: 404"), (200, b"other", "not the one that was published")],
)
async def test_what_is_not_it_is_not_kept(
    central: Central, tmp_path: Path, status: int, content: bytes, told: str
) -> None:
    """The text tells why."""
    central.status, central.content = status, content

    with pytest.raises(EngineUnavailable, match=told):
        await find_distribution(tmp_path)

    assert names(tmp_path) == []


async def test_where_nobody_says_whence_it_is_not_fetched(
    central: Central, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text tells what is missing."""
    monkeypatch.delenv(distribution.REPOSITORY)

    with pytest.raises(EngineUnavailable, match="MAVEN_REPOSITORY names no repository"):
        await find_distribution(tmp_path)

    assert central.requests == 0


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for mvn is a shell script")
async def test_mvn_is_asked_where_there_is_one(
    central: Central, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It knows the mirrors; what it says of a failure is told."""
    mvn = tmp_path / "bin" / "mvn"
    mvn.parent.mkdir()
    mvn.write_text("#!/bin/sh\necho '[INFO] Scanning'\necho '[ERROR] Could not transfer'\nexit 1\n")
    mvn.chmod(0o755)
    monkeypatch.setenv("PATH", str(mvn.parent))

    with pytest.raises(EngineUnavailable, match=r"mvn cannot fetch .*\n.*Could not transfer"):
        await find_distribution(tmp_path / "cache")

    (tmp_path / "published").write_bytes(central.content)
    mvn.write_text(
        "#!/bin/sh\nfor option; do case $option in -DoutputDirectory=*) target=${option#*=};; esac;"
        f' done\n/bin/cp {tmp_path}/published "$target/{NAME}.tar.gz"\n'
    )
    assert (await find_distribution(tmp_path / "cache")).is_dir()
    assert central.requests == 0
