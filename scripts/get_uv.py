"""Downloads the uv that uv.lock names into a folder, its hash checked: neither pip nor venv is needed.

usage: python3 get_uv.py FOLDER; writes FOLDER/uv
"""

import hashlib
import io
import os
import platform
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path


def main() -> None:
    """Read the lock, download, check, unzip, rename."""
    folder = Path(sys.argv[1])
    locked = tomllib.loads((Path(__file__).parent.parent / "uv.lock").read_text())
    (package,) = (package for package in locked["package"] if package["name"] == "uv")
    wheel = next((wheel for wheel in package["wheels"] if fits(wheel["url"].rpartition("/")[2])), None)
    if wheel is None:
        sys.exit(f"uv {package['version']} has no wheel for {platform.platform()}")
    with urllib.request.urlopen(wheel["url"], timeout=120) as answer:
        content = answer.read()
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != wheel["hash"]:
        sys.exit(f"{wheel['url']} is not what uv.lock names")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/scripts/uv"))
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f"uv.{os.getpid()}"
        aside.write_bytes(archive.read(name))
    aside.chmod(0o755)
    aside.replace(folder / "uv")


def fits(name: str) -> bool:
    """Whether a wheel is for this machine."""
    machine = platform.machine().lower()
    if sys.platform == "darwin":
        return "macosx" in name and name.removesuffix(".whl").endswith(machine)
    libc = "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
    return libc in name and name.removesuffix(".whl").endswith(f"_{machine}")


main()
