"""What a project sells, as the verbs that sell it take it: read from its folder, judged before AWS is asked."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from argosy.cli import environment
from argosy.cli.transfers import open_access
from argosy.errors import ProjectError
from argosy.image import reference
from argosy.marketplace.product_changes import with_sample_texts
from argosy.marketplace.table import Marketplace
from argosy.planning.journal import FOLDER
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.publishing.catalog.sale import Sale
from argosy.publishing.description.stored import as_sold
from argosy.publishing.registration.lanes import STATE
from argosy.registry import transports

without_validate: Final = click.option(
    "--without-validate",
    "validates",
    is_flag=True,
    flag_value=False,
    default=True,
    help="Do not have AWS judge the changes before it makes them.",
)
"""The option of verbs that send change sets, for kinds of changes that AWS does not judge: UNSURE which those are."""


def state_of(project: Project) -> Path:
    """The file in which the seller's verbs keep what their steps gave."""
    return project.root / FOLDER / STATE


def read_sale(project: Project, product_id: str | None, *, is_judged: bool) -> Sale:
    """What a project sells: what its seller says, and where that is nothing what is known of its image.

    Args:
        project: The project.
        product_id: Of a product that is there; None: it is found by its title.
        is_judged: Whether AWS Marketplace has to take what is said.

    Raises:
        ProjectError: Nothing is sold, a file is not there, or AWS Marketplace would not take what is said.
    """
    if is_judged:
        from argosy.publishing.demands import require_demands  # the clauses take their time to load

        project = as_sold(project, _digest(project))
        require_demands(project, datetime.datetime.now(datetime.UTC).date())
    table = project.marketplace
    if table is None:
        raise ProjectError(
            "the project says nothing of what it sells", want="a [marketplace] table", where=project.root / FILE_NAME
        )
    texts = {name: _text(project, name) for name in _sample_files(table)}
    return Sale(with_sample_texts(table, texts), product_id)


def _digest(project: Project) -> str | None:
    """Of the image that was built of the project; None when there is none."""
    folder = project.root / "build" / "image"
    if not (folder / "index.json").is_file():
        return None
    place = reference.LayoutReference(str(folder), reference.DEFAULT_TAG)
    return transports.read_image(str(place), open_access(environment.read())).digest


def _sample_files(table: Marketplace) -> Iterator[str]:
    for side in (table.usage.input, table.usage.output):
        for sample in (side.realtime_sample, side.batch_sample):
            if sample.file is not None:
                yield sample.file


def _text(project: Project, name: str) -> str:
    path = project.root / name
    if not path.resolve().is_relative_to(project.root.resolve()):
        raise ProjectError("a sample lies outside of the project", where=path)
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ProjectError(
            "a sample cannot be read as text", got=type(error).__name__, where=path, hint="name a file in UTF-8"
        ) from error
