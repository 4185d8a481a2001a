"""The deployed package: its pieces, and one that is really built and run (needs the network)."""

import json
import re
import sys
import zipfile
from email.message import Message
from pathlib import Path, PurePosixPath

import pytest

from localdev.functions_host.functions import load_app, read_functions
from localdev.package.archive import put_in_place, write_zip
from localdev.package.build import Options, OutOfDate, Package, build
from localdev.package.cold_start import cold_start
from localdev.package.contents import Component
from localdev.package.install import NoNetwork
from localdev.package.licences import LicenceNotAllowed, check_licences, is_allowed, licence_of
from localdev.package.pruning import (
    StillNeeded,
    check_nothing_needed_is_gone,
    imports_in,
    prune,
    update_records,
)
from localdev.package.requirements import LOCK, locked, pins
from localdev.package.sources import deployed_files
from localdev.package.target import DEFAULT, PYTHON, BadPlatform, Target, other_python

ROOT = Path(__file__).parents[2]
SITE = ".python_packages/lib/site-packages/"
OURS = {"LICENSE", "function_app.py", "host.json", "requirements.txt", "shared"}


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The package as it is deployed; skips where no index of packages can be reached."""
    options = Options(output=tmp_path_factory.mktemp("package"), target=Target.of(DEFAULT))
    try:
        return build(options, lambda _: None)
    except NoNetwork as reason:
        pytest.skip(f"no package index: {reason}")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Installed packages, among them an SDK with more than is needed."""
    for name in (
        "msgraph/__init__.py",
        "msgraph/generated/client.py",
        "msgraph/generated/kiota-lock.json",
        "msgraph/generated/models/__init__.py",
        "msgraph/generated/users/item/builder.py",
        "other/generated/models/user.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def metadata(**fields: str) -> Message:
    """What a distribution says of itself."""
    said = Message()
    for name, value in fields.items():
        said[name.replace("_", "-")] = value
    return said


def test_the_package_runs_by_itself(package: Package) -> None:
    """All its modules are imported with nothing but its own libraries, and its functions listed."""
    if not Target.of(DEFAULT).is_this_machine:
        pytest.skip("the package is for another platform than this")

    assert package.functions == [one.name for one in read_functions(load_app(ROOT), {})]


async def test_the_package_polls(package: Package, tmp_path: Path) -> None:
    """And queues every mail: the SDK works without what was left out of it."""
    if not Target.of(DEFAULT).is_this_machine:
        pytest.skip("the package is for another platform than this")
    with zipfile.ZipFile(package.zip) as archive:
        archive.extractall(tmp_path)

    assert (await cold_start(tmp_path)).cpu > 0


def test_the_package_holds_what_is_needed_and_no_more(package: Package) -> None:
    """Ours, the locked libraries, bytecode if this Python is Azure's, and none of our tools."""
    with zipfile.ZipFile(package.zip) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names} - {".python_packages", "__pycache__"}

    assert top == OURS
    assert names == sorted(names, key=PurePosixPath)
    assert f"{SITE}msgraph/graph_request_adapter.py" in names
    assert not [
        name for name in names if name.startswith((f"{SITE}msgraph/generated/m", f"{SITE}bin/"))
    ]
    assert any(name.endswith(".pyc") for name in names) == package.compiled
    assert package.unpacked.bytes < package.installed.bytes / 2


def test_what_azd_and_core_tools_zip_is_the_same(package: Package) -> None:
    """And an ignore file that ignores nothing, without which azd would leave bytecode out."""
    with zipfile.ZipFile(package.zip) as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}
    unpacked = {
        file.relative_to(package.app).as_posix(): file.read_bytes()
        for file in package.app.rglob("*")
        if file.is_file()
    }

    assert unpacked == packed | {".funcignore": b""}


def test_the_packages_list_of_requirements_has_hashes(package: Package) -> None:
    """Should Azure install them after all, pip compares."""
    assert (package.app / "requirements.txt").read_bytes() == (ROOT / LOCK).read_bytes()


def test_the_bill_names_every_library(package: Package) -> None:
    """With version, licence, and the hash of the wheel, which is one of the lock's."""
    bill = json.loads(package.bill.read_text())
    lock = locked((ROOT / LOCK).read_text())
    components = {one["name"]: one for one in bill["components"]}

    assert components.keys() == lock.keys()
    for name, one in components.items():
        assert one["version"] == lock[name].version
        assert one["hashes"][0]["content"] in lock[name].hashes
        assert one["licenses"]
    app, *_ = bill["dependencies"]
    listed = pins((ROOT / "requirements.txt").read_text())
    assert {ref.split("/")[1].split("@")[0] for ref in app["dependsOn"]} == listed.keys()
    assert "://" not in package.bill.read_text()
    assert package.notices.read_text().count("\n| ") == len(lock) + 1


def test_a_lock_that_is_out_of_date_stops_the_build(tmp_path: Path) -> None:
    """And says what to do."""
    (tmp_path / "requirements.txt").write_text("a==2\n")
    (tmp_path / LOCK).write_text("a==1\n")

    with pytest.raises(OutOfDate, match=r"a: 2 is listed, 1 locked.*python3 dev.py lock"):
        build(Options(output=tmp_path, target=Target.of(DEFAULT)), lambda _: None, tmp_path)


def test_only_what_azure_needs_is_deployed() -> None:
    """All of our modules, and what the platform reads."""
    files = set(deployed_files(ROOT))
    modules = {file.relative_to(ROOT) for file in (ROOT / "shared").rglob("*.py")}

    assert {file.parts[0] for file in files} == OURS
    assert {file for file in files if file.parts[0] == "shared"} == modules


def core_tools_takes(path: str) -> bool:
    """Whether Core Tools would publish a file from the project's folder.

    To it a pattern is the beginning of a path, and one with `!` goes before all others.
    """
    lines = [line for line in (ROOT / ".funcignore").read_text().split() if line[0] in "/!"]

    def named(patterns: list[str]) -> bool:
        escaped = (re.escape(one.lstrip("!/")) for one in patterns)
        rules = [one.replace(r"\*\*", ".+").replace(r"\*", "[^/]+") for one in escaped]
        return any(re.match(rf"{rule}\b", path) for rule in rules)

    taken = [line for line in lines if line.startswith("!")]
    return named(taken) or not named([line for line in lines if not line.startswith("!")])


DIRT = (
    *("rows.json", "rows.yaml", "erp-token.txt", ".env", "app.env", "server.pem", "id.key"),
    *("venv/lib/a.py", ".vscode/settings.json", ".azure/mail-prod/.env", "notes.py", "main.zip"),
    *("local.settings.json", ".python_packages/lib/a.py", "notes.orig~", "tests/shared/a.py"),
)


def test_what_else_lies_in_the_folder_is_not_deployed(tmp_path: Path) -> None:
    """Secrets, rows, environments: nobody has to think of them beforehand."""
    for name in (*DIRT, "shared/.env", "shared/rows.json", "shared/__pycache__/a.cpython-311.pyc"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for name in (".funcignore", "host.json", "function_app.py", "shared/domain/mail.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())

    assert [file.as_posix() for file in deployed_files(tmp_path)] == [
        "function_app.py",
        "host.json",
        "shared/domain/mail.py",
    ]


def test_core_tools_deploys_nothing_else_from_the_folder_either() -> None:
    """For those who publish from there, though it is not what we advise."""
    assert [name for name in DIRT if core_tools_takes(name)] == []
    assert all(core_tools_takes(file.as_posix()) for file in deployed_files(ROOT))


def test_a_build_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    """Whole: no file of the former stays."""
    place = tmp_path / "app"
    for name in ("a.py", "b.py"):
        tree = tmp_path / "new"
        tree.mkdir()
        (tree / name).write_text(name)
        put_in_place(tree, place)

    assert [file.name for file in place.iterdir()] == ["b.py"]
    assert list(tmp_path.iterdir()) == [place]


def test_another_python_says_that_it_does_not_compile(monkeypatch: pytest.MonkeyPatch) -> None:
    """And how to come by the right one."""
    here = other_python()
    monkeypatch.setattr("localdev.package.target.PYTHON", (2, 7))

    assert (here == "") == (sys.version_info[:2] == PYTHON)
    assert "remove .venv, then python2.7 dev.py package" in other_python()


def test_the_same_files_give_the_same_zip(tmp_path: Path) -> None:
    """Whenever they were written, and in whatever order."""
    for names in (("b.py", "a.py"), ("a.py", "b.py")):
        tree = tmp_path / names[0]
        tree.mkdir()
        for number, name in enumerate(names):
            (tree / name).write_text(name)
            (tree / name).chmod(0o600 + number * 0o77)
        write_zip(tree, tmp_path / f"{names[0]}.zip")

    assert (tmp_path / "a.py.zip").read_bytes() == (tmp_path / "b.py.zip").read_bytes()


def test_what_is_left_out_is_the_sdk_s_endpoints_and_models(site: Path) -> None:
    """And nobody else's."""
    removed = prune(site)

    assert {str(file) for file in removed} == {
        "msgraph/generated/kiota-lock.json",
        "msgraph/generated/models/__init__.py",
        "msgraph/generated/users/item/builder.py",
    }
    left = {str(file.relative_to(site)) for file in site.rglob("*.*") if file.is_file()}
    assert left == {
        "msgraph/__init__.py",
        "msgraph/generated/client.py",
        "other/generated/models/user.py",
    }


@pytest.mark.parametrize(
    "code",
    [
        "import msgraph.generated.models",
        "def late():\n    from msgraph.generated.users.item import builder",
        "from msgraph.generated import users",
        "from msgraph.generated.models import message",
    ],
)
def test_an_import_of_what_was_left_out_stops_the_build(site: Path, code: str) -> None:
    """Wherever in our code it stands."""
    removed = prune(site)
    source = site / "ours.py"
    source.write_text(code)

    with pytest.raises(StillNeeded, match=r"msgraph\.generated\.\w+.*--whole"):
        check_nothing_needed_is_gone(removed, imports_in([source]))


def test_an_import_of_what_is_there_does_not(site: Path) -> None:
    """Nor one from a package beside what was left out."""
    removed = prune(site)

    check_nothing_needed_is_gone(
        removed, ["msgraph", "msgraph.generated", "msgraph.generated.client", "other.generated"]
    )


def test_the_list_of_installed_files_is_that_of_the_package(tmp_path: Path) -> None:
    """What is not there is not named in it."""
    record = tmp_path / "a-1.dist-info" / "RECORD"
    record.parent.mkdir()
    (tmp_path / "a.py").touch()
    record.write_text('../../bin/a,sha256=x,1\na.py,sha256=y,0\n"b,c.py",,\n')
    update_records(tmp_path)

    assert record.read_text() == "a.py,sha256=y,0\n"


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ({"License_Expression": "Apache-2.0 AND MIT", "License": "x"}, "Apache-2.0 AND MIT"),
        ({"License": "mit"}, "MIT"),
        ({"License": "Apache 2.0", "Classifier": "License :: OSI Approved :: MIT License"}, "MIT"),
        ({"Classifier": "License :: OSI Approved :: BSD License"}, "BSD"),
        ({"Classifier": "License :: Other/Proprietary License"}, None),
        ({"License": "ask us"}, None),
    ],
)
def test_a_licence_is_read_where_it_is_said_best(said: dict[str, str], licence: str | None) -> None:
    """An expression, else a name of SPDX's, else a classifier."""
    assert licence_of(metadata(**said)) == licence


@pytest.mark.parametrize(
    ("licence", "allowed"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("MIT AND (ISC OR GPL-3.0-only)", False),
        ("Apache-2.0 WITH LLVM-exception", False),
        (None, False),
    ],
)
def test_a_licence_that_nobody_has_allowed_is_not(licence: str | None, *, allowed: bool) -> None:
    """One of a choice is enough; what is not understood is for a person to judge."""
    assert is_allowed(licence) is allowed


def test_a_licence_that_is_not_allowed_stops_the_build() -> None:
    """And says whose it is."""
    component = Component("a", "1", "AGPL-3.0-only", (), (), "")

    with pytest.raises(LicenceNotAllowed, match=r"a 1 \(AGPL-3.0-only\)"):
        check_licences([component])


def test_wheels_for_older_systems_will_do() -> None:
    """A platform is taken by its word: each one is named."""
    assert list(Target.of("manylinux_2_19_aarch64").tags) == [
        "manylinux_2_19_aarch64",
        "manylinux_2_18_aarch64",
        "manylinux_2_17_aarch64",
        "manylinux2014_aarch64",
    ]


@pytest.mark.parametrize("tag", ["linux_x86_64", "win_amd64", "manylinux_2_28_riscv"])
def test_another_platform_is_refused(tag: str) -> None:
    """With one that is possible."""
    with pytest.raises(BadPlatform, match=DEFAULT):
        Target.of(tag)
