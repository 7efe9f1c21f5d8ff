"""Where the saved models of the tests are, and copies of them."""

import shutil
from pathlib import Path
from typing import Final

SAVED: Final = Path(__file__).parent / "saved"


def copied(name: str, folder: Path, to: str | None = None) -> Path:
    """A copy of a saved model in a folder, under its own name or another."""
    place = folder / (to or name)
    place.parent.mkdir(parents=True, exist_ok=True)
    if (SAVED / name).is_dir():
        shutil.copytree(SAVED / name, place)
    else:
        shutil.copyfile(SAVED / name, place)
    return place
