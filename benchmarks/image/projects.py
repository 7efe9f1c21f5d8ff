"""The projects that are packaged: copies that may be changed, and a body that each answers."""

import os
import shutil
import time
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
_SOURCES: Final = {"flask": FOLDER / "flask", "sklearn": FOLDER.parent.parent / "examples/breast-cancer"}
_BODIES: Final = {"flask": b"1.0,2.0\n", "sklearn": ",".join(["1.0"] * 30).encode()}
_BLOCK: Final = 8 * 2**20


def body(name: str) -> bytes:
    """CSV that a project answers."""
    return _BODIES[name]


def copy(name: str, folder: Path) -> None:
    """Copy a project as it is, without what was built of it."""
    shutil.copytree(_SOURCES[name], folder, ignore=shutil.ignore_patterns("build", "__pycache__"))


def change_predictor(folder: Path) -> None:
    """Append a line that was never there before to every copy of the predictor below a folder."""
    for path in folder.rglob("predictor.py"):
        path.write_text(path.read_text() + f"\n# {time.time_ns()}\n")


def want_bytecode(folder: Path) -> None:
    """Have the image hold its modules compiled."""
    path = folder / "argosy.toml"
    path.write_text(path.read_text().replace("[image]\n", "[image]\nbytecode = true\n"))


def add_artifacts(folder: Path, gigabytes: int) -> None:
    """Give it an artifact of that size: a first gigabyte that no compressor makes smaller, then nothing but zeros."""
    path = folder / "argosy.toml"
    path.write_text(path.read_text().replace("[model]\n", '[model]\nartifacts = "model/"\nbake = true\n'))
    large = folder / "model/weights.bin"
    large.parent.mkdir()
    with large.open("wb") as file:
        for _ in range(10**9 // _BLOCK):
            file.write(os.urandom(_BLOCK))
        file.truncate(gigabytes * 10**9)
