"""Waivers: what they cover, when they end, and what is told of those that do nothing."""

import datetime

import pytest

from argosy.conformance.case import Case
from argosy.conformance.check import Check, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import Clause, fact, must, should
from argosy.conformance.finding import Conformance, Finding, Report
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by, judge
from argosy.conformance.scenes.endpoint import Start
from argosy.conformance.terms import Terms, notes, require_known, waive
from argosy.contract import Level
from argosy.errors import ProjectError
from argosy.project_file import Waiver

TODAY = datetime.date(2026, 11, 22)
URL = "https://x.test"
HARD = must("hard", URL, "H.", "x")
SOFT = should("soft", URL, "S.", "x")
SHOWN = fact("shown", URL, "F.", "x")


def waiver(clause: str = "hard", until: datetime.date = TODAY) -> Waiver:
    return Waiver(clause, "the next release has it", until)


def report(*findings: Finding, terms: Terms | None = None) -> Report:
    chosen = terms or Terms(today=TODAY)
    found = waive(findings, chosen)
    return Report("x", "", "", 0.0, found, profile=chosen.profile, notes=notes(found, chosen))


def finding(verdict: Verdict, level: Level = Level.MUST) -> Finding:
    return Finding({Level.MUST: HARD, Level.SHOULD: SOFT, Level.INFO: SHOWN}[level], "g", verdict)


def test_a_waived_failure_stays_a_failure_and_does_not_count() -> None:
    found = report(finding(failed("no")), terms=Terms(waivers=(waiver(),), today=TODAY))
    assert found.failed == found.waived == found.findings
    assert found.findings[0].waiver == waiver()
    assert found.is_conforming
    assert found.conformance is Conformance.CONFORMS
    assert found.is_strictly_conforming
    assert found.notes == ()


def test_an_unknown_can_be_waived_too() -> None:
    terms = Terms(waivers=(waiver(),), today=TODAY)
    assert report(finding(unknown("?"))).conformance is Conformance.UNDECIDED
    assert report(finding(unknown("?")), terms=terms).conformance is Conformance.CONFORMS


def test_a_waiver_counts_up_to_its_last_day_and_its_end_is_told() -> None:
    late = Terms(waivers=(waiver(),), today=TODAY + datetime.timedelta(days=1))
    found = report(finding(failed("no")), terms=late)
    assert not found.is_conforming
    assert found.waived == ()
    assert found.notes == ("the waiver of hard has expired on 2026-11-22: it counts no more",)


@pytest.mark.parametrize(
    ("findings", "waivers", "told"),
    [
        ((finding(passed("yes")),), (waiver(),), "the clause holds"),
        ((finding(skipped("no")),), (waiver(),), "the clause was not tried"),
        ((), (waiver(),), "profile sagemaker does not ask for it"),
        ((finding(failed("no")),), (waiver(), waiver()), ""),
        ((finding(failed("no")),), (waiver(), waiver(until=TODAY.replace(year=2027))), "another one before it does"),
    ],
)
def test_a_waiver_that_waives_nothing_is_told(
    findings: tuple[Finding, ...], waivers: tuple[Waiver, ...], told: str
) -> None:
    found = report(*findings, terms=Terms(waivers=waivers, today=TODAY))
    assert [told in note for note in found.notes] == [True]


def test_a_waiver_of_no_clause_is_refused_with_the_nearest() -> None:
    with pytest.raises(ProjectError) as caught:
        require_known((waiver("image-rot"),), ["image-root", "ping"], "argosy.toml")
    assert (caught.value.where, caught.value.hint) == ("argosy.toml", "did you mean `image-root`?")
    require_known((waiver("ping"),), ["image-root", "ping"], "argosy.toml")


@pytest.mark.parametrize(
    ("verdict", "level", "conforms", "strictly"),
    [
        (passed("yes"), Level.MUST, True, True),
        (failed("no"), Level.MUST, False, False),
        (failed("no"), Level.SHOULD, True, False),
        (failed("no"), Level.INFO, True, True),
        (unknown("?"), Level.MUST, True, False),
        (unknown("?"), Level.SHOULD, True, True),
        (skipped("-"), Level.MUST, True, True),
    ],
)
def test_what_counts_and_what_counts_strictly(verdict: Verdict, level: Level, conforms: bool, strictly: bool) -> None:
    found = report(finding(verdict, level))
    assert (found.is_conforming, found.is_strictly_conforming) == (conforms, strictly)


def fails(start: Start) -> Verdict:
    return failed("no")


CHECKS: tuple[Check[Start], ...] = (
    Group("g", Start).check(must("sold", URL, "S.", "x", only=(Profile.MARKETPLACE,)), fails),
    Group("g", Start).check(must("all", URL, "A.", "x"), fails, "sold"),
)


def test_a_profile_leaves_out_what_it_does_not_ask_for_and_what_builds_on_it_is_judged() -> None:
    case = Case.of(Start(limit_s=1.0))
    found = judge(case, asked_by(Profile.SERVERLESS, CHECKS), Profile.SERVERLESS)
    assert [(one.clause.id, one.verdict.reason) for one in found] == [("all", "no")]
    found = judge(case, asked_by(Profile.MARKETPLACE, CHECKS), Profile.MARKETPLACE)
    assert [one.verdict.reason for one in found] == ["no", "it builds on sold, which failed"]


IN_ORDER: tuple[Check[Start], ...] = (
    Group("g", Start).check(must("root", URL, "R.", "x"), fails),
    Group("g", Start).check(should("soft", URL, "S.", "x"), fails),
    Group("g", Start, causes=("root",)).check(must("caused", URL, "C.", "x"), fails),
    Group("g", Start).check(must("built", URL, "B.", "x"), lambda _: passed("yes"), "caused"),
    Group("g", Start).check(must("upon", URL, "U.", "x"), lambda _: passed("yes"), "built"),
    Group("g", Start).check(must("told", URL, "T.", "x"), lambda _: skipped("it ended: see root")),
    Group("g", Start).check(must("lower", URL, "L.", "x"), lambda _: passed("yes"), "soft"),
    Group("g", Start).check(should("recommended", URL, "L.", "x"), lambda _: passed("yes"), "root"),
    Group("g", Start).check(must("elsewhere", URL, "E.", "x"), lambda _: skipped("there is no GPU")),
    Group("g", Start).check(must("there", URL, "E.", "x"), lambda _: passed("yes"), "elsewhere"),
)


def test_what_builds_on_a_failure_that_does_not_count_is_undecided() -> None:
    judged = judge(Case.of(Start(limit_s=1.0)), IN_ORDER)
    found = report(*judged, terms=Terms(waivers=(waiver("root"),), today=TODAY))
    hidden = {one.clause.id: root for one, root in found.hidden}
    assert hidden == {"caused": "root", "built": "root", "upon": "root", "told": "root", "lower": "soft"}
    assert found.conformance is Conformance.UNDECIDED
    assert not found.is_strictly_conforming
    assert {one.clause.id for one in found.undecided} == set(hidden)


def test_what_builds_on_a_failure_that_counts_adds_nothing() -> None:
    found = report(*judge(Case.of(Start(limit_s=1.0)), IN_ORDER))
    assert found.conformance is Conformance.BROKEN
    assert [one.clause.id for one, _ in found.hidden] == ["lower"]


def test_an_image_that_never_starts_does_not_conform_by_one_waiver() -> None:
    start = Start(limit_s=9.0, failure="exec format error")
    for clause in ("start-port", "start-healthy"):
        judged = judge(Case.of(start))
        found = report(*judged, terms=Terms(waivers=(waiver(clause),), today=TODAY))
        assert found.conformance is not Conformance.CONFORMS
        assert not found.is_strictly_conforming


def test_the_level_that_counts_is_the_profiles() -> None:
    clause = Clause("soft", "S.", Level.SHOULD, URL, "x", levels={Profile.MARKETPLACE: Level.MUST})
    (check,) = (Group("g", Start).check(clause, fails),)
    case = Case.of(Start(limit_s=1.0))
    for profile, level in ((Profile.SAGEMAKER, Level.SHOULD), (Profile.MARKETPLACE, Level.MUST)):
        (one,) = judge(case, (check,), profile)
        assert one.level is level
        assert Report("x", "", "", 0.0, (one,)).is_conforming is (level is Level.SHOULD)
