"""The platform that is built for, and the machine that builds: what of the one may be compiled on the other."""

import platform
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from packaging.markers import Environment
from packaging.tags import Tag, compatible_tags, cpython_tags

from argosy.errors import UsageError

PLATFORM: Final = "x86_64-manylinux_2_28"
"""Amazon Linux 2023 and Debian 12 have a newer glibc than 2.28; most wheels ask for an older one."""

OLDEST_GLIBC_MINOR: Final = 5
NEWEST_GLIBC_MINOR: Final = 28
_ALIASES: Final = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}
_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_SYSTEMS: Final = ("linux", "darwin", "windows")


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that builds.

    Attributes:
        system: `linux`, `darwin` or `windows`.
        architecture: As images name it: `amd64`, `arm64`.
    """

    system: str
    architecture: str

    @staticmethod
    def here() -> "Host":
        """This machine."""
        machine = platform.machine().lower()
        return Host(platform.system().lower(), _ARCHITECTURES.get(machine, machine))

    @staticmethod
    def parse(text: str) -> "Host":
        """A host as `linux/arm64`, or `arm64` for Linux.

        Raises:
            UsageError: It is something else.
        """
        system, _, architecture = text.rpartition("/")
        host = Host(system or "linux", architecture)
        if host.system not in _SYSTEMS or host.architecture not in _ARCHITECTURES.values():
            raise UsageError("not a platform", got=f"`{text}`", want="as in `linux/amd64`, `arm64`, `darwin/arm64`")
        return host

    @property
    def compiles_for_image(self) -> bool:
        """Whether what is compiled here runs in the image: linux/amd64 with glibc."""
        return (self.system, self.architecture) == ("linux", "amd64") and platform.libc_ver()[0] == "glibc"

    def __str__(self) -> str:
        return f"{self.system}/{self.architecture}"


def marker_environment(python: str) -> Environment:
    """What environment markers see in the image; the patch version is uv's for `--python-version 3.x`: the lowest."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": "x86_64",
        "platform_python_implementation": "CPython",
        "platform_release": "",
        "platform_system": "Linux",
        "platform_version": "",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


@lru_cache
def tags(python: str) -> tuple[Tag, ...]:
    """Every wheel tag that fits the image, the best first."""
    platforms = []
    for minor in range(NEWEST_GLIBC_MINOR, OLDEST_GLIBC_MINOR - 1, -1):
        platforms.append(f"manylinux_2_{minor}_x86_64")
        if minor in _ALIASES:
            platforms.append(f"{_ALIASES[minor]}_x86_64")
    platforms.append("linux_x86_64")
    version = tuple(int(part) for part in python.split("."))
    interpreter = f"cp{version[0]}{version[1]}"
    return (*cpython_tags(version, [interpreter], platforms), *compatible_tags(version, interpreter, platforms))
