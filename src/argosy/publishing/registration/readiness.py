"""What keeps a project from being registered: the failed clauses of level MUST, before AWS is asked for anything."""

from collections.abc import Collection
from typing import Final

from argosy.conformance.check import Status
from argosy.conformance.observing.project import SCENES, observe_project
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by, judge
from argosy.contract import Level
from argosy.errors import ProjectError
from argosy.project import Project
from argosy.project_file import FILE_NAME

PUSHED: Final = frozenset({"account"})
"""The groups of clauses that a push depends on."""

REGISTERED: Final = frozenset({"account", "package", "instances", "validation"})
"""Those that a model package depends on: the listing may still be unwritten."""


def require_ready(project: Project, groups: Collection[str]) -> None:
    """Accept a project of which no clause of level MUST in these groups has failed.

    Raises:
        ProjectError: Some have; the error names them.
    """
    checks = [check for check in asked_by(Profile.MARKETPLACE) if check.scene in SCENES and check.group in groups]
    found = judge(observe_project(project), checks, Profile.MARKETPLACE)
    failed = [one for one in found if one.status is Status.FAIL and one.clause.level is Level.MUST]
    if failed:
        raise ProjectError(
            "AWS would refuse what argosy.toml says",
            got="; ".join(f"{one.clause.id}: {one.verdict.reason}" for one in failed),
            where=project.root / FILE_NAME,
            hint=f"argosy check --explain {failed[0].clause.id}",
        )
