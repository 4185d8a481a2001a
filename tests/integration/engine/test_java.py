from pathlib import Path

import pytest

from localdev.engine import EngineUnavailable, java
from localdev.engine.java import find_java


@pytest.fixture
def jvms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Java; its usual directory."""
    directory = tmp_path / "jvm"
    directory.mkdir()
    monkeypatch.setattr(java, "_USUAL_DIRECTORY", directory)
    monkeypatch.setattr(java, "_PACKAGE", "no_such_package")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    return directory


def install(home: Path, release: str | None) -> Path:
    """A Java that tells its version in a file, or prints it."""
    program = home / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\necho 'openjdk version \"22\" 2024-03-19' >&2\n")
    program.chmod(0o755)
    if release:
        (home / "release").write_text(f'IMPLEMENTOR="x"\nJAVA_VERSION="{release}"\n')
    return program


def test_the_users_choice_comes_first(
    jvms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JAVA_HOME, then the PATH, then the usual directory."""
    usual = install(jvms / "a-25", "25.0.1")
    assert find_java() == usual

    on_path = install(tmp_path / "on-path", "24")
    monkeypatch.setenv("PATH", str(on_path.parent))
    assert find_java() == on_path

    chosen = install(tmp_path / "chosen", "21.0.2")
    monkeypatch.setenv("JAVA_HOME", str(chosen.parent.parent))
    assert find_java() == chosen


@pytest.mark.parametrize("old", ["17.0.15", "1.8.0_402"])
def test_one_that_is_too_old_is_passed_over(
    jvms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str
) -> None:
    """Though the user chose it."""
    monkeypatch.setenv("JAVA_HOME", str(install(tmp_path / "chosen", old).parent.parent))
    usual = install(jvms / "b-21", "21")

    assert find_java() == usual


def test_one_without_a_release_file_is_asked(jvms: Path) -> None:
    """Some distributions leave it out."""
    program = install(jvms / "b-22", None)

    assert find_java(22) == program


def test_the_python_package_comes_last(
    jvms: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs no installation by root."""
    packaged = install(tmp_path / "runtime", "25")
    (tmp_path / "packaged_java.py").write_text(f"JAVA_HOME = {str(tmp_path / 'runtime')!r}\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(java, "_PACKAGE", "packaged_java")
    assert find_java() == packaged

    usual = install(jvms / "a-21", "21")
    assert find_java() == usual


def test_none_will_do(jvms: Path) -> None:
    """The text names those that were found."""
    install(jvms / "b-17", "17.0.15")
    (jvms / "not-java").mkdir()

    with pytest.raises(EngineUnavailable, match=r"Java 21 or later .*/b-17/bin/java \(17\)"):
        find_java()
