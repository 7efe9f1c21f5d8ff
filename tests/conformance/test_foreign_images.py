"""Real images of five servers pass every MUST; each image with one defect fails its own clause and no other."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from argosy.conformance.catalogue import CHECKS, CLAUSES
from argosy.conformance.check import Status
from argosy.conformance.drills.catalogue import DRILLS
from argosy.conformance.finding import Finding
from argosy.conformance.observing.at_rest import NO_ARCHIVE
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by
from argosy.contract import Level
from tests.conformance import test_mutations
from tests.foreign import at_rest, in_life
from tests.foreign.mutation import Mutant
from tests.foreign.stock import NAMES, OURS, Stock

Findings = Sequence[Finding]

MUTANTS: Mapping[str, Mutant] = {**at_rest.MUTANTS, **in_life.MUTANTS}
AT_ONCE = 4
"""Examinations beside each other: they mostly wait."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reports(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, "Future[Findings]"]]:
    """The report on every image that a chosen test asks for, and on the clean image that it is made of."""
    asked = {subject for item in request.session.items if (subject := _subject_of(item))}
    bases = {MUTANTS[name].base for name in asked if name in MUTANTS}
    folder = tmp_path_factory.mktemp("foreign")
    with Stock(folder) as stock, ThreadPoolExecutor(AT_ONCE) as pool:
        clean = [name for name in NAMES if name in asked | bases]
        stock.order(*clean)

        def check(name: str, number: int) -> Findings:
            mutant = MUTANTS.get(name)
            if mutant is None:
                return stock.get(name).check().findings
            server = mutant.made_of(stock.get(mutant.base), folder / str(number), name)
            return server.look() if mutant.is_inert else server.judge(mutant.clause)

        mutants = sorted(asked & MUTANTS.keys())
        longest = [name for name in mutants if MUTANTS[name].clause == "stop-grace"]
        order = dict.fromkeys([*longest, *clean, *mutants])
        yield {name: pool.submit(check, name, number) for number, name in enumerate(order)}


def _subject_of(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return None if callspec is None else callspec.params.get("subject")


def failed(findings: Findings, *levels: Level) -> set[str]:
    wanted = levels or tuple(Level)
    return {finding.clause.id for finding in findings if finding.status is Status.FAIL and finding.level in wanted}


def reasons(findings: Findings) -> str:
    return "\n".join(f"{f.clause.id}: {f.verdict}" for f in findings if f.status is Status.FAIL)


@pytest.mark.parametrize("subject", NAMES)
def test_a_clean_server_passes_every_must(subject: str, reports: Mapping[str, "Future[Findings]"]) -> None:
    findings = reports[subject].result()
    assert failed(findings, Level.MUST) == set(), reasons(findings)
    must = [finding for finding in findings if finding.level is Level.MUST]
    assert {finding.clause.id for finding in must if finding.status is Status.UNKNOWN} <= AT_LEISURE
    untried = {finding.clause.id: finding.verdict.reason for finding in must if finding.status is Status.SKIP}
    not_asked = (*NOT_ASKED, NO_ARCHIVE) if subject == OURS else NOT_ASKED
    assert [untried[clause] for clause in untried if not untried[clause].startswith(not_asked)] == []


@pytest.mark.parametrize("subject", sorted(MUTANTS))
def test_a_defect_fails_exactly_its_own_clause(subject: str, reports: Mapping[str, "Future[Findings]"]) -> None:
    mutant, findings = MUTANTS[subject], reports[subject].result()
    clean = failed(reports[mutant.base].result())
    found = failed(findings)
    assert mutant.clause in found, reasons(findings)
    assert found - clean == {mutant.clause} | mutant.also, reasons(findings)
    (finding,) = [finding for finding in findings if finding.clause.id == mutant.clause]
    assert finding.verdict.reason
    assert finding.verdict.evidence


def test_every_known_failure_has_an_image_or_a_reason() -> None:
    broken = {row for mutant in MUTANTS.values() for row in mutant.rows.split()}
    known = {f"F{number:02}" for number in range(1, 32)}
    assert known - broken == at_rest.NOT_OF_AN_IMAGE.keys()


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_a_failure_is_a_row_of_the_clause_that_names_it(name: str) -> None:
    mutant = MUTANTS[name]
    named = {row for clause in (mutant.clause, *mutant.also) for row in CLAUSES[clause].rows}
    assert named >= set(mutant.rows.split())


def test_every_must_that_an_image_can_break_is_broken_by_one() -> None:
    broken = {mutant.clause for mutant in MUTANTS.values()}
    drills = {scene for act in DRILLS for scene in act.scenes}  # test_drill_mutations.py wants a server for each
    checks = [check for check in asked_by(Profile.SAGEMAKER) if check.scene not in drills]
    asked = {check.clause.id for check in checks if check.clause.level is Level.MUST}
    assert asked - broken == NOT_BROKEN.keys() | BY_A_SERVER
    assert set().union(*test_mutations.DEFECTS.values()) >= BY_A_SERVER


def test_no_two_checks_have_one_clause() -> None:
    assert len({check.clause.id for check in CHECKS}) == len(CHECKS)


def test_what_explains_the_failure_of_another_clause_counts_as_much() -> None:
    """What is skipped counts no more."""
    hard = (Level.INFO, Level.SHOULD, Level.MUST).index
    pairs = [(check.clause, CLAUSES[cause]) for check in CHECKS for cause in check.causes]
    assert [(one.id, cause.id) for one, cause in pairs if hard(cause.level) < hard(one.level)] == []


NOT_BROKEN: Mapping[str, str] = {
    "accept-connection": "a backlog that is full cannot be made with four clients on one machine",
    "batch-volume": "25 GB",
    "image-layer-size": "a layer of 52 GB",
}
"""Clauses of level MUST that no image here breaks, and why; their judgement is tested on its scene."""

BY_A_SERVER = frozenset(
    {
        *("ping-steady", "invocation-time", "abandoned-invocations", "response-media-type"),
        *("streaming", "bidirectional-stream", "metering-syntax", "metering-units", "metering-errors"),
    }
)
"""Those that a server of test_mutations.py breaks instead; what an image is made of is no part of them."""

NOT_ASKED = (
    "not asked for: --drills",
    "no --instance-type was given",
    "no sample says what it accepts",
    "no answer was a stream",
    "no answer carries the metering header",
    "no label claims it",
)
"""How the reasons begin why a clause of level MUST is skipped: nobody has asked for it, or claims it."""
AT_LEISURE = frozenset({"accept-connection", "ping-busy"})
"""A machine that has no time decides nothing of these."""
