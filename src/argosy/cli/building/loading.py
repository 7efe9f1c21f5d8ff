"""A project as the verbs load it: what was found out and is not in its file is said."""

from pathlib import Path

from argosy import project
from argosy.cli.output import say
from argosy.project import Project


def load(folder: Path) -> Project:
    """The project in a folder; a flavor that was detected is told.

    Raises:
        ProjectError: As `project.load`.
    """
    loaded = project.load(folder)
    if loaded.detected is not None:
        found = loaded.detected.path.relative_to(loaded.root)
        flavor = loaded.detected.flavor
        say(f'flavor {flavor}, detected from {found} ({loaded.detected.format}); say so with flavor = "{flavor}"')
    return loaded
