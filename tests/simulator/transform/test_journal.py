import shutil
from pathlib import Path

import pytest

from argosy.errors import TransformError, UsageError
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


def run(
    bench: Bench, state: Path, job: TransformJobDefinition = JOB, identity: str = "sha256:1", *, fresh: bool = False
) -> tuple[int, int]:
    """How many objects a run resumed, and how many requests it sent."""
    journal = opened(state, job, identity)
    try:
        if fresh:
            journal.forget_results()
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


AMONG = definition(SplitType="Line", S3OutputPath="s3://in/")
NUMBERED = definition(
    ContentType="text/csv", Accept="text/csv", SplitType="Line", AssembleWith="Line", S3OutputPath="s3://in/",
    DataCaptureConfig={"DestinationS3Uri": "s3://captured", "GenerateInferenceId": True},
)  # fmt: skip


@pytest.mark.parametrize("job", [AMONG, NUMBERED])
def test_a_second_run_does_not_take_its_own_results_for_input(
    bench: Bench, state: Path, job: TransformJobDefinition
) -> None:
    for key in ("a", "b", "mine.out"):
        bench.put(key, b"STATUS-400\n" if key == "b" else b"1\n")
    assert run(bench, state, job) == (0, 3)
    bench.put("b", b"2\n")
    assert run(bench, state, job) == ((2, 1) if job is AMONG else (0, 3))
    bench.put("c", b"3\n")
    assert run(bench, state, job) == ((3, 1) if job is AMONG else (0, 4))
    assert run(bench, state, job, fresh=True) == (0, 4)
    (bench.source / "mine.out").unlink()
    assert run(bench, state, job, fresh=True) == (0, 3)
    names = sorted(path.name for path in bench.source.iterdir())
    assert names == ["a", "a.out", "b", "b.out", "c", "c.out", "mine.out.out"]


def test_a_result_that_was_stored_and_not_noted_is_no_input(bench: Bench, state: Path) -> None:
    for key in ("a", "b"):
        bench.put(key, b"1")
    run(bench, state, AMONG)
    (path,) = state.iterdir()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))  # killed between the two
    assert run(bench, state, AMONG) == (1, 1)


def test_a_job_whose_input_is_gone_has_none_in_its_results(bench: Bench, state: Path) -> None:
    bench.put("a", b"1")
    run(bench, state, AMONG)
    (bench.source / "a").unlink()
    with pytest.raises(TransformError, match="No S3 objects found"):
        run(bench, state, AMONG)


@pytest.mark.parametrize("damage", [b"\0" * 40, b"{", b'{"uri": 1}', b"\xff\xfe", b'"\xff"', b"null", b""])
def test_a_line_that_was_damaged_is_forgotten(bench: Bench, state: Path, damage: bytes) -> None:
    for key in "ab":
        bench.put(key, b"1")
    run(bench, state)
    (path,) = state.iterdir()
    *lines, _ = path.read_bytes().splitlines()
    path.write_bytes(b"".join(line + b"\n" for line in (damage, *lines, damage)))
    assert run(bench, state) == (1, 1)
    assert run(bench, state) == (2, 0)


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
