"""AWS Marketplace's validation of a package, beforehand: its transform job is completed, with the expected results."""

import math
import re
from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped
from argosy.conformance.clause import must, should
from argosy.conformance.container_checks.startup import endings
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.batch import ValidationJob
from argosy.conformance.sources import MARKETPLACE_RESOURCE

_SHOWN: Final = 160
_TOLERANCE: Final = 1e-4
"""Of numbers: another processor adds up in another order."""
_WORDS: Final = re.compile(r"[^\s,:\[\]{}\"]+|[,:\[\]{}\"]")


def _job(validation: ValidationJob) -> Verdict:
    if validation.refusal:
        return failed("CreateTransformJob would refuse the job", Evidence("CreateTransformJob", validation.refusal))
    job = validation.job
    if job is None:
        return failed("the job's container does not get healthy", *endings(validation.start))
    if not job.is_completed:
        return failed(f"the job is {job.outcome.status}: {job.outcome.failure_reason or 'no reason'}", job.evidence)
    empty = [key for key, result in job.results.items() if not result.strip()]
    if empty:
        return failed(f"the result `{empty[0]}` is empty", job.evidence)
    return passed(f"{len(job.results)} of {job.outcome.progress.objects_total} samples have a result", job.evidence)


def _results(validation: ValidationJob) -> Verdict:
    job = validation.job
    if job is None or not validation.expected:
        return skipped("`marketplace.validation.expected` names no folder: results are compared with nothing")
    for key, expected in validation.expected.items():
        found = job.results.get(key)
        if found is None:
            return failed(f"`{key}` is expected, and there is no such result", job.evidence)
        if not is_alike(expected, found):
            shown = (Evidence(what, _shown(text)) for what, text in (("expected", expected), ("the result", found)))
            return failed(f"`{key}` is not what is expected", *shown)
    return passed(f"{len(validation.expected)} results are as expected")


def is_alike(expected: bytes, found: bytes) -> bool:
    """Whether two results say the same: blanks do not matter, nor do the last digits of numbers.

    >>> is_alike(b'{"score": 0.1234567}', b'{"score":0.1234568}'), is_alike(b"1,2", b"1,3")
    (True, False)
    """
    first, second = (_WORDS.findall(text.decode(errors="replace")) for text in (expected, found))
    return len(first) == len(second) and all(_is_same(*pair) for pair in zip(first, second, strict=True))


def _is_same(expected: str, found: str) -> bool:
    if expected == found:
        return True
    try:
        return math.isclose(float(expected), float(found), rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
    except ValueError:
        return False


def _shown(text: bytes) -> str:
    return " ".join(text[:_SHOWN].decode(errors="replace").split())


_GROUP: Final[Group[ValidationJob]] = Group(
    "validation",
    ValidationJob,
    needs=(
        *("start-healthy", "validation-samples", "validation-types", "validation-options", "validation-payload"),
        "batch-objects",
    ),
)
_ONLY: Final = (Profile.MARKETPLACE,)

CHECKS: Final[tuple[Check[ValidationJob], ...]] = (
    _GROUP.check(
        must(
            "validation-job",
            MARKETPLACE_RESOURCE,
            "The transform job of the validation profile is completed, with a result for every sample.",
            "argosy simulate transform runs the same job; mend what its log tells of, or the samples",
            rows="V05 V06 V07 B11 F05",
            only=_ONLY,
        ),
        _job,
    ),
    _GROUP.check(
        should(
            "validation-results",
            MARKETPLACE_RESOURCE,
            "The results of the validation are those that the project expects.",
            "look what has changed since they were stored, and store the new ones if they are right",
            rows="V07",
            only=_ONLY,
        ),
        _results,
        "validation-job",
    ),
)
