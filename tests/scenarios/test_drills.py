"""Our own image, hurt in sandboxes as `argosy check --drills` does, fails no drill."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from argosy.cli import environment
from argosy.cli.containers import SANDBOX, open_container
from argosy.conformance.case import Case
from argosy.conformance.catalogue import CHECKS
from argosy.conformance.check import Status
from argosy.conformance.drills.catalogue import DRILLS
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.severity import Severity
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import invocation
from argosy.conformance.run import judge
from argosy.conformance.scenes.endpoint import Invocations
from tests.scenarios.conftest import Built
from tests.scenarios.running import EXAMPLE

# Fewer bodies and less waiting than in a report, since all drills are played beside each other here.
SMALL = Severity(cpus=0.5, held=4, body_bytes=(25 * 2**20,), bodies_at_once=2, connections=300)


@pytest.fixture(scope="module")
def played(built: Built, request: pytest.FixtureRequest) -> Iterator[Mapping[str, "Future[Case]"]]:
    """What every drill gives that a chosen test asks for; they mostly wait, so two run at once."""
    around = environment.read()
    bench = Bench(lambda launch: open_container(built.layout, SANDBOX, launch, around), is_read_only=True, drills=SMALL)
    sample = invocation("text/csv", (EXAMPLE / "data/cases-b.csv").read_bytes(), "sample")
    bad = invocation("application/json", b"[]", "empty list")
    with Trial(bench) as trial:
        assert trial.start().is_healthy
        case = Case.of(Invocations((trial.send(sample),), (trial.send(bad),)))
    chosen = {item.callspec.params.get("act") for item in request.session.items if hasattr(item, "callspec")}
    with ThreadPoolExecutor(2) as pool:
        yield {act.name: pool.submit(act.play, bench, case) for act in DRILLS if act in chosen}


@pytest.mark.parametrize("act", DRILLS, ids=lambda act: act.name)
def test_our_own_image_fails_no_drill(act: Act, played: Mapping[str, "Future[Case]"]) -> None:
    case = played[act.name].result()
    own = [replace(check, needs=()) for check in CHECKS if check.scene in act.scenes]
    findings = judge(case, own)
    # On a busy machine a start may be too slow to decide anything: that is unknown, and no failure.
    failed = {
        finding.clause.id: finding.verdict for finding in findings if finding.status in (Status.FAIL, Status.SKIP)
    }
    assert findings
    assert failed == {}
