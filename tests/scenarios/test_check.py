"""What `argosy check` says of our own image and of one that is wrong, and how it ends."""

import json
from collections.abc import Iterator, Mapping

import pytest

from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.observing.act import NOT_ASKED
from argosy.conformance.profile import Profile
from argosy.conformance.run import asked_by
from argosy.contract import Level
from tests.scenarios.conftest import Built, docker
from tests.scenarios.running import EXAMPLE, argosy

SAMPLE = ("--sample", EXAMPLE / "data/cases-b.csv", "--content-type", "text/csv")
KINDS = ["sandbox", pytest.param("docker", marks=pytest.mark.engine)]


NOT_ASKED_FOR = (
    NOT_ASKED,
    "it was not named as an image in a registry",
    "no --model-data was given",
    "no sample says what it accepts: ",
    "/execution-parameters states a MaxPayloadInMB that endpoints may send too",
    "no answer was a stream; ",
    "no answer carries the metering header: ",
    "no label claims it",
    "no --instance-type was given",
)
"""How the reasons begin for which a clause is not tried here."""
OPEN: Mapping[str, Mapping[str, str]] = {"sandbox": {"second-start": "unknown"}, "docker": {}}
"""What is decided by another kind of container. All else that is tried has to pass, so that a check that no longer
decides anything is noticed."""


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_image_keeps_every_clause_that_can_be_tried(built: Built, kind: str) -> None:
    done = argosy("check", built.layout, "--container", kind, *SAMPLE, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    findings = {finding["clause"]: finding for finding in report["findings"]}
    skipped = {clause: finding["reason"] for clause, finding in findings.items() if finding["status"] == "skip"}
    assert [reason for reason in skipped.values() if not reason.startswith(NOT_ASKED_FOR)] == []
    found = {clause: finding["status"] for clause, finding in findings.items() if clause not in skipped}
    assert found == {clause: OPEN[kind].get(clause, "pass") for clause in found}, done.stdout
    assert {check.clause.id for check in asked_by(Profile.SAGEMAKER)} == set(findings)
    assert len(found) > 70
    assert report["verdict"] == "conforms"
    # Health checks were tried while the model predicted, not while it refused.
    assert "invocations answered with 200" in findings["ping-busy"]["reason"]


@pytest.fixture
def wrong() -> Iterator[str]:
    """An image whose `serve` is no program."""
    name = "argosy-scenario/wrong:latest"
    docker("build", "--tag", name, "-", body=b'FROM python:3.11-slim\nCMD ["sleep", "1"]\n')
    yield name
    docker("rmi", "--force", name)


@pytest.mark.engine
def test_a_wrong_image_ends_with_1_and_findings_that_say_why(wrong: str) -> None:
    done = argosy("check", f"docker-daemon:{wrong}", "--json")
    assert done.returncode == 1, done.stderr
    failed = [
        finding["clause"]
        for finding in json.loads(done.stdout)["reports"][0]["findings"]
        if finding["status"] == "fail"
    ]
    assert failed
    assert any(CLAUSES[clause].level is Level.MUST for clause in failed)


def test_an_image_that_is_not_there_is_an_error_and_no_report(tmp_path_factory: pytest.TempPathFactory) -> None:
    done = argosy("check", f"oci:{tmp_path_factory.mktemp('empty')}:latest", "--json")
    assert done.returncode in (1, 2, 3)
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
