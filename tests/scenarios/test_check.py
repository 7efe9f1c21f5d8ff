"""What `argosy check` says of our own image and of one that is wrong, and how it ends."""

import json
from collections.abc import Iterator, Mapping

import pytest

from argosy.conformance.catalogue import CLAUSES
from argosy.conformance.observing.act import NOT_ASKED
from argosy.contract import Level
from tests.scenarios.conftest import Built, docker
from tests.scenarios.running import EXAMPLE, argosy

SAMPLE = ("--sample", EXAMPLE / "data/cases-b.csv", "--content-type", "text/csv")
KINDS = ["sandbox", pytest.param("docker", marks=pytest.mark.engine)]


DRILLS = {clause: ("skip", NOT_ASKED) for clause in CLAUSES if clause.startswith("drill-")}

# What does not pass, and why: everything else has to, so that a check that no longer decides anything is noticed.
NO_METERING = ("skip", "no answer carries the metering header: each invocation with 2xx is one unit")
NOT_ASKED_FOR: Mapping[str, tuple[str, str]] = {
    "model-archive": ("skip", "no --model-data was given"),
    "response-media-type": (
        "skip",
        "no sample says what it accepts: --sample FILE --content-type TYPE --accept TYPE",
    ),
    "batch-body": ("skip", "/execution-parameters states a MaxPayloadInMB that endpoints may send too"),
    "streaming": (
        "skip",
        "no answer was a stream; --sample FILE --content-type TYPE --accept text/event-stream asks for one",
    ),
    "bidirectional-stream": ("skip", "no label claims it"),
    **{clause_id: NO_METERING for clause_id in CLAUSES if clause_id.startswith("metering-")},
    **DRILLS,
}
OPEN: Mapping[str, Mapping[str, tuple[str, str]]] = {"sandbox": NOT_ASKED_FOR, "docker": NOT_ASKED_FOR}


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_image_keeps_every_clause_that_can_be_tried(built: Built, kind: str) -> None:
    done = argosy("check", built.layout, "--container", kind, *SAMPLE, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = json.loads(done.stdout)["reports"]
    findings = {finding["clause"]: finding for finding in report["findings"]}
    found = {clause: finding["status"] for clause, finding in findings.items()}
    expected = {clause: OPEN[kind].get(clause, ("pass", ""))[0] for clause in CLAUSES}
    assert found == expected, done.stdout
    assert {clause: findings[clause]["reason"] for clause in OPEN[kind]} == {
        clause: reason for clause, (_, reason) in OPEN[kind].items()
    }
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
