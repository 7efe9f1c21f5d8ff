"""What is shipped: the exact files of the wheel, and exactly the dependencies that enter the image."""

import re
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGES = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
LOCKED = {package["name"]: package for package in PACKAGES}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    tracked = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src/argosy").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    described = {f"argosy-{PROJECT['version']}.dist-info/{name}" for name in
                 ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")}  # fmt: skip
    assert set(wheel.namelist()) == tracked | described
    assert {Path(name).suffix for name in tracked} <= {".py", ".typed", ".json", ".toml", ".css", ".template"}


def test_the_wheel_says_where_its_types_and_its_command_are(wheel: zipfile.ZipFile) -> None:
    assert "argosy/py.typed" in wheel.namelist()
    commands = wheel.read(f"argosy-{PROJECT['version']}.dist-info/entry_points.txt").decode()
    assert [line for line in commands.splitlines() if line] == [
        "[console_scripts]",
        "argosy = argosy.cli.main:main",
        "[pytest11]",
        "argosy = argosy.testing.pytest_plugin",
    ]


def test_the_base_install_is_what_enters_the_image(wheel: zipfile.ZipFile) -> None:
    metadata = HeaderParser().parsestr(wheel.read(f"argosy-{PROJECT['version']}.dist-info/METADATA").decode())
    required = [line for line in metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert {re.split(r"[<>=!~; ]", line)[0] for line in required} == {"uvicorn", "uvloop", "httptools", "orjson"}
    assert _closure("argosy") == {"argosy", "uvicorn", "uvloop", "httptools", "orjson", "click", "h11"}


def test_the_version_is_the_newest_of_the_changelog() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert versions[0] == PROJECT["version"]


def test_the_lock_names_only_the_public_index() -> None:
    text = (ROOT / "uv.lock").read_text()
    hosts = set(re.findall(r"(?:https?|file)://[^/\"]*", text))
    assert hosts == {"https://pypi.org", "https://files.pythonhosted.org"}
    assert [name for name, package in LOCKED.items() if "registry" not in package["source"]] == ["argosy"]


def test_the_examples_pins_are_the_locks() -> None:
    """The pickle of the example was written by the locked scikit-learn; the image must get the same."""
    lines = (ROOT / "examples/breast-cancer/requirements.txt").read_text().splitlines()
    pins = {tuple(line.split("==")) for line in lines if not line.startswith("#")}
    locked = {(package["name"], package.get("version")) for package in PACKAGES}
    assert pins <= locked


def _closure(name: str) -> set[str]:
    """A distribution and everything that it brings on Linux, by the lock."""
    found = {name}
    for dependency in LOCKED[name].get("dependencies", []):
        if "win32" not in dependency.get("marker", "") and dependency["name"] not in found:
            found |= _closure(dependency["name"])
    return found
