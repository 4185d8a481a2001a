"""Finds the engine's distribution, or fetches it once through Maven.

It is published under the Camunda License 1.0, which allows its use outside production; it is
fetched by whoever runs the tests, and is no part of this project.
"""

import asyncio
import hashlib
import logging
import os
import shutil
import tarfile
import tempfile
from pathlib import Path

import aiohttp

from localdev.engine.errors import EngineUnavailable

VERSION = "8.6.0"
SHA256 = "5c699e86a6c9d290dd7b1f0b2ea648fb57fd1dacf1cab22c874219e58827ea45"

_ARCHIVE = f"camunda-zeebe-{VERSION}.tar.gz"
_COORDINATES = f"io.camunda:camunda-zeebe:{VERSION}:tar.gz"
_PATH = f"io/camunda/camunda-zeebe/{VERSION}/{_ARCHIVE}"
REPOSITORY = "MAVEN_REPOSITORY"
"""The environment variable that names a Maven repository, for machines without Maven."""

_FETCH_SECONDS = 900.0
_CONNECT_SECONDS = 10.0
_BLOCK_BYTES = 1 << 20

logger = logging.getLogger(__name__)


def cache_directory() -> Path:
    """Where distributions are kept between runs; one of them takes some 310 MB."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "m365-mail-connector" / "engine"


async def find_distribution(cache: Path | None = None) -> Path:
    """Returns the directory of the unpacked distribution; fetches it if it is not there.

    By `mvn` where that is on the PATH, so that mirrors and credentials in the user's own settings
    count; else from the repository that the variable :data:`REPOSITORY` names.

    Args:
        cache: where to keep it; without it, below the user's cache directory.

    Raises:
        EngineUnavailable: it cannot be fetched, is not what was published, or does not fit.
    """
    cache = cache or cache_directory()
    home = cache / VERSION
    if home.is_dir():
        return home
    logger.info("Fetching the engine %s, some 300 MB, into %s", VERSION, home)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, prefix="fetching-") as scratch:
            archive = Path(scratch) / _ARCHIVE
            mvn = shutil.which("mvn")
            await (_copy_by_maven(mvn, archive) if mvn else _download(archive))
            unpacked = await asyncio.to_thread(_unpack, archive)
            _put(unpacked, home)
    except (OSError, tarfile.TarError) as error:
        raise EngineUnavailable(f"The engine cannot be put into {home}: {error}") from error
    return home


async def _copy_by_maven(mvn: str, archive: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *[mvn, "--batch-mode", "--no-transfer-progress", "dependency:copy"],
        *[f"-Dartifact={_COORDINATES}", f"-DoutputDirectory={archive.parent}"],
        cwd=archive.parent,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_FETCH_SECONDS):
            output, _ = await process.communicate()
    except TimeoutError as error:
        raise EngineUnavailable(f"mvn did not fetch {_COORDINATES} in time.") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        errors = [line for line in output.decode(errors="replace").splitlines() if "ERROR" in line]
        raise EngineUnavailable("\n".join([f"mvn cannot fetch {_COORDINATES}:", *errors[:1]]))


async def _download(archive: Path) -> None:
    repository = os.environ.get(REPOSITORY, "").rstrip("/")
    if not repository:
        raise EngineUnavailable(
            f"There is no mvn on the PATH to fetch {_COORDINATES} with, and {REPOSITORY} names no"
            " repository."
        )
    address = f"{repository}/{_PATH}"
    timeout = aiohttp.ClientTimeout(_FETCH_SECONDS, sock_connect=_CONNECT_SECONDS)
    try:
        # unlike the tests' own traffic, this may have to go by way of a proxy
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(address, raise_for_status=True) as response,
        ):
            with archive.open("wb") as file:
                async for block in response.content.iter_chunked(_BLOCK_BYTES):
                    file.write(block)
    except (aiohttp.ClientError, TimeoutError) as error:
        told = str(error) or type(error).__name__
        raise EngineUnavailable(f"{address} cannot be fetched: {told}") from error


def _unpack(archive: Path) -> Path:
    with archive.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != SHA256:
            raise EngineUnavailable(f"{_ARCHIVE} is not the one that was published.")
    with tarfile.open(archive) as packed:
        packed.extractall(archive.parent, filter="data")
    return archive.parent / _ARCHIVE.removesuffix(".tar.gz")


def _put(unpacked: Path, home: Path) -> None:
    """Makes it appear whole or not at all."""
    try:
        unpacked.rename(home)
    except OSError:
        # another run was faster, which is as good
        if not home.is_dir():
            raise
