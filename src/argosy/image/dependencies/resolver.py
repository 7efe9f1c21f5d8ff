"""Requirements -> one solution for the image's platform and Python, whatever the host is."""

import re
import shlex
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from argosy.errors import NetworkError, ResolutionError
from argosy.image.dependencies.indexes import without_logins
from argosy.image.dependencies.requirements import Requirements
from argosy.image.dependencies.target import PLATFORM
from argosy.image.dependencies.uv_command import Uv
from argosy.image.download import LOG_IN, Credentials

_REFUSED: Final = re.compile(r"\b40[13]\b")
_NO_WHEEL: Final = re.compile(r"(?:Wheels are required|Building source distributions) for `([^`=]+)[^`]*`")
_NO_BINARY: Final = re.compile(r"no usable wheels|building from source is disabled|source distribution")
_BUILD_FAILED: Final = re.compile(r"Failed to (?:download and )?build `([^`]+)`|[Bb]uild backend")
_NO_NETWORK: Final = re.compile(r"Failed to fetch|error sending request|dns error|client error \(Connect\)|timed out")


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Whose locked versions may change although they still fit: everybody's, or those of some distributions."""

    everything: bool = False
    names: tuple[str, ...] = ()

    @property
    def flags(self) -> list[str]:
        """The same as options of uv."""
        listed = [word for name in self.names for word in ("--upgrade-package", name)]
        return ["--upgrade", *listed] if self.everything else listed


@dataclass(frozen=True, slots=True)
class Solution:
    """What was resolved.

    Attributes:
        packages: The `packages` of the lock, as uv writes them.
        folder: What relative paths in them are relative to.
        server: The distributions that only the server needs.
    """

    packages: list[dict[str, Any]]
    folder: Path
    server: frozenset[str]


@dataclass(frozen=True, slots=True)
class Resolver:
    """Asks uv.

    Attributes:
        uv: Runs in the project's folder.
        python: `3.x` of the image.
        where: What an error names.
        credentials: What no error may tell.
    """

    uv: Uv
    python: str
    where: Path
    credentials: Credentials

    def resolve(self, wanted: Requirements, server: Sequence[str], old: Path, upgrade: Upgrade) -> Solution:
        """The user's requirements and the server's, together.

        Args:
            wanted: The user's.
            server: The server's.
            old: A lock whose versions are kept where they fit, if it is there.
            upgrade: Which of them are not.

        Raises:
            ResolutionError: There is no solution, or a dependency cannot be built.
            NetworkError: An index does not answer.
        """
        with tempfile.TemporaryDirectory(prefix="argosy-") as name:
            folder = Path(name).resolve()
            lines, needed, output = folder / "project.in", folder / "server.in", folder / "pylock.toml"
            lines.write_text("".join(f"{line}\n" for line in wanted.lines), encoding="utf-8")
            needed.write_text("".join(f"{line}\n" for line in server), encoding="utf-8")
            if old.exists():
                output.write_bytes(old.read_bytes())
            user = [*wanted.files, str(lines), *wanted.flags]
            if wanted.excluded:
                excluded = folder / "excluded.txt"
                excluded.write_text("".join(f"{name}\n" for name in wanted.excluded), encoding="utf-8")
                user += ["--excludes", str(excluded)]
            flags = ["--format", "pylock.toml", "--output-file", str(output), *upgrade.flags]
            try:
                sources = self._compile([*user, str(needed)], flags)
            except ResolutionError as error:
                if wanted.files or wanted.lines:
                    self._blame_server(error, user, server)
                raise
            packages = tomllib.loads(output.read_text(encoding="utf-8"))["packages"]
            names = {str(package["name"]) for package in packages}
            pins = folder / "pins.txt"
            pins.write_text("".join(f"{p['name']}=={p['version']}\n" for p in packages if "version" in p))
            of_user = self._names(user, pins, sources) if wanted.files or wanted.lines else set()
            return Solution(packages, folder, frozenset(names - of_user))

    def _names(self, user: Sequence[str], pins: Path, sources: Sequence[str]) -> set[str]:
        """The distributions that the user's requirements alone bring in, with the versions of the solution."""
        with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
            output = Path(folder) / "pylock.toml"
            flags = ["--format", "pylock.toml", "--output-file", str(output), "--constraints", str(pins)]
            self._compile(user, flags, sources)
            return {str(package["name"]) for package in tomllib.loads(output.read_text())["packages"]}

    def _compile(self, files: Sequence[str], flags: Sequence[str], sources: Sequence[str] = ()) -> list[str]:
        """Resolve with wheels; a distribution that has none for any version that fits may be an sdist.

        Returns:
            The distributions that may be sdists.
        """
        allowed = list(sources)
        while True:
            command = ["pip", "compile", *files, *flags, "--no-header", "--only-binary", ":all:"]
            command += [word for name in allowed for word in ("--no-binary", name)]
            command += ["--python-platform", PLATFORM, "--python-version", self.python, "--python", sys.executable]
            done = self.uv.run(*command)
            if done.returncode == 0:
                return allowed
            without = {canonicalize_name(name) for name in _NO_WHEEL.findall(done.stderr)}
            if not without - set(allowed):
                raise self._explained(done.stderr)
            allowed += sorted(without - set(allowed))

    def _blame_server(self, error: ResolutionError, user: Sequence[str], server: Sequence[str]) -> None:
        """Say so when the user's requirements have a solution, and only the server's do not fit in."""
        with tempfile.TemporaryDirectory(prefix="argosy-") as folder:
            try:
                self._compile(user, ["--format", "pylock.toml", "--output-file", str(Path(folder) / "pylock.toml")])
            except (ResolutionError, NetworkError):
                return
        names = ", ".join(server)
        raise ResolutionError(
            "the dependencies have no solution together with the server in the image, but one without it",
            got=error.got,
            want=f"versions that fit {names}",
            where=self.where,
            hint="widen the requirements that `got` names; of a lock, as uv.lock, upgrade those: "
            f"uv lock {' '.join(f'--upgrade-package {shlex.quote(Requirement(line).name)}' for line in server)}",
        ) from error

    def _explained(self, stderr: str) -> ResolutionError | NetworkError:
        said = without_logins(re.sub(r"\s+", " ", stderr), self.credentials).strip().removeprefix("error: ")
        if _NO_NETWORK.search(said):
            hint = LOG_IN if _REFUSED.search(said) else None
            return NetworkError("the package index does not answer", got=said, where=self.where, hint=hint)
        if _NO_BINARY.search(said):
            return ResolutionError(
                "a dependency has no wheel for the image",
                got=said,
                want=f"wheels for linux/amd64 and Python {self.python}",
                where=self.where,
                hint="take a version that has wheels, or build one in a folder that `[image] dependencies` names: "
                "pip wheel --no-deps --wheel-dir wheels NAME",
            )
        if _BUILD_FAILED.search(said):
            return ResolutionError(
                "a dependency has only its source, and asking that for its requirements failed",
                got=said,
                where=self.where,
                hint="build the wheel where its build works, and name the folder in `[image] dependencies`: "
                "pip wheel --no-deps --wheel-dir wheels NAME",
            )
        what = f"the dependencies have no solution for Python {self.python} on linux/amd64"
        return ResolutionError(what, got=said, where=self.where)
