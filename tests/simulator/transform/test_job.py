import asyncio
import hashlib
import os
import random
import re
import resource
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.errors import ContainerError, UsageError
from argosy.simulator.containers.process import ProcessContainer
from argosy.simulator.transform import job
from argosy.simulator.transform.assemble import AssembleWith
from argosy.simulator.transform.execution_parameters import TransformOptions
from argosy.simulator.transform.files import input_objects
from argosy.simulator.transform.job import Listener, Outcome, TransformJob
from argosy.simulator.transform.split import BatchStrategy, SplitType
from tests.simulator.conftest import MakeContainer

MIB = 2**20
LINE, SINGLE, MULTI = SplitType.LINE, BatchStrategy.SINGLE_RECORD, BatchStrategy.MULTI_RECORD


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "_RETRY_DELAY_S", 0.001)


class Kept(ProcessContainer):
    """Remembers the requests that the stand-in had seen when it was stopped."""

    requests: list[dict[str, Any]]

    def terminate(self) -> None:
        self.requests = httpx.get(f"{self.url}/requests").json()
        super().terminate()


@dataclass
class Heard:
    log: list[str] = field(default_factory=list)
    report: list[str] = field(default_factory=list)
    progress: list[job.Progress] = field(default_factory=list)


@dataclass
class Ran:
    outcome: Outcome
    heard: Heard
    container: Kept

    @property
    def invocations(self) -> list[dict[str, Any]]:
        return [request for request in self.container.requests if request["path"] == "/invocations"]


class Bench:
    """A folder `in`, a folder `out`, and jobs from one to the other."""

    def __init__(self, folder: Path, stand_in: MakeContainer) -> None:
        self.source, self.output = folder / "in", folder / "out"
        self.source.mkdir()
        self._stand_in = stand_in

    def put(self, key: str, content: bytes) -> None:
        path = self.source / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def run(self, options: TransformOptions | None = None, **container_settings: str) -> Ran:
        options = options or TransformOptions()
        container = self._stand_in(**container_settings)
        container.__class__ = Kept
        assert isinstance(container, Kept)
        container.requests = []
        heard = Heard()
        listener = Listener(heard.log.append, heard.report.append, heard.progress.append)
        objects = input_objects(self.source, self.output, print)
        outcome = asyncio.run(TransformJob(container, objects, options, listener, "in").run())
        return Ran(outcome, heard, container)

    def results(self) -> dict[str, bytes]:
        found = {p.relative_to(self.output).as_posix(): p.read_bytes() for p in self.output.rglob("*") if p.is_file()}
        return dict(sorted(found.items()))


@pytest.fixture
def bench(tmp_path: Path, stand_in: MakeContainer) -> Bench:
    return Bench(tmp_path, stand_in)


def test_faults_10_and_16_results_lie_in_the_same_sub_folders_and_under_no_job_name(bench: Bench) -> None:
    bench.put("b.csv", b"2\n")
    bench.put("a.csv", b"1\n")
    bench.put("sub/deep/c", b"3")
    ran = bench.run(TransformOptions(content_type="text/csv", accept="text/csv"))
    assert bench.results() == {"a.csv.out": b"1\n", "b.csv.out": b"2\n", "sub/deep/c.out": b"3"}
    assert ran.outcome.status == "Completed"
    assert ran.outcome.failure_reason is None
    assert ran.outcome.progress == job.Progress(3, 3, 0, 5, 5, 3, 3, 0)


def test_the_requests_are_those_of_a_transform_job(bench: Bench) -> None:
    bench.put("a.csv", b"1,2")
    ran = bench.run(TransformOptions(content_type="text/csv; charset=utf-8", accept="application/json"))
    assert [(r["method"], r["path"]) for r in ran.container.requests] == [
        ("GET", "/ping"),
        ("GET", "/execution-parameters"),
        ("POST", "/invocations"),
    ]
    assert {name.lower(): value for name, value in ran.invocations[0]["headers"]} == {
        "host": "169.254.255.131:8080",
        "user-agent": "Go-http-client/1.1",
        "content-type": "text/csv; charset=utf-8",
        "accept": "application/json",
        "content-length": "3",
    }


def test_fault_15_a_job_without_content_type_sends_none(bench: Bench) -> None:
    bench.put("a", b"x")
    names = {name.lower() for name, _ in bench.run().invocations[0]["headers"]}
    assert names == {"host", "user-agent", "content-length"}


def test_the_data_log_begins_with_the_parameters(bench: Bench) -> None:
    bench.put("a", b"x")
    ran = bench.run(parameters='{"MaxConcurrentTransforms": 4, "BatchStrategy": "SINGLE_RECORD", "MaxPayloadInMB": 2}')
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}:\[sagemaker logs\]: "
        r"MaxConcurrentTransforms=4, MaxPayloadInMB=2, BatchStrategy=SINGLE_RECORD",
        ran.heard.log[0],
    )


def test_fault_11_binary_objects_work_with_the_default_strategy(bench: Bench) -> None:
    content = bytes(range(256)) * 10
    bench.put("image.png", content)
    bench.run()
    assert bench.results() == {"image.png.out": content}


def test_single_record_sends_every_line_by_itself(bench: Bench) -> None:
    bench.put("a", b"1\n22\n333")
    ran = bench.run(TransformOptions(split_type=LINE, batch_strategy=SINGLE))
    assert [request["size"] for request in ran.invocations] == [2, 3, 3]
    assert bench.results() == {"a.out": b"1\n22\n333"}


def test_multi_record_fills_requests_up_to_the_limit_and_never_mixes_objects(bench: Bench) -> None:
    line = b"x" * 299_999 + b"\n"
    bench.put("a", line * 5)
    bench.put("b", line)
    ran = bench.run(TransformOptions(split_type=LINE, max_payload_mb=1))
    assert [request["size"] for request in ran.invocations] == [900_000, 600_000, 300_000]
    assert ran.outcome.progress.records == 6
    assert bench.results() == {"a.out": line * 5, "b.out": line}


def test_assemble_with_line_ends_every_answer_once(bench: Bench) -> None:
    bench.put("whole", b"no newline")
    bench.put("lines", b"1\n2")
    bench.run(TransformOptions(split_type=LINE, batch_strategy=SINGLE, assemble_with=AssembleWith.LINE))
    assert bench.results() == {"lines.out": b"1\n2\n", "whole.out": b"no newline\n"}


def test_without_a_payload_limit_bodies_go_in_chunks(bench: Bench) -> None:
    bench.put("a", bytes(3 * MIB))
    ran = bench.run(TransformOptions(max_payload_mb=0))
    headers = {name.lower(): value for name, value in ran.invocations[0]["headers"]}
    assert headers["transfer-encoding"] == "chunked"
    assert "content-length" not in headers
    assert bench.results() == {"a.out": bytes(3 * MIB)}


def test_fault_14_concurrency_is_what_the_container_asks_for(bench: Bench) -> None:
    bench.put("a", b"JITTER\n" * 60)
    options = TransformOptions(split_type=LINE, batch_strategy=SINGLE)
    ran = bench.run(options, parameters='{"MaxConcurrentTransforms": 4}')
    assert 2 <= max(request["concurrent"] for request in ran.invocations) <= 4


def test_more_requests_at_a_time_than_a_machine_has_files_for_are_sent_and_answered(bench: Bench) -> None:
    bench.put("a", b"".join(b"%d\n" % number for number in range(3000)))
    options = TransformOptions(
        split_type=LINE, batch_strategy=SINGLE, max_payload_mb=0, max_concurrent_transforms=100_000
    )
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    try:
        ran = bench.run(options)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert bench.results() == {"a.out": (bench.source / "a").read_bytes()}
    assert ran.outcome.progress.retries == 0
    assert ran.heard.report == ["MaxConcurrentTransforms is 100000: here at most 100 at a time"]


def test_objects_share_the_concurrency(bench: Bench) -> None:
    for number in range(20):
        bench.put(f"{number:02}", b"JITTER")
    ran = bench.run(TransformOptions(max_concurrent_transforms=5))
    assert 2 <= max(request["concurrent"] for request in ran.invocations) <= 5
    assert len(bench.results()) == 20


def test_fault_15_a_bad_record_fails_its_object_and_the_job_but_no_other_object(bench: Bench) -> None:
    bench.put("a.csv", b"1\n")
    bench.put("b.csv", b"1\nSTATUS-400 <bad>\n3\n")
    bench.put("c.csv", b"3\n")
    ran = bench.run(TransformOptions(split_type=LINE, batch_strategy=SINGLE))
    assert bench.results() == {"a.csv.out": b"1\n", "c.csv.out": b"3\n"}
    assert ran.outcome.status == "Failed"
    assert ran.outcome.failure_reason == "ClientError: See job logs for more information"
    assert [line.partition("[sagemaker logs]: ")[2] for line in ran.heard.log[1:]] == [
        "in/b.csv: ClientError: 400",
        "in/b.csv: ",
        "in/b.csv: Message:",
        "in/b.csv: STATUS-400 <bad>",
    ]
    assert ran.outcome.progress.retries == 0
    assert ran.outcome.progress.failed == 1
    assert ran.outcome.progress.bytes == ran.outcome.progress.bytes_total


def test_fault_15_server_errors_are_tried_again(bench: Bench) -> None:
    bench.put("a", b"FLAKY 1\nFLAKY 2\n3\n")
    ran = bench.run(TransformOptions(split_type=LINE, batch_strategy=SINGLE))
    assert bench.results() == {"a.out": b"FLAKY 1\nFLAKY 2\n3\n"}
    assert (ran.outcome.status, ran.outcome.progress.retries, ran.outcome.progress.requests) == ("Completed", 2, 5)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"STATUS-503", "Bad HTTP status received from algorithm: 503"),
        (b"DROP", "Unable to get response from algorithm"),
    ],
)
def test_after_three_retries_an_object_fails(bench: Bench, body: bytes, words: str) -> None:
    bench.put("a", body)
    ran = bench.run()
    assert len(ran.invocations) == 4
    assert bench.results() == {}
    assert ran.outcome.failure_reason == "AlgorithmError: See job logs for more information"
    assert words in ran.heard.log[1]


def test_an_invocation_that_takes_too_long_is_tried_again(bench: Bench) -> None:
    bench.put("a", b"SLOW")
    ran = bench.run(TransformOptions(invocation_s=0.1, max_retries=1), slow_s="1")
    assert len(ran.invocations) == 2
    assert "Unable to get response from algorithm" in ran.heard.log[1]


def test_fault_12_a_record_over_the_limit_fails_its_object(bench: Bench) -> None:
    bench.put("a", b"x" * (MIB + 1))
    bench.put("b", b"x" * MIB)
    ran = bench.run(TransformOptions(max_payload_mb=1))
    assert list(bench.results()) == ["b.out"]
    assert [request["size"] for request in ran.invocations] == [MIB]
    assert "record 0 is larger than MaxPayloadInMB" in ran.heard.log[1]
    assert ran.outcome.status == "Failed"


def test_fault_12_an_empty_object_is_not_sent(bench: Bench) -> None:
    bench.put("a", b"")
    bench.put("b", b"1")
    ran = bench.run()
    assert len(ran.invocations) == 1
    assert list(bench.results()) == ["b.out"]
    assert any("empty" in line for line in ran.heard.report)


def test_fault_15_a_container_that_dies_ends_the_job(bench: Bench) -> None:
    for number in range(30):
        bench.put(f"{number:02}", b"EXIT" if number == 3 else b"1")
    ran = bench.run()
    assert ran.outcome.failure_reason == "AlgorithmError: See job logs for more information"
    assert sorted(bench.results()) == ["00.out", "01.out", "02.out"]
    assert any("exit code 9" in line for line in ran.heard.report)
    assert ran.container.exit_code() is None


def test_a_container_that_never_starts_is_told_with_its_log(bench: Bench) -> None:
    bench.put("a", b"1")
    with pytest.raises(ContainerError, match=r"no such file: model\.joblib"):
        bench.run(mode="crash")


def test_garbage_execution_parameters_do_not_matter(bench: Bench) -> None:
    bench.put("a", b"1")
    ran = bench.run(parameters="<html>")
    assert ran.outcome.status == "Completed"
    assert any("defaults" in line for line in ran.heard.report)


def test_a_cancelled_job_leaves_no_partial_result_and_no_container(bench: Bench, stand_in: MakeContainer) -> None:
    bench.put("a", b"1\n" * 5 + b"SLOW\n")
    container = stand_in(slow_s="30")
    objects = input_objects(bench.source, bench.output, print)
    options = TransformOptions(split_type=LINE, batch_strategy=SINGLE)

    async def cancel_in_the_middle() -> None:
        reached = asyncio.Event()
        listener = Listener(print, print, lambda progress: reached.set() if progress.requests == 6 else None)
        running = asyncio.create_task(TransformJob(container, objects, options, listener, "in").run())
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancel_in_the_middle())
    assert bench.results() == {}
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{container.url}/ping")


def test_a_cancelled_job_with_many_requests_under_way_ends_at_once(bench: Bench, stand_in: MakeContainer) -> None:
    bench.put("a", b"SLOW\n" * 1000)
    container = stand_in(slow_s="600")
    options = TransformOptions(
        split_type=LINE, batch_strategy=SINGLE, max_payload_mb=0, max_concurrent_transforms=100_000
    )

    async def cancel_in_the_middle() -> None:
        reached = asyncio.Event()
        listener = Listener(print, print, lambda progress: reached.set() if progress.requests == 100 else None)
        objects = input_objects(bench.source, bench.output, print)
        running = asyncio.create_task(TransformJob(container, objects, options, listener, "in").run())
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, 20)

    asyncio.run(cancel_in_the_middle())
    assert bench.results() == {}


def test_the_output_may_not_lie_in_the_input(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"1")
    with pytest.raises(UsageError, match="lies in the input"):
        input_objects(tmp_path, tmp_path / "out", print)


def test_an_input_without_files_is_refused(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(UsageError):
            input_objects(source, tmp_path.parent / "out", print)


def test_a_single_file_is_an_input(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/test.csv").write_bytes(b"1")
    (found,) = input_objects(tmp_path / "in/test.csv", tmp_path / "out", print)
    assert (found.key, found.output) == ("test.csv", tmp_path / "out/test.csv.out")


def test_what_is_no_object_is_reported(tmp_path: Path) -> None:
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "in/a").write_bytes(b"1")
    (tmp_path / "in/b").symlink_to("a")
    (tmp_path / "in/sub/nothing").symlink_to("gone")
    (tmp_path / "in/folder").symlink_to("sub")
    os.mkfifo(tmp_path / "in/pipe")
    told: list[str] = []
    found = input_objects(tmp_path / "in", tmp_path / "out", told.append)
    assert [one.key for one in found] == ["a", "b"]
    assert sorted(line.removeprefix(f"{tmp_path}/in/").partition(", not")[0] for line in told) == [
        "folder: a link to a folder",
        "pipe: a pipe",
        "sub/nothing: a link to nothing",
    ]


@pytest.mark.parametrize("output", ["file", "file/below", "dangling"])
def test_an_output_that_can_be_no_folder_is_refused(tmp_path: Path, output: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_bytes(b"1")
    (tmp_path / "file").write_bytes(b"mine")
    (tmp_path / "dangling").symlink_to("gone")
    with pytest.raises(UsageError, match="the output is not a folder"):
        input_objects(tmp_path / "in", tmp_path / output, print)


def test_fault_10_keys_are_sorted_as_s3_lists_them(tmp_path: Path) -> None:
    for key in ("b", "a/z", "a.csv", "ä", "B"):
        path = tmp_path / "in" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1")
    assert [found.key for found in input_objects(tmp_path / "in", tmp_path / "out", print)] == [
        "B",
        "a.csv",
        "a/z",
        "b",
        "ä",
    ]


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 2**32),
    concurrency=st.integers(1, 8),
    strategy=st.sampled_from(BatchStrategy),
    payload=st.sampled_from([None, 0, 1]),
)
def test_order_is_kept_under_random_latencies_and_retries(
    tmp_path_factory: pytest.TempPathFactory,
    stand_in: MakeContainer,
    seed: int,
    concurrency: int,
    strategy: BatchStrategy,
    payload: int | None,
) -> None:
    chance = random.Random(seed)
    bench = Bench(tmp_path_factory.mktemp("order"), stand_in)
    contents = {}
    for name in "abc":
        lines = [
            f"{chance.choice(['', 'JITTER', 'FLAKY'])} {name} {number}\n" for number in range(chance.randrange(25))
        ]
        contents[f"{name}.out"] = "".join(lines).encode()
        bench.put(name, contents[f"{name}.out"])
    if not any(contents.values()):
        return
    ran = bench.run(
        TransformOptions(
            split_type=LINE, batch_strategy=strategy, max_concurrent_transforms=concurrency, max_payload_mb=payload
        )
    )
    assert ran.outcome.status == "Completed"
    assert bench.results() == {name: content for name, content in contents.items() if content}


def test_memory_stays_flat_for_a_large_object(bench: Bench) -> None:
    size = 300 * MIB
    digest = hashlib.sha256()
    no_command = bytes(byte | 0x80 for byte in range(256))  # the stand-in obeys words in ASCII
    with (bench.source / "large").open("wb") as stream:
        for _ in range(size // MIB):
            block = random.randbytes(MIB).translate(no_command)
            digest.update(block)
            stream.write(block)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    ran = bench.run(TransformOptions(max_payload_mb=0))
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert ran.invocations[0]["digest"] == digest.hexdigest()
    assert grown_kib < 64 * 1024
