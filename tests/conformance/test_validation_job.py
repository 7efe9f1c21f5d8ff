"""The validation's transform job, run as a project writes it, over a real server."""

from pathlib import Path

import pytest

from argosy.conformance.case import Case
from argosy.conformance.catalogue import CHECKS
from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.observing.bench import Bench
from argosy.conformance.profile import Profile
from argosy.conformance.run import judge
from argosy.conformance.scenes.batch import ValidationJob
from argosy.conformance.scenes.endpoint import Start
from argosy.conformance.scenes.project import Folder, NamedFile, ProjectFacts
from argosy.conformance.starts import validation
from argosy.marketplace.model_package import PackageTypes
from argosy.marketplace.table import Marketplace, Validation
from tests.conformance.servers import SERVERS, Launcher

USUAL = Start(30.0, accepted_s=0.1, healthy_s=0.5)
SUMS = b'{"predictions": [3.0, 7.0]}'


def facts_of(folder: Path, samples: dict[str, bytes], expected: dict[str, bytes], **said: object) -> ProjectFacts:
    """What a project says whose samples and expected results are these files."""
    table = Marketplace(
        name="sums",
        version="1.0.0",
        validation=Validation(samples="samples", expected="expected" if expected else None, **said),  # type: ignore[arg-type]  # the table's own fields
    )
    folders = {"samples": samples, "expected": expected}
    for name, files in folders.items():
        for file, content in files.items():
            place = folder / name / file
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
    named = {
        name: Folder(name, tuple(NamedFile(f"{name}/{file}", len(text), text) for file, text in files.items()))
        for name, files in folders.items()
    }
    types = PackageTypes(("text/csv",), ("application/json",))
    return ProjectFacts(
        table, types, samples=named["samples"], expected=named["expected"] if expected else None, root=folder
    )


def played(facts: ProjectFacts) -> tuple[Launcher, dict[str, Finding]]:
    launcher = Launcher(SERVERS / "clean.py")
    case = Case.of(USUAL, facts)
    case = case.joined(validation.play(Bench(launcher, is_read_only=True, startup_s=30.0), case))
    checks = [check for check in CHECKS if check.scene is ValidationJob]
    return launcher, {found.clause.id: found for found in judge(case, checks, Profile.MARKETPLACE)}


def test_the_job_is_run_as_it_is_written_over_all_samples(tmp_path: Path) -> None:
    samples = {"a.csv": b"1,2\n3,4\n", "below/b.csv": b"1,2\n3,4\n"}
    launcher, findings = played(facts_of(tmp_path, samples, {"a.csv.out": SUMS, "below/b.csv.out": SUMS}))
    assert [found.status for found in findings.values()] == [Status.PASS, Status.PASS]
    told = launcher.launches[0].environment
    assert told["SAGEMAKER_BATCH"] == "true"
    assert told["SAGEMAKER_BATCH_STRATEGY"] == "SINGLE_RECORD"
    assert told["SAGEMAKER_MAX_PAYLOAD_IN_MB"] == "6"
    evidence = findings["validation-job"].verdict.evidence[0]
    assert "s3://sums-1-0-0/validation/in/, text/csv, SplitType None" in evidence.sent


def test_a_sample_that_the_model_refuses_fails_the_job(tmp_path: Path) -> None:
    _, findings = played(facts_of(tmp_path, {"a.csv": b"1,2\n", "b.csv": b"one,two\n"}, {}))
    assert findings["validation-job"].status is Status.FAIL
    assert any("b.csv: ClientError: 400" in line for line in findings["validation-job"].verdict.evidence[0].log)
    assert findings["validation-results"].status is Status.SKIP


def test_another_result_than_the_expected_one_is_shown(tmp_path: Path) -> None:
    _, findings = played(facts_of(tmp_path, {"a.csv": b"1,2\n3,4\n"}, {"a.csv.out": SUMS.replace(b"7", b"8")}))
    assert findings["validation-job"].status is Status.PASS
    assert findings["validation-results"].status is Status.FAIL
    assert [seen.sent for seen in findings["validation-results"].verdict.evidence] == ["expected", "the result"]


def test_a_job_that_the_service_would_refuse_is_not_run(tmp_path: Path) -> None:
    launcher, findings = played(facts_of(tmp_path, {"a.csv": b"1,2\n"}, {}, max_payload_mb=101))
    assert findings["validation-job"].status is Status.FAIL
    assert "MaxPayloadInMB is out of range" in findings["validation-job"].verdict.evidence[0].received
    assert not launcher.launches


@pytest.mark.parametrize(
    "case", [Case(absent={ProjectFacts: "no project"}), Case.of(ProjectFacts(Marketplace(), PackageTypes((), ())))]
)
def test_without_samples_there_is_no_job(case: Case) -> None:
    found = validation.play(Bench(lambda launch: pytest.fail("it is started"), is_read_only=True), case)
    assert found.absent[ValidationJob]
