"""The lock of what is deployed, beside the list that people read."""

from pathlib import Path

import pytest

from localdev.package.requirements import LISTED, LOCK, disagreements, locked

ROOT = Path(__file__).parents[2]
HASH = "--hash=sha256:" + "0a" * 32


def project(folder: Path, listed: str, lock: str) -> Path:
    """A project with these two files."""
    (folder / LISTED).write_text(listed)
    (folder / LOCK).write_text(lock)
    return folder


def test_the_lock_is_that_of_the_list() -> None:
    """If not, `python3 dev.py lock` writes it anew, and keeps what need not change."""
    assert disagreements(ROOT) == [], "run: python3 dev.py lock"


def test_every_entry_has_a_hash_of_each_file() -> None:
    """One at least; of compiled packages one for each platform."""
    entries = locked((ROOT / LOCK).read_text())

    assert len(entries) > 50
    assert len(entries["aiohttp"].hashes) > 20


def test_no_platform_is_asked_for() -> None:
    """It is locked for Linux; pip would compare a marker with the machine that builds."""
    assert ";" not in (ROOT / LOCK).read_text()


@pytest.mark.parametrize(
    ("lock", "problem"),
    [
        (f"Aa-b==1.1 \\\n    {HASH}\n", "aa-b: 1.0 is listed, 1.1 locked"),
        (f"c==1.0 \\\n    {HASH}\n", "aa-b: 1.0 is listed, None locked"),
        ("aa-b==1.0\n", "aa-b: no hash"),
        (f"--index-url x\naa-b==1.0 \\\n    {HASH}\n", "it names an index or a path"),
        (f"aa-b==1.0 \\\n    {HASH}\n# https://example.org\n", "it names an index or a path"),
    ],
)
def test_a_disagreement_is_named(tmp_path: Path, lock: str, problem: str) -> None:
    """The package, and both versions."""
    assert disagreements(project(tmp_path, "# why\naa_b==1.0\n", lock)) == [problem]


def test_two_that_agree_have_no_problem(tmp_path: Path) -> None:
    """However a name is spelled; what comes along is in the lock alone."""
    lock = f"a-b==1.0 \\\n    {HASH}\nother==3 \\\n    {HASH} \\\n    {HASH}\n"

    assert disagreements(project(tmp_path, "A_b==1.0\n", lock)) == []
