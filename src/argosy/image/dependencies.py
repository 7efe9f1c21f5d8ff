"""Requirements -> one lock for the image's platform and Python, whatever the host is (PEP 751).

The user's requirements and the server's are resolved together, so that they fit each other. The lock lies in the
project; while its inputs stay the same no resolver runs and no network is needed.

Source: packaging.python.org, "pylock.toml Specification" (read 2026-11-22).
"""

import importlib.metadata
import json
import re
import shlex
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import uv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from argosy.errors import NetworkError, ResolutionError
from argosy.image.download import LOG_IN, Credentials, origin
from argosy.image.image import canonical_json, digest_of, is_digest
from argosy.model_archive import written_aside
from argosy.project import Project

LOCK_NAME: Final = "pylock.argosy.toml"
PLATFORM: Final = "x86_64-manylinux_2_28"
"""Amazon Linux 2023 and Debian 12 have a newer glibc than 2.28; most wheels ask for an older one."""

_INCLUDED: Final = re.compile(r"^\s*(?:-r|-c|--requirement|--constraint)[ =]+(\S+)", re.MULTILINE)
_REFUSED: Final = re.compile(r"\b40[13]\b")
_INDEX_OPTION: Final = re.compile(
    r"^\s*(?:-i|--index-url|--extra-index-url|-f|--find-links)[ =]+(http\S+)", re.MULTILINE
)
_INDEX_VARIABLES: Final = ("UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_INDEX", "UV_DEFAULT_INDEX")
_PASSWORD: Final = re.compile(r"://[^/\s@]+@")
_NO_WHEEL: Final = re.compile(r"no usable wheels|only-binary|building from source is disabled|source distribution")
_NO_NETWORK: Final = re.compile(r"Failed to fetch|error sending request|dns error|client error \(Connect\)|timed out")


@dataclass(frozen=True, slots=True)
class WheelFile:
    """A wheel that the lock names.

    Attributes:
        distribution: Normalized name of what it installs.
        version: Its version.
        filename: As the wheel format names it, with the tags of the Pythons and platforms that it fits.
        url: Where it is downloaded.
        digest: `sha256:` digest.
        size: In bytes; None when the index does not tell.
    """

    distribution: str
    version: str
    filename: str
    url: str
    digest: str
    size: int | None


@dataclass(frozen=True, slots=True)
class Locked:
    """What enters the venv: for each distribution the wheels to choose from, sorted by name.

    Attributes:
        dependencies: What the user's requirements need.
        server: What the server needs beyond that.
        fresh: Whether the lock was made now.
    """

    dependencies: tuple[tuple[WheelFile, ...], ...]
    server: tuple[tuple[WheelFile, ...], ...]
    fresh: bool


def server_requirements() -> list[str]:
    """What the server in the image needs: this distribution's own requirements without extras."""
    listed = [Requirement(text) for text in importlib.metadata.requires("argosy") or []]
    return sorted(str(requirement) for requirement in listed if "extra ==" not in str(requirement.marker))


def lock(project: Project, python: str, environ: Mapping[str, str], say: Callable[[str], None]) -> Locked:
    """The lock of a project, read when it is up to date and made when it is not.

    Versions of an outdated lock are kept where they still fit.

    Args:
        project: Whose `image.dependencies` are locked; the lock is written to its folder.
        python: `3.x` of the image.
        environ: The environment for uv, with the user's index settings.
        say: Told when the resolver runs.

    Raises:
        ResolutionError: There is no solution, a dependency has no wheel for the platform, or the lock is broken.
        NetworkError: The package index does not answer.
    """
    server = server_requirements()
    text = "" if project.dependencies_file is None else _whole_text(project.dependencies_file)
    inputs = digest_of(canonical_json([text, python, PLATFORM, server]))
    path = project.root / LOCK_NAME
    if path.exists():
        table = _parse(path)
        if table.get("tool", {}).get("argosy", {}).get("inputs") == inputs:
            return _locked(table, path, fresh=False)
    say(f"locking the dependencies for linux/amd64 and Python {python}")
    with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
        resolver = _Resolver(project, python, environ, Path(folder))
        content = resolver.resolve(server, path)
        names = sorted(_names(content, path) - resolver.needed_by_user(content))
    settings = {
        "inputs": inputs,
        "python": python,
        "platform": PLATFORM,
        "server-requirements": server,
        "server": names,
    }
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]  # such JSON is TOML, too
    with written_aside(path) as aside:
        aside.write_text("\n".join([content, "[tool.argosy]", *lines, ""]), encoding="utf-8")
    return _locked(_parse(path), path, fresh=True)


def index_credentials(project: Project, environ: Mapping[str, str]) -> Credentials:
    """User and password of each package index whose URL has them, in uv's variables or in the requirements."""
    text = "" if project.dependencies_file is None else _whole_text(project.dependencies_file)
    urls = _INDEX_OPTION.findall(text)
    for variable in _INDEX_VARIABLES:
        urls += re.findall(r"https?://\S+", environ.get(variable, ""))
    found: dict[str, tuple[str, str]] = {}
    for url in urls:
        parts = urlsplit(url)
        if parts.username is not None:
            found[origin(url)] = (unquote(parts.username), unquote(parts.password or ""))
    return found


class _Resolver:
    """Calls uv."""

    def __init__(self, project: Project, python: str, environ: Mapping[str, str], folder: Path) -> None:
        self._project, self._python, self._folder = project, python, folder
        self._environ = {**environ, "NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}

    def resolve(self, server: Sequence[str], old: Path) -> str:
        """The lock of all requirements together, as uv writes it."""
        requirements = self._folder / "server.in"
        requirements.write_text("".join(f"{line}\n" for line in server))
        output = self._folder / "pylock.toml"
        if old.exists():
            output.write_bytes(old.read_bytes())
        self._compile(
            [*self._user_files(), str(requirements)], ["--format", "pylock.toml", "--output-file", str(output)]
        )
        return output.read_text(encoding="utf-8")

    def needed_by_user(self, content: str) -> set[str]:
        """The distributions that the user's requirements alone bring in, with the versions of the lock."""
        if not self._user_files():
            return set()
        pins = self._folder / "pins.txt"
        packages = tomllib.loads(content)["packages"]
        pins.write_text("".join(f"{p['name']}=={p['version']}\n" for p in packages if "version" in p))
        flags = ["--format", "requirements.txt", "--no-annotate", "--constraints", str(pins)]
        lines = self._compile(self._user_files(), flags).splitlines()
        return {canonicalize_name(Requirement(line).name) for line in lines if line and line[0] not in "#-"}

    def _user_files(self) -> list[str]:
        file = self._project.dependencies_file
        return [] if file is None else [str(file.relative_to(self._project.root))]

    def _compile(self, files: Sequence[str], flags: Sequence[str]) -> str:
        command = [uv.find_uv_bin(), "--system-certs", "pip", "compile", *files, *flags, "--quiet", "--no-header"]
        command += ["--python-platform", PLATFORM, "--python-version", self._python, "--python", sys.executable]
        command += ["--only-binary", ":all:"]
        done = subprocess.run(
            command, cwd=self._project.root, env=self._environ, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise _explained(done.stderr, self._project, self._python)
        return done.stdout


def _explained(stderr: str, project: Project, python: str) -> ResolutionError | NetworkError:
    said = _PASSWORD.sub("://***@", re.sub(r"\s+", " ", stderr)).strip().removeprefix("error: ")
    where = project.dependencies_file or project.root
    if _NO_NETWORK.search(said):
        hint = LOG_IN if _REFUSED.search(said) else None
        return NetworkError("the package index does not answer", got=said, where=where, hint=hint)
    if _NO_WHEEL.search(said):
        return ResolutionError(
            "a dependency has no wheel for the image",
            got=said,
            want=f"wheels for linux/amd64 and Python {python}",
            where=where,
            hint="take a version that has wheels, or build one: pip wheel --no-deps NAME, and publish it to your index",
        )
    return ResolutionError(
        f"the dependencies have no solution for Python {python} on linux/amd64", got=said, where=where
    )


def _whole_text(file: Path, seen: frozenset[Path] = frozenset()) -> str:
    """A requirements file with the files that it includes."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ResolutionError("a requirements file cannot be read", got=error, where=file) from error
    nested = [file.parent / name for name in _INCLUDED.findall(text)]
    return text + "".join(_whole_text(path, seen | {file}) for path in nested if path not in seen)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ResolutionError(
            "the lock is not a TOML file", got=error, where=path, hint=f"rm {shlex.quote(str(path))}"
        ) from error


def _names(content: str, path: Path) -> set[str]:
    names = {str(package["name"]) for package in tomllib.loads(content)["packages"]}
    if "argosy" in names:
        raise ResolutionError(
            "`argosy` is among the dependencies",
            want="only what the predictor itself imports: the server enters the image by itself",
            where=path,
        )
    return names


def _locked(table: dict[str, Any], path: Path, *, fresh: bool) -> Locked:
    server = set(table["tool"]["argosy"].get("server", ()))
    found: dict[bool, list[tuple[WheelFile, ...]]] = {True: [], False: []}
    for package in sorted(table.get("packages", ()), key=lambda package: str(package.get("name"))):
        name, version = str(package.get("name")), str(package.get("version", ""))
        wheels = tuple(_wheel(name, version, wheel, path) for wheel in package.get("wheels", ()))
        if not wheels:
            raise ResolutionError(
                f"`{name}` has no wheel in the lock",
                got=", ".join(sorted(package)),
                want="a release with wheels on a package index",
                where=path,
                hint=f"publish a wheel of {name} to an index, and name it by version in the requirements",
            )
        found[name in server].append(wheels)
    return Locked(tuple(found[False]), tuple(found[True]), fresh)


def _wheel(name: str, version: str, wheel: dict[str, Any], path: Path) -> WheelFile:
    url = str(wheel.get("url", ""))
    digest = f"sha256:{wheel.get('hashes', {}).get('sha256', '')}"
    filename = str(wheel.get("name") or unquote(urlsplit(url).path.rpartition("/")[2]))
    if not url.startswith(("https://", "http://")) or not is_digest(digest):
        raise ResolutionError(
            f"a wheel of `{name}` cannot be downloaded", got=filename, want="a URL and a sha256 hash", where=path
        )
    size = wheel.get("size")
    return WheelFile(name, version, filename, url, digest, size if isinstance(size, int) else None)
