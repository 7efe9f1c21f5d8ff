"""An environment of its own for each flavor: what its example needs and what the server needs, and nothing else.

They are kept in the user's cache, one for each content of `examples/NAME/requirements.txt`, for all checkouts.
"""

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uv

ROOT: Final = Path(__file__).parent.parent.parent
EXAMPLES: Final = ROOT / "examples"
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "argosy/tests/flavors"
_UNUSED_S: Final = 14 * 24 * 3600
_TIMEOUT_S: Final = 240


@functools.cache
def environment(name: str) -> Path:
    """The Python of an example's environment, made when it is first asked for; processes that ask together wait."""
    requirements = sorted([*_required(name), *_server()])
    told = "\n".join([sys.version, *requirements])
    folder = CACHE / f"{name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
    python = folder / "bin/python"
    if not python.exists():
        with locked(name):
            if not python.exists():
                _make(folder, requirements)
                _forget_unused(name, folder)
    os.utime(folder)
    return python


def example(name: str) -> Path:
    """The folder of an example, with its model: what is not committed is made by its `prepare.py`."""
    folder = EXAMPLES / name
    prepare = folder / "prepare.py"
    if prepare.exists() and not _is_prepared(folder):
        python = environment(name)
        with locked(f"{name}-model"):
            if not _is_prepared(folder):
                run([python, prepare], cwd=folder)
                _stamp(folder).parent.mkdir(parents=True, exist_ok=True)
                _stamp(folder).write_text(_digest(prepare))
    return folder


def find_links() -> Path:
    """The folder with the wheel of PyTorch's CPU build; downloaded by pip, once for each version.

    uv would take the wheel of PyPI, which brings gigabytes of CUDA; pip is where a machine says where CPU builds are.
    """
    folder = CACHE / f"wheels-{torch_version()}"
    if not folder.exists():
        with locked("wheels"):
            if not folder.exists():
                aside = Path(f"{folder}.{os.getpid()}")
                pip = ["tool", "run", "--python", sys.executable, "--from", "pip", "pip"]
                _uv(*pip, "download", "--quiet", "--no-deps", "--dest", str(aside), f"torch=={torch_version()}")
                (wheel,) = aside.glob("torch-*.whl")
                assert "+cpu" in wheel.name, (
                    f"{wheel.name} is no CPU build: set PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu, or "
                    "PIP_FIND_LINKS to a folder with one"
                )
                aside.rename(folder)
    return folder


def torch_version() -> str:
    """The version of PyTorch that all examples use that need it."""
    files = EXAMPLES.glob("*/requirements.txt")
    found = {line.partition("==")[2] for file in files for line in _lines(file) if line.startswith("torch==")}
    assert len(found) == 1, f"the examples name several versions of torch: {sorted(found)}"
    return found.pop().partition("+")[0]


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock among all processes of this user; it is let go when the process ends, however that is."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(command: list[object], cwd: Path, timeout_s: float = _TIMEOUT_S) -> str:
    """Run a program to its end; fails with what it said. Returns its stdout."""
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=_environ(), capture_output=True, text=True, timeout=timeout_s
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def _required(name: str) -> list[str]:
    """What `requirements.txt` names, torch in its CPU build."""
    lines = _lines(EXAMPLES / name / "requirements.txt")
    return [f"torch=={torch_version()}+cpu" if line.startswith("torch==") else line for line in lines]


def _server() -> list[str]:
    """The server's own dependencies in the versions of uv.lock."""
    packages = {each["name"]: each for each in tomllib.loads((ROOT / "uv.lock").read_text())["package"]}
    names = [each["name"] for each in packages["argosy"]["dependencies"]]
    return [f"{name}=={packages[name]['version']}" for name in names]


def _make(folder: Path, requirements: list[str]) -> None:
    """Make an environment aside and rename it, so that one that was interrupted is never used."""
    aside = Path(f"{folder}.{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    needs_torch = any(line.startswith("torch==") for line in requirements)
    links = ["--find-links", str(find_links())] if needs_torch else []
    _uv("venv", "--python", sys.executable, "--relocatable", str(aside))
    _uv("pip", "install", "--link-mode", "hardlink", "--python", str(aside / "bin/python"), *links, *requirements)
    aside.rename(folder)


def _forget_unused(name: str, made: Path) -> None:
    """Remove the environments of an example that nobody has asked for in two weeks."""
    for folder in CACHE.glob(f"{name}-*/"):
        if folder != made and folder.stat().st_mtime < time.time() - _UNUSED_S:
            shutil.rmtree(folder, ignore_errors=True)


def _lines(file: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in file.read_text().splitlines())
    return [line for line in lines if line]


def _is_prepared(folder: Path) -> bool:
    stamp = _stamp(folder)
    return (folder / "model").exists() and stamp.exists() and stamp.read_text() == _digest(folder / "prepare.py")


def _stamp(folder: Path) -> Path:
    return ROOT / ".cache/prepared" / folder.name


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _uv(*arguments: str) -> None:
    run([uv.find_uv_bin(), "--quiet", *arguments], cwd=CACHE)


def _environ() -> dict[str, str]:
    """The environment without what would point into the project's own `.venv`."""
    alone = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "PYTHONPATH")
    return {**{name: value for name, value in os.environ.items() if name not in alone}, "UV_SYSTEM_CERTS": "1"}
