"""The one place where uv is called."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uv

_ALWAYS: Final = {"NO_COLOR": "1", "UV_NO_PROGRESS": "1", "UV_PYTHON_DOWNLOADS": "never"}
_REPRODUCIBLE: Final = {"SOURCE_DATE_EPOCH": "315532800", "PYTHONHASHSEED": "0"}
"""1980-01-01, the oldest time that a wheel can hold.

Source: reproducible-builds.org, "SOURCE_DATE_EPOCH" (read 2026-11-22).
"""


@dataclass(frozen=True, slots=True)
class Uv:
    """The program with its surroundings.

    Attributes:
        cwd: Where it runs: relative paths and uv's settings are found from there.
        environ: Its environment, with the user's index settings.
    """

    cwd: Path
    environ: Mapping[str, str]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end; the caller looks at the return code."""
        command = [uv.find_uv_bin(), "--system-certs", "--quiet", *arguments]
        environ = {**self.environ, **_ALWAYS}
        return subprocess.run(command, cwd=self.cwd, env=environ, capture_output=True, text=True, check=False)

    def build_wheel(self, source: Path, python: Path, folder: Path) -> subprocess.CompletedProcess[str]:
        """Build a folder or sdist with its own backend, in an environment of its own, to a wheel in `folder`."""
        arguments = ["build", "--wheel", "--out-dir", str(folder), "--python", str(python), str(source)]
        return Uv(self.cwd, {**self.environ, **_REPRODUCIBLE}).run(*arguments)

    def python(self, version: str) -> Path | None:
        """An interpreter `3.x` of this machine; None when there is none. Nothing is downloaded."""
        if version == f"{sys.version_info.major}.{sys.version_info.minor}":
            return Path(sys.executable)
        done = self.run("python", "find", "--no-project", version)
        return Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None
