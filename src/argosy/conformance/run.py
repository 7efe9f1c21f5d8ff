"""Examines one image: look at it at rest, observe it running, judge every clause, report."""

import datetime
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from argosy import model_archive
from argosy.conformance import judgement
from argosy.conformance.case import Case
from argosy.conformance.catalogue import ACTS, CHECKS
from argosy.conformance.check import Check
from argosy.conformance.finding import Finding, Report
from argosy.conformance.observing.account import NOT_ASKED, observe_account
from argosy.conformance.observing.act import observe
from argosy.conformance.observing.at_rest import observe_at_rest
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.project import observe_project, requests_of
from argosy.conformance.profile import Profile
from argosy.conformance.reporting.redaction import without_secrets
from argosy.conformance.scenes.account import AccountFacts, Refused
from argosy.conformance.scenes.at_rest import Files, Scanned
from argosy.conformance.scenes.endpoint import Isolation
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.terms import Terms, notes, waive
from argosy.contract import MODEL_DIR
from argosy.errors import ArchiveError
from argosy.image.image import Image
from argosy.image.materials.scanner import Scan
from argosy.project import Project


@dataclass(frozen=True, slots=True)
class Subject:
    """What is examined.

    Attributes:
        target: As it was named.
        image: None for a project that is run as it is.
        is_stored: Whether the image's manifest is the one that SageMaker would be given: see `Still`.
        model_data: A model.tar.gz, None when the image brings its artifacts.
        project: The project, or the one that the image was built of; None when there is none.
        is_online: Whether AWS is asked what the account has that the project is sold from.
        scan: Has an image scanned for known vulnerabilities, or raises `NotScannedError`; None when nobody can.
        is_project: Whether the target is the folder of the project.
    """

    target: str
    image: Image | None = None
    is_stored: bool = True
    model_data: Path | None = None
    project: Project | None = None
    is_online: bool = False
    scan: Callable[[Image], Scan] | None = None
    is_project: bool = False


def examine(subject: Subject, bench: Bench, terms: Terms | None = None) -> Report:
    """Look at an image at rest, run it, and judge it on every clause that its profile asks for.

    Args:
        subject: What is examined.
        bench: How its containers are had; `model_dir` and `has_artifacts` are told by the subject, and `samples`, where
            there are none, by its project.
        terms: What it is to be, and what it may break; None is profile `sagemaker` and nothing.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    begun = time.monotonic()
    terms = terms or Terms()
    checks = asked_by(terms.profile)
    wanted = {check.scene for check in checks}
    case = observe_at_rest(
        subject.image,
        is_stored=subject.is_stored,
        target=subject.target,
        model_data=subject.model_data,
        scan=subject.scan if Scanned in wanted else None,
    )
    files = case.find(Files)
    case = case.joined(_sold(subject, files, is_online=subject.is_online and AccountFacts in wanted))
    facts = case.find(ProjectFacts)
    samples = bench.samples or (requests_of(facts) if facts is not None else ())
    own = files is not None and bool(files.filesystem.listing(MODEL_DIR))
    with tempfile.TemporaryDirectory(prefix="argosy-model-") as folder:
        mounted = Path(folder) / "model"  # whoever the container runs as may read it, unlike the folder around it
        mounted.mkdir()
        model_dir = None if subject.image is None or own else mounted
        try:
            if subject.model_data is not None:
                model_archive.unpack(subject.model_data, mounted)
                model_dir = mounted
        except ArchiveError as error:
            played = {scene for act in ACTS for scene in act.scenes}
            case = case.without(played, f"the artifacts cannot be unpacked: {error.message}: see model-archive")
        else:
            has_artifacts = own or subject.model_data is not None
            given = replace(bench, model_dir=model_dir, has_artifacts=has_artifacts, samples=samples)
            case = observe(given, ACTS, wanted, case)
    isolation = case.find(Isolation)
    kind = isolation.kind if isolation else ""
    digest = subject.image.digest if subject.image else ""
    judged = tuple(map(without_secrets, judge(case, checks, terms.profile)))
    findings = waive(judged, terms)
    seconds = time.monotonic() - begun
    return Report(
        subject.target,
        digest,
        kind,
        seconds,
        findings,
        bench.recorder.recording(),
        terms.profile,
        notes(findings, terms),
        checked_at=now(),
        is_project=subject.is_project,
    )


def now() -> str:
    """The moment, as reports have it: in UTC, to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def asked_by(profile: Profile, checks: Sequence[Check[Any]] = CHECKS) -> tuple[Check[Any], ...]:
    """The checks of the clauses that a profile asks for, in their order."""
    return tuple(check for check in checks if check.clause.is_asked_by(profile))


def judge(
    case: Case, checks: Sequence[Check[Any]] = CHECKS, profile: Profile = Profile.SAGEMAKER
) -> tuple[Finding, ...]:
    """What `judgement.judge` finds, by all checks unless others are named."""
    return judgement.judge(case, checks, profile)


def _sold(subject: Subject, files: Files | None, *, is_online: bool) -> Case:
    """The scenes of what is sold; AWS is asked only where that was asked for."""
    unpacked = None if files is None else sum(entry.size for entry in files.filesystem)
    if not is_online:
        return observe_project(subject.project, unpacked).without((AccountFacts,), NOT_ASKED)
    case = observe_account(subject.project, subject.image.digest if subject.image else "")
    account = case.find(AccountFacts)
    opt_ins = {} if account is None or isinstance(account.opt_ins, Refused) else account.opt_ins
    return case.joined(observe_project(subject.project, unpacked, opt_ins))
