"""The report as JUnit XML: a test suite an image, a test case a clause.

A test case fails where the image does not conform: on a clause of level MUST that is not waived. What else does not
hold, what is undecided and what was not tried is skipped, with its reason: a build breaks where `argosy check` ends
with 1.

Source:
    The elements that Jenkins' JUnit plugin, GitLab's unit test reports and GitHub's actions for them read, as
    junit.org's `junit-platform-reporting` and Ant's task write them (read 2026-11-23).
"""

from collections.abc import Sequence
from typing import Final
from xml.etree.ElementTree import Element, indent

from argosy.conformance.check import Status
from argosy.conformance.finding import Finding, Report
from argosy.conformance.reporting import wording
from argosy.conformance.reporting.markup import element, to_xml
from argosy.contract import Level

_NAME: Final = "argosy check"
_EXAMINED: Final = "examined"
"""The test case of a target that could not be examined, beside no clause."""


def to_junit(reports: Sequence[Report]) -> bytes:
    """The reports for CI systems."""
    suites = [_suite(report) for report in reports]
    totals = {
        name: str(sum(int(suite.get(name, "0")) for suite in suites))
        for name in ("tests", "failures", "errors", "skipped")
    }
    seconds = sum(report.seconds for report in reports)
    root = element("testsuites", *suites, name=_NAME, **totals, time=f"{seconds:.3f}")
    indent(root)
    return to_xml(root)


def _suite(report: Report) -> Element:
    properties = {
        "digest": report.digest,
        "container": report.container,
        "profile": str(report.profile or ""),
        "verdict": str(report.conformance),
        "checked_at": report.checked_at,
        "given_again": str(report.is_given_again).lower(),
        "version": report.version,
    }
    cases = [_case(report, finding) for finding in report.findings]
    if report.failure:
        error = element("error", report.failure, message=report.failure, type=str(report.conformance))
        cases.append(element("testcase", error, name=_EXAMINED, classname=report.target, time="0.000"))
    return element(
        "testsuite",
        element("properties", *(element("property", name=name, value=value) for name, value in properties.items())),
        *cases,
        name=report.target,
        tests=str(len(cases)),
        failures=str(sum(case.find("failure") is not None for case in cases)),
        errors=str(sum(case.find("error") is not None for case in cases)),
        skipped=str(sum(case.find("skipped") is not None for case in cases)),
        time=f"{report.seconds:.3f}",
        **({"timestamp": report.checked_at} if report.checked_at else {}),
    )


def _case(report: Report, finding: Finding) -> Element:
    """One clause; its class is the heading, in a package named after the image: two images may stand in one report."""
    seconds = sum(seen.seconds or 0.0 for seen in finding.verdict.evidence)
    return element(
        "testcase",
        *_outcome(finding),
        name=finding.clause.id,
        classname=f"{report.target}.{finding.group}",
        time=f"{seconds:.3f}",
    )


def _outcome(finding: Finding) -> list[Element]:
    if finding.status is Status.PASS:
        return []
    told = "\n".join(wording.particulars(finding))
    if finding.status is Status.FAIL and finding.level is Level.MUST and not finding.is_waived:
        return [element("failure", told, message=finding.verdict.reason, type=str(finding.level))]
    word = {Status.FAIL: "does not hold", Status.UNKNOWN: "unknown"}.get(finding.status, "not tried")
    excuse = f", waived {wording.waived(finding)}" if finding.is_waived else ""
    return [
        element("skipped", message=f"{finding.level} {word}{excuse}: {finding.verdict.reason}"),
        element("system-out", told),
    ]
