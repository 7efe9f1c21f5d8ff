"""What a project sells, as the verbs that sell it take it: read from its folder, judged before AWS is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from argosy.errors import ProjectError
from argosy.marketplace.product_changes import with_sample_texts
from argosy.marketplace.table import Marketplace
from argosy.planning.journal import FOLDER
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.publishing.catalog.sale import Sale

STATE: Final = "seller.json"
_SHOWN: Final = 5


def state_of(project: Project) -> Path:
    """The file in which the seller's verbs keep what their steps gave."""
    return project.root / FOLDER / STATE


def marketplace_of(project: Project) -> Marketplace:
    """The `[marketplace]` table.

    Raises:
        ProjectError: There is none.
    """
    if project.marketplace is None:
        raise ProjectError(
            "nothing says what is sold",
            want="a [marketplace] table",
            where=project.root / FILE_NAME,
            hint="docs/how-to/publish.md shows one",
        )
    return project.marketplace


def read_sale(project: Project, product_id: str | None, *, is_judged: bool) -> Sale:
    """What a project sells.

    Args:
        project: The project.
        product_id: Of a product that is there; None: it is found by its title.
        is_judged: Whether AWS Marketplace has to take what is said.

    Raises:
        ProjectError: Nothing is sold, a file is not there, or AWS Marketplace would not take what is said.
    """
    table = marketplace_of(project)
    if is_judged:
        require_sellable(project)
    texts = {name: _text(project, name) for name in _sample_files(table)}
    return Sale(with_sample_texts(table, texts), product_id)


def require_sellable(project: Project) -> None:
    """Whether AWS Marketplace takes what a project says that it sells: the clauses of `argosy check` on that.

    Raises:
        ProjectError: It does not: the first sentences that say why.
    """
    from argosy.conformance.check import Status
    from argosy.conformance.observing.project import observe_project
    from argosy.conformance.profile import Profile
    from argosy.conformance.run import judge
    from argosy.contract import Level

    findings = judge(observe_project(project), profile=Profile.MARKETPLACE)
    faults = [
        finding for finding in findings if finding.status is Status.FAILED and finding.clause.level is Level.MUST
    ]
    if faults:
        raise ProjectError(
            "AWS Marketplace would not take what is said",
            got="; ".join(f"{fault.clause.id}: {fault.evidence}" for fault in faults[:_SHOWN]),
            where=project.root / FILE_NAME,
            hint=f"argosy check {project.root}  (it tells all {len(faults)} with their remedies)",
        )


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
