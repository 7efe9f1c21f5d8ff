import shutil
from pathlib import Path

import pytest

from argosy.errors import UsageError
from argosy.simulator.transform.definition import Assumptions, EmptyObjects, TransformJobDefinition
from argosy.simulator.transform.journal import Journal
from tests.simulator.transform.conftest import Bench, definition

JOB = definition(SplitType="Line")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def opened(
    state: Path, job: TransformJobDefinition = JOB, identity: str = "sha256:1", assumptions: Assumptions | None = None
) -> Journal:
    return Journal(state, job, assumptions or Assumptions(), identity)


def run(bench: Bench, state: Path, job: TransformJobDefinition = JOB, identity: str = "sha256:1") -> tuple[int, int]:
    """How many objects a run resumed, and how many requests it sent."""
    journal = opened(state, job, identity)
    try:
        progress = bench.run(job, journal=journal).outcome.progress
    finally:
        journal.close()
    return progress.resumed, progress.requests


def test_a_second_run_does_what_the_first_one_did_not(bench: Bench, state: Path) -> None:
    for key, content in (("a", b"1"), ("b", b"STATUS-400"), ("c", b"3")):
        bench.put(key, content)
    assert run(bench, state) == (0, 3)
    bench.put("b", b"2")
    before = {path.name: path.stat().st_mtime_ns for path in bench.output.iterdir()}
    assert run(bench, state) == (2, 1)
    assert bench.results() == {"a.out": b"1", "b.out": b"2", "c.out": b"3"}
    assert all((bench.output / name).stat().st_mtime_ns == time for name, time in before.items())
    assert run(bench, state) == (3, 0)


@pytest.mark.parametrize("changed", ["input", "output", "output is gone", "bucket is gone", "job", "model"])
def test_nothing_is_resumed_that_is_not_the_same(bench: Bench, state: Path, changed: str) -> None:
    bench.put("a", b"1")
    assert run(bench, state) == (0, 1)
    if changed == "input":
        bench.put("a", b"2")
    if changed == "output":
        (bench.output / "a.out").write_bytes(b"mine")
    if changed == "output is gone":
        (bench.output / "a.out").unlink()
    if changed == "bucket is gone":
        shutil.rmtree(bench.output)
    job = definition(SplitType="Line", AssembleWith="Line") if changed == "job" else JOB
    assert run(bench, state, job, "sha256:2" if changed == "model" else "sha256:1") == (0, 1)


def test_the_name_of_a_job_does_not_matter_and_an_assumption_does(state: Path) -> None:
    first = opened(state)
    with pytest.raises(UsageError, match="runs already"):
        opened(state, definition(SplitType="Line", TransformJobName="other"))
    opened(state, assumptions=Assumptions(empty_objects=EmptyObjects.SENT)).close()
    first.close()
    opened(state).close()


def test_a_line_that_was_cut_by_a_kill_is_forgotten(bench: Bench, state: Path) -> None:
    for key in "ab":
        bench.put(key, b"1")
    run(bench, state)
    (path,) = state.iterdir()
    path.write_bytes(path.read_bytes()[:-7])
    assert run(bench, state) == (1, 1)
    assert run(bench, state) == (2, 0)


def test_a_cleared_journal_begins_anew(bench: Bench, state: Path) -> None:
    bench.put("a", b"1")
    run(bench, state)
    journal = opened(state)
    journal.clear()
    journal.close()
    assert run(bench, state) == (0, 1)


def test_results_with_numbers_of_their_own_are_never_resumed(bench: Bench, state: Path) -> None:
    bench.put("a", b"1\n")
    job = definition(
        ContentType="text/csv", Accept="text/csv", SplitType="Line", AssembleWith="Line",
        DataCaptureConfig={"DestinationS3Uri": "s3://captured", "GenerateInferenceId": True},
    )  # fmt: skip
    assert run(bench, state, job) == (0, 1)
    assert run(bench, state, job) == (0, 1)


def test_names_that_are_no_unicode_are_kept_apart(bench: Bench, state: Path) -> None:
    for key in (b"\xff", b"\xfe", "ä".encode()):
        (bench.source / key.decode(errors="surrogateescape")).write_bytes(b"1")
    assert run(bench, state) == (0, 3)
    assert run(bench, state) == (3, 0)
