import json
import os
import shutil
import site
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.image.blobs import BlobStore
from argosy.registry.layout import read_layout, write_layout
from tests.image.dependencies.sources import files, sdist, write
from tests.image.images import image
from tests.image.web import PackageIndex, serving, uv_environment, wheel

TOML = """
[model]
predictor = "predictor:Model"
[image]
base = "oci:{base}"
dependencies = ["requirements.txt", "mine"]
"""


@dataclass(frozen=True)
class Desk:
    """A project, its base image, and an index on loopback with what it needs."""

    project: Path
    index: PackageIndex
    environ: Mapping[str, str]

    def run(self, *arguments: object, python: object = sys.executable) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-m", "argosy", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, env=self.environ)

    def lock(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        return self.run("lock", self.project, *arguments)

    @property
    def written(self) -> Path:
        return self.project / "pylock.argosy.toml"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    index = PackageIndex()
    index.add_server()
    index.add("model", "1.0")
    write_layout(image(BlobStore(tmp_path / "base-blobs")), tmp_path / "base", "latest")
    project = write(tmp_path / "project", {"predictor.py": b"class Model: ...\n", "requirements.txt": b"model\n"})
    (project / "argosy.toml").write_text(TOML.format(base=tmp_path / "base"))
    write(project / "mine", files("mine", "1"))
    with serving(index) as url:
        environ = {**os.environ, **uv_environment(url, tmp_path), "ARGOSY_CACHE_DIR": str(tmp_path / "cache")}
        yield Desk(project, index, environ)


def test_what_changed_is_on_stdout(desk: Desk) -> None:
    first = desk.lock()
    assert first.returncode == 0, first.stderr
    assert {"+ model 1.0", "+ mine local", "+ uvicorn 0.54.1"} < set(first.stdout.splitlines())
    assert f"wrote {desk.written}" in first.stderr
    desk.index.add("model", "2.0", "other")
    desk.index.add("other", "1")
    again = desk.lock()
    assert (again.returncode, again.stdout) == (0, "")
    upgraded = desk.lock("--upgrade-package", "model")
    assert upgraded.stdout.splitlines() == ["+ other 1", "~ model 1.0 -> 2.0"]
    (desk.project / "requirements.txt").write_text("")
    removed = desk.lock("--json")
    assert json.loads(removed.stdout) == {
        "lock": str(desk.written),
        "python": "3.11",
        "added": {},
        "removed": {"model": "2.0", "other": "1"},
        "changed": {},
    }


def test_upgrade_takes_the_newest_of_everything(desk: Desk) -> None:
    desk.lock()
    desk.index.add("model", "2.0")
    desk.index.add("h11", "0.17")
    assert desk.lock("--upgrade").stdout.splitlines() == ["~ h11 0.16 -> 0.17", "~ model 1.0 -> 2.0"]


def test_check_asks_nobody_and_writes_nothing(desk: Desk) -> None:
    missing = desk.lock("--check")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "pylock.argosy.toml is not up to date: there is no lock" in missing.stderr
    assert f"next: argosy lock {desk.project}" in missing.stderr
    desk.lock()
    asked, text = len(desk.index.requests), desk.written.read_bytes()
    assert desk.lock("--check").returncode == 0
    (desk.project / "requirements.txt").write_text("model>=1\n")
    stale = desk.lock("--check", "--json")
    assert stale.returncode == 1
    assert json.loads(stale.stdout) == {"lock": str(desk.written), "stale": "its inputs changed"}
    assert (len(desk.index.requests), desk.written.read_bytes()) == (asked, text)


def test_a_locked_build_refuses_what_would_change_the_lock(desk: Desk) -> None:
    refused = desk.run("build", desk.project, "--locked")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"hint: argosy lock {desk.project}" in refused.stderr
    assert not desk.written.exists()
    desk.lock()
    assert desk.run("build", desk.project, "--locked").returncode == 0
    (desk.project / "requirements.txt").write_text("")
    assert "the lock is not up to date: got its inputs changed" in desk.run("build", desk.project, "--locked").stderr


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["lock", "--upgrade-package", "gone"], 2, "what is to be upgraded is not in the lock: got `gone`"),
        (["build", "--host-platform", "vax"], 2, "not a platform: got `vax`"),
    ],
)
def test_an_error_is_a_sentence_and_a_code(desk: Desk, command: list[str], code: int, said: str) -> None:
    done = desk.run(command[0], desk.project, *command[1:])
    assert (done.returncode, done.stdout) == (code, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


FOREIGN = """
import os, platform, sysconfig

os.uname = lambda: os.uname_result(("Linux", "far", "1", "#1", "aarch64"))
platform.machine = lambda: "aarch64"
sysconfig.get_platform = lambda: "linux-aarch64"
"""
"""What makes a Python say that it runs on another machine, to Argosy and to uv, which asks it."""


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    """A Python with the same packages that takes its machine for an arm64 one."""
    venv.create(tmp_path / "foreign", with_pip=False, symlinks=True)
    (packages,) = (tmp_path / "foreign/lib").glob("python*/site-packages")
    ours = next(path for path in site.getsitepackages() if path.endswith("site-packages"))
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    (packages / "sitecustomize.py").write_text(FOREIGN)
    return tmp_path / "foreign/bin/python"


def test_a_foreign_machine_makes_the_same_lock_and_the_same_image(desk: Desk, foreign: Path, tmp_path: Path) -> None:
    for machine in ("x86_64", "aarch64"):
        desk.index.add(f"only_{machine}", "1")
        content = wheel("native", "1", {"native/machine.txt": machine.encode()})
        desk.index.add_file("native", f"native-1-cp311-cp311-manylinux_2_28_{machine}.whl", content)
    desk.index.add_file("source", "source-1.0.tar.gz", sdist("source", "1.0", files("source", "1.0")))
    lines = [f'only_{machine}; platform_machine == "{machine}"' for machine in ("x86_64", "aarch64")]
    (desk.project / "requirements.txt").write_text("\n".join(["native", "source", *lines, ""]))
    made = {}
    for name, python, options in (
        ("here", sys.executable, []),
        ("told", sys.executable, ["--host-platform", "arm64"]),
        ("there", foreign, []),
    ):
        for left in ("cache", "uv"):
            shutil.rmtree(tmp_path / left, ignore_errors=True)
        desk.written.unlink(missing_ok=True)
        output = tmp_path / f"layout-{name}"
        done = desk.run("build", desk.project, "--output", f"oci:{output}", *options, python=python)
        assert done.returncode == 0, done.stderr
        layers = [layer.digest for layer in read_layout(output, "latest").layers]
        made[name] = (desk.written.read_text(), done.stdout, layers)
    assert made["here"] == made["told"] == made["there"]
    assert "only-x86-64" in made["here"][0]
    assert "only-aarch64" not in made["here"][0]


def test_what_a_foreign_machine_compiles_does_not_enter(desk: Desk, foreign: Path) -> None:
    native = files("source", "1.0", tag="cp311-cp311-linux_x86_64")
    desk.index.add_file("source", "source-1.0.tar.gz", sdist("source", "1.0", native))
    (desk.project / "requirements.txt").write_text("source\n")
    done = desk.run("build", desk.project, python=foreign)
    assert (done.returncode, done.stdout) == (1, "")
    assert "built on linux/arm64" in done.stderr
    assert desk.run("build", desk.project).returncode == 0
