"""One project, three machines: this one, and two containers that differ from it in whatever a machine differs in."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import uv

from argosy.image.debian.rootfs import debian_image
from argosy.registry.layout import write_layout
from tests.scenarios.conftest import docker
from tests.scenarios.running import EXAMPLE, ROOT, argosy

BUILD = "umask {umask} && exec python3 -m argosy build /project --base oci:/base:latest --output oci:/out:latest"


def install_toolkit(folder: Path, python: str) -> None:
    """Argosy and what it needs for a Python, as the lock of this project has it."""
    program = uv.find_uv_bin()
    export = [program, "export", "--frozen", "--quiet", "--extra", "toolkit", "--no-dev", "--no-emit-project"]
    requirements = folder.with_suffix(".txt")
    subprocess.run([*export, "--output-file", requirements], cwd=ROOT, check=True, timeout=60)
    target = [
        "--target",
        str(folder),
        "--python-version",
        python,
        "--python-platform",
        "x86_64-manylinux_2_28",
        "--quiet",
    ]
    install = [program, "--system-certs", "pip", "install", *target]
    subprocess.run([*install, "--only-binary", ":all:", "--requirement", requirements], check=True, timeout=240)
    subprocess.run([*install, "--no-deps", ROOT], check=True, timeout=120)


def copy_backwards(folder: Path) -> None:
    """The example's files in another order, with other times and modes."""
    for path in sorted(EXAMPLE.rglob("*"), reverse=True):
        if path.is_file() and not {"build", "__pycache__"} & set(path.relative_to(EXAMPLE).parts):
            target = folder / path.relative_to(EXAMPLE)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            os.utime(target, (1, 1))
            target.chmod(0o666)


@pytest.mark.engine
@pytest.mark.usefixtures("built")  # has the wheels downloaded
def test_users_time_zones_umasks_file_orders_and_pythons_make_no_difference(tmp_path: Path, newer_python: str) -> None:
    cache = tmp_path / "cache"
    base = debian_image(cache / "argosy", tmp_path / "debian.argosy.toml", lambda text: None)
    write_layout(base, tmp_path / "base", "latest")
    here = argosy(
        "build", EXAMPLE, "--no-sbom", "--base", f"oci:{tmp_path}/base:latest", "--output", f"oci:{tmp_path}/here",
        XDG_CACHE_HOME=str(cache),
    )  # fmt: skip
    assert here.returncode == 0, here.stderr
    digests = [here.stdout.strip()]
    machines = [
        ("python:3.11-slim", "3.11", "0:0", "077", {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"}),
        (newer_python, "3.13", "12345:54321", "000", {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "2"}),
    ]
    for image, python, user, umask, environ in machines:
        machine = tmp_path / python
        install_toolkit(machine / "tools", python)
        copy_backwards(machine / "project")
        shutil.copytree(cache / "argosy/downloads", machine / "cache/argosy/downloads")
        (machine / "out").mkdir()
        subprocess.run(["chown", "-R", user, machine], check=True, timeout=60)
        places = {"project": "/project", "cache": "/cache", "out": "/out", "tools": "/tools"}
        mounts = [f"--volume={machine / name}:{place}" for name, place in places.items()]
        variables = {"PYTHONPATH": "/tools", "XDG_CACHE_HOME": "/cache", "HOME": "/tmp", **environ}
        said = docker(
            "run", "--rm", "--network=none", f"--user={user}", *mounts, f"--volume={tmp_path / 'base'}:/base:ro",
            *(f"--env={name}={value}" for name, value in variables.items()),
            image, "sh", "-c", BUILD.format(umask=umask),
        )  # fmt: skip
        digests.append(said.strip())
    assert len(set(digests)) == 1, digests
