"""Images as OCI layouts, for commands: the clean servers, and the hand-made example."""

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from argosy import model_archive, project
from argosy.cli import build, environment
from argosy.contract import MODEL_DIR
from argosy.registry.layout import write_layout
from tests.foreign.assembly import Assembler
from tests.foreign.dockerfile import Copy
from tests.foreign.stock import BY_HAND, EXAMPLE, OURS, PROJECTS, STRANGERS

HAND_MADE: Final = "flask-by-hand"
SIDE_BY_SIDE: Final = ("nginx-flask", HAND_MADE, OURS)
"""AWS's classic stack, the walk-through done by hand, and an image that Argosy has built."""


def write(folder: Path, names: Iterable[str], *, bakes: bool = False) -> dict[str, str]:
    """Write images to FOLDER/NAME; where artifacts are not in the image, they are in FOLDER/NAME-model.tar.gz.

    Args:
        folder: Need not be there.
        names: Of the clean servers, and `flask-by-hand`.
        bakes: Whether the artifacts of strangers go into their images' /opt/ml/model.

    Returns:
        Name -> reference.
    """
    folder.mkdir(parents=True, exist_ok=True)
    assembler = Assembler()
    written = {}
    for name in names:
        if name == OURS:
            image = build.build_project(project.load(EXAMPLE), "debian", environment.read())
        elif name == HAND_MADE:
            image = assembler.image(BY_HAND)
        else:
            image = assembler.image(PROJECTS / name, [Copy(["model"], MODEL_DIR)] if bakes else [])
        if name in STRANGERS and not bakes:
            model_archive.pack(PROJECTS / name / "model", folder / f"{name}-model.tar.gz")
        write_layout(image, folder / name, "latest")
        written[name] = f"oci:{folder / name}:latest"
    return written
