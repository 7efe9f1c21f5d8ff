"""Where every server of the benchmark lives: a virtual environment each, outside the checkout, and two C programs."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import uv

HERE: Final = Path(__file__).parent
CHECKOUT: Final = HERE.parent.parent
CACHE: Final = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "argosy-bench"
OURS: Final = "ours"
MODELS: Final = "models"


class MissingError(Exception):
    """Something of the system is not there; the message says how to get it."""


def python(name: str) -> Path:
    """The interpreter of a peer's environment, `OURS` or `MODELS`; made on first use and when its file changes."""
    folder = CACHE / "venvs" / name
    requirements = _folder(name) / "requirements.txt"
    stamp = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if not _is(folder / "stamp", stamp):
        say(f"installing {name} into {folder}")
        _uv("venv", "--clear", "--python", sys.executable, str(folder))
        _uv("pip", "install", "--compile-bytecode", "--python", str(folder / "bin/python"), "-r", str(requirements))
        (folder / "stamp").write_text(stamp)
    return folder / "bin/python"


def install_ours(commit: str | None) -> None:
    """Install a commit, or the checkout as it is now; not editable, as an image has it."""
    source, name = CHECKOUT, _git("rev-parse", "--short=12", commit or "HEAD")
    if commit is not None:
        source = CACHE / "source"
        shutil.rmtree(source, ignore_errors=True)
        source.mkdir(parents=True)
        archive = subprocess.run(["git", "-C", str(CHECKOUT), "archive", commit], capture_output=True, check=True)
        subprocess.run(["tar", "-x", "-C", str(source)], input=archive.stdout, check=True)
    elif _git("status", "--porcelain", "src", "pyproject.toml"):
        name += " and what was changed since"
    target = python(OURS)
    _uv("pip", "install", "--python", str(target), "--compile-bytecode", "--reinstall-package", "argosy", str(source))
    (target.parent.parent / "commit").write_text(name)


def installed_commit() -> str:
    """What `install_ours` installed last."""
    return (CACHE / "venvs" / OURS / "commit").read_text()


def versions(name: str) -> dict[str, str]:
    """Every distribution of an environment and its version."""
    frozen = _uv("pip", "freeze", "--python", str(python(name)))
    pairs = (line.partition("==") for line in frozen.splitlines() if "==" in line)
    return {distribution: version for distribution, _, version in pairs}


def compiled(source: Path) -> Path:
    """The program of one C file, compiled when the file is new.

    Raises:
        MissingError: There is no gcc.
    """
    target = CACHE / "programs" / f"{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    if not target.exists():
        require("gcc", "gcc")
        target.parent.mkdir(parents=True, exist_ok=True)
        command = ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-o", str(target), str(source), "-lm"]
        subprocess.run(command, check=True)
    return target


def require(program: str, package: str) -> str:
    """The path of a program of the system.

    Raises:
        MissingError: It is not installed; names Debian's package.
    """
    found = shutil.which(program, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if found is None:
        raise MissingError(f"`{program}` is not installed: apt-get install {package}")
    return found


def say(text: str) -> None:
    """Talk; results alone go to standard output."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _folder(name: str) -> Path:
    return HERE / name if name in (OURS, MODELS) else HERE / "peers" / name


def _git(*arguments: str) -> str:
    return subprocess.run(["git", "-C", str(CHECKOUT), *arguments], capture_output=True, text=True).stdout.strip()


def _is(path: Path, content: str) -> bool:
    return path.exists() and path.read_text() == content


def _uv(*arguments: str) -> str:
    """Run uv apart from the project's own environment; the installs are niced, the machine may be shared."""
    environ = {
        name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")
    }
    command = ["nice", uv.find_uv_bin(), "--quiet", *arguments]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, cwd=CACHE.parent)
    if done.returncode != 0:
        raise MissingError(f"`uv {' '.join(arguments)}` failed:\n{done.stderr}")
    return done.stdout
