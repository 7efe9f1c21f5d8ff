import asyncio
import gzip
import hashlib
import json
import os
import random
import re
import resource
import uuid
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from argosy.errors import ContainerError, TransformError
from argosy.simulator.storage.local_folder import LocalFolder, LocalUpload
from argosy.simulator.storage.objects import ObjectUri
from argosy.simulator.transform import content
from argosy.simulator.transform.definition import Assumptions, EmptyObjects, Retried, TransformJobDefinition
from argosy.simulator.transform.json_path import SliceEnd
from argosy.simulator.transform.progress import Outcome, Progress
from argosy.simulator.transform.split import BatchStrategy
from tests.simulator.conftest import MakeContainer
from tests.simulator.transform.conftest import Bench, Heard, Kept, definition
from tests.simulator.transform.test_framing import record_io

MIB = 2**20
LINE, SINGLE, CSV = "Line", "SingleRecord", "text/csv"


def test_faults_10_and_16_results_lie_in_the_same_sub_folders_and_under_no_job_name(bench: Bench) -> None:
    bench.put("b.csv", b"2\n")
    bench.put("a.csv", b"1\n")
    bench.put("sub/deep/c", b"3")
    ran = bench.run(definition(ContentType="text/csv", Accept="text/csv"))
    assert bench.results() == {"a.csv.out": b"1\n", "b.csv.out": b"2\n", "sub/deep/c.out": b"3"}
    assert ran.outcome.status == "Completed"
    assert ran.outcome.failure_reason is None
    assert ran.outcome.progress == Progress(3, 3, 0, 0, 5, 5, 3, 3, 0)


def test_the_requests_are_those_of_a_transform_job(bench: Bench) -> None:
    bench.put("a.csv", b"1,2")
    ran = bench.run(definition(ContentType="text/csv; charset=utf-8", Accept="application/json"))
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
    ran = bench.run(definition(SplitType=LINE, BatchStrategy=SINGLE))
    assert [request["size"] for request in ran.invocations] == [2, 3, 3]
    assert bench.results() == {"a.out": b"1\n22\n333"}


def test_multi_record_fills_requests_up_to_the_limit_and_never_mixes_objects(bench: Bench) -> None:
    line = b"x" * 299_999 + b"\n"
    bench.put("a", line * 5)
    bench.put("b", line)
    ran = bench.run(definition(SplitType=LINE, MaxPayloadInMB=1))
    assert [request["size"] for request in ran.invocations] == [900_000, 600_000, 300_000]
    assert ran.outcome.progress.records == 6
    assert bench.results() == {"a.out": line * 5, "b.out": line}


def test_assemble_with_line_ends_every_answer_once(bench: Bench) -> None:
    bench.put("whole", b"no newline")
    bench.put("lines", b"1\n2")
    bench.run(definition(SplitType=LINE, BatchStrategy=SINGLE, AssembleWith="Line"))
    assert bench.results() == {"lines.out": b"1\n2\n", "whole.out": b"no newline\n"}


def test_without_a_payload_limit_bodies_go_in_chunks(bench: Bench) -> None:
    bench.put("a", bytes(3 * MIB))
    ran = bench.run(definition(MaxPayloadInMB=0))
    headers = {name.lower(): value for name, value in ran.invocations[0]["headers"]}
    assert headers["transfer-encoding"] == "chunked"
    assert "content-length" not in headers
    assert bench.results() == {"a.out": bytes(3 * MIB)}


def test_fault_14_concurrency_is_what_the_container_asks_for(bench: Bench) -> None:
    bench.put("a", b"JITTER\n" * 60)
    options = definition(SplitType=LINE, BatchStrategy=SINGLE)
    ran = bench.run(options, parameters='{"MaxConcurrentTransforms": 4}')
    assert 2 <= max(request["concurrent"] for request in ran.invocations) <= 4


def test_more_requests_at_a_time_than_a_machine_has_files_for_are_sent_and_answered(bench: Bench) -> None:
    bench.put("a", b"".join(b"%d\n" % number for number in range(3000)))
    options = definition(SplitType=LINE, BatchStrategy=SINGLE, MaxPayloadInMB=0, MaxConcurrentTransforms=100_000)
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
    ran = bench.run(definition(MaxConcurrentTransforms=5))
    assert 2 <= max(request["concurrent"] for request in ran.invocations) <= 5
    assert len(bench.results()) == 20


def test_fault_15_a_bad_record_fails_its_object_and_the_job_but_no_other_object(bench: Bench) -> None:
    bench.put("a.csv", b"1\n")
    bench.put("b.csv", b"1\nSTATUS-400 <bad>\n3\n")
    bench.put("c.csv", b"3\n")
    ran = bench.run(definition(SplitType=LINE, BatchStrategy=SINGLE))
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
    ran = bench.run(definition(SplitType=LINE, BatchStrategy=SINGLE))
    assert bench.results() == {"a.out": b"FLAKY 1\nFLAKY 2\n3\n"}
    assert (ran.outcome.status, ran.outcome.progress.retries, ran.outcome.progress.requests) == ("Completed", 2, 5)


def test_rows_between_good_ones_are_tried_again_or_fail_only_their_object(bench: Bench) -> None:
    rows = [b"FLAKY 100\n" if number == 100 else b"%d\n" % number for number in range(700)]
    bench.put("a", b"".join(rows))
    bench.put("b", b"".join(rows[:50]) + b"STATUS-400\n" + b"".join(rows[50:]))
    bench.put("c", b"".join(rows[:50]))
    job = definition(SplitType=LINE, BatchStrategy=SINGLE, MaxConcurrentTransforms=3)
    ran = bench.run(job)
    assert bench.results() == {"a.out": b"".join(rows), "c.out": b"".join(rows[:50])}
    assert (ran.outcome.progress.retries, ran.outcome.progress.failed, ran.outcome.progress.objects) == (1, 1, 3)
    assert len(ran.invocations) == ran.outcome.progress.requests < 701 + 700 + 50
    assert ran.outcome.progress.bytes == ran.outcome.progress.bytes_total


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
    ran = bench.run(definition(InvocationsTimeoutInSeconds=1, InvocationsMaxRetries=1), slow_s="3")
    assert len(ran.invocations) == 2
    assert "Unable to get response from algorithm" in ran.heard.log[1]


def test_fault_12_a_record_over_the_limit_fails_its_object(bench: Bench) -> None:
    bench.put("a", b"x" * (MIB + 1))
    bench.put("b", b"x" * MIB)
    ran = bench.run(definition(MaxPayloadInMB=1))
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
    transform_job = bench.job(Heard(), definition(), [], mode="crash")
    with pytest.raises(ContainerError, match=r"no such file: model\.joblib"):
        asyncio.run(transform_job.run())
    assert transform_job.outcome.failure_reason == (
        "AlgorithmError: Model container failed to respond to ping. Please ensure /ping endpoint is implemented and "
        "responds with an HTTP 200 status code"
    )


def test_garbage_execution_parameters_do_not_matter(bench: Bench) -> None:
    bench.put("a", b"1")
    ran = bench.run(parameters="<html>")
    assert ran.outcome.status == "Completed"
    assert any("defaults" in line for line in ran.heard.report)


def interrupt(bench: Bench, job: TransformJobDefinition, requests: int, **settings: Any) -> list[Kept]:
    """Cancel a job when so many requests were sent."""
    containers: list[Kept] = []

    async def cancel_in_the_middle() -> None:
        reached = asyncio.Event()
        heard = Heard(on_progress=lambda progress: reached.set() if progress.requests == requests else None)
        transform_job = bench.job(heard, job, containers, **settings)
        running = asyncio.create_task(transform_job.run())
        await reached.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(running, 20)
        assert transform_job.outcome.status == "Stopped"

    asyncio.run(cancel_in_the_middle())
    return containers


def test_a_cancelled_job_leaves_no_partial_result_and_no_container(bench: Bench) -> None:
    bench.put("a", b"1\n" * 5 + b"SLOW\n")
    (container,) = interrupt(bench, definition(SplitType=LINE, BatchStrategy=SINGLE), 6, slow_s="30")
    assert bench.results() == {}
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{container.url}/ping")


def test_a_cancelled_job_with_many_requests_under_way_ends_at_once(bench: Bench) -> None:
    bench.put("a", b"SLOW\n" * 1000)
    job = definition(SplitType=LINE, BatchStrategy=SINGLE, MaxPayloadInMB=0, MaxConcurrentTransforms=100_000)
    interrupt(bench, job, 100, slow_s="600")
    assert bench.results() == {}


def test_a_stopped_job_ends_as_stopped_and_keeps_what_is_whole(bench: Bench) -> None:
    bench.put("a", b"1\n")
    bench.put("b", b"SLOW\n")
    seen: list[str] = []

    async def stop_in_the_middle() -> Outcome:
        reached = asyncio.Event()
        heard = Heard(on_progress=lambda progress: reached.set() if progress.objects == 1 else None)
        transform_job = bench.job(heard, definition(SplitType=LINE), [], slow_s="30")
        running = asyncio.create_task(transform_job.run())
        await reached.wait()
        seen.append(transform_job.outcome.status)
        transform_job.stop()
        transform_job.stop()
        seen.append(transform_job.outcome.status)
        return await asyncio.wait_for(running, 20)

    outcome = asyncio.run(stop_in_the_middle())
    assert [*seen, outcome.status] == ["InProgress", "Stopping", "Stopped"]
    assert outcome.failure_reason is None
    assert bench.results() == {"a.out": b"1\n"}


def test_a_job_that_was_stopped_before_it_ran_starts_no_container(bench: Bench) -> None:
    bench.put("a", b"1")
    containers: list[Kept] = []
    transform_job = bench.job(Heard(), definition(), containers)
    transform_job.stop()
    assert asyncio.run(transform_job.run()).status == "Stopped"
    assert containers == []


def test_several_instances_divide_the_objects_among_them(bench: Bench) -> None:
    for number in range(5):
        bench.put(f"{number}", b"%d" % number)
    ran = bench.run(definition(InstanceCount=3))
    assert len(ran.containers) == 3
    sent = [[one["size"] for one in kept.requests if one["path"] == "/invocations"] for kept in ran.containers]
    assert sorted(map(len, sent)) == [1, 2, 2]
    assert bench.results() == {f"{number}.out": b"%d" % number for number in range(5)}
    assert len([line for line in ran.heard.log if "MaxConcurrentTransforms=" in line]) == 3


def test_an_instance_without_objects_idles(bench: Bench) -> None:
    bench.put("a", b"1")
    ran = bench.run(definition(InstanceCount=2))
    assert [[one["path"] for one in kept.requests] for kept in ran.containers] == [
        ["/ping", "/execution-parameters", "/invocations"],
        ["/ping", "/execution-parameters"],
    ]


def test_what_one_container_of_a_pipeline_answers_the_next_one_gets(bench: Bench) -> None:
    bench.put("a", b"DOUBLE,")
    ran = bench.run(definition(ContentType="text/csv", Accept="text/plain"), pipeline=2)
    assert bench.results() == {"a.out": b"DOUBLE," * 4}
    first, second = ({k.lower(): v for k, v in one["headers"]} for one in ran.invocations)
    assert (first["content-length"], second["content-length"]) == ("7", "14")
    assert (second["content-type"], second["accept"]) == ("text/csv", "text/plain")


def test_the_environment_is_the_job_s_and_the_platform_s(bench: Bench) -> None:
    bench.put("a", b"1")
    bench.run(definition(Environment={"MINE": "1"}, MaxPayloadInMB=2))
    assert bench.environment == {"MINE": "1", "SAGEMAKER_BATCH": "true", "SAGEMAKER_MAX_PAYLOAD_IN_MB": "2"}


def test_packed_objects_are_unpacked_before_they_are_split(bench: Bench) -> None:
    bench.put("two.gz", gzip.compress(b"1\n2\n") + gzip.compress(b"3\n"))
    bench.put("cut.gz", gzip.compress(random.Random(1).randbytes(1000))[:-300])
    bench.put("plain.gz", b"no gzip")
    ran = bench.run(definition(CompressionType="Gzip", SplitType=LINE, BatchStrategy=SINGLE))
    assert bench.results() == {"two.gz.out": b"1\n2\n3\n"}
    assert ran.outcome.failure_reason == "ClientError: See job logs for more information"
    assert ran.outcome.progress.bytes == ran.outcome.progress.bytes_total
    assert any(
        "in/cut.gz: the object cannot be unpacked: got a gzip file that is cut" in line for line in ran.heard.lines
    )


def test_framed_records_are_sent_with_or_without_their_frames(bench: Bench) -> None:
    records = [b"a", b"bcde", b"", b"fg"]
    bench.put("a", b"".join(map(record_io, records)))
    single = bench.run(definition(SplitType="RecordIO", BatchStrategy=SINGLE))
    assert [one["size"] for one in single.invocations] == [1, 4, 0, 2]
    assert bench.results() == {"a.out": b"abcdefg"}
    multi = bench.run(definition(SplitType="RecordIO"))
    assert [one["size"] for one in multi.invocations] == [12 + 12 + 8 + 12]
    assert bench.results() == {"a.out": (bench.source / "a").read_bytes()}


def test_records_are_filtered_sent_joined_and_filtered(bench: Bench) -> None:
    bench.put("a.csv", b'7,1,2\r\n"8, x",3,4\n\n9,5,6')
    job = definition(ContentType=CSV, Accept=CSV, SplitType=LINE, AssembleWith=LINE, InputFilter="$[1:]",
                     JoinSource="Input", OutputFilter="$[0,-1]")  # fmt: skip
    ran = bench.run(job)
    assert [one["size"] for one in ran.invocations] == [12]
    assert bench.results() == {"a.csv.out": b'7,2\n"8, x",4\n9,6\n'}
    assert ran.outcome.progress.records == 3


def test_an_answer_with_another_number_of_records_fails_its_object(bench: Bench) -> None:
    bench.put("a.csv", b"DOUBLE\n")
    bench.put("b.csv", b"1\n")
    ran = bench.run(definition(ContentType=CSV, Accept=CSV, SplitType=LINE, AssembleWith=LINE, JoinSource="Input"))
    assert bench.results() == {"b.csv.out": b"1,1\n"}
    assert ran.heard.lines[0] == "in/a.csv: ClientError: 400"
    assert ran.heard.lines[3].startswith("in/a.csv: Failed to join output from the algorithm with input")
    assert ran.outcome.failure_reason == "ClientError: See job logs for more information"


def test_a_path_that_the_service_does_not_know_fails_its_objects_before_anything_is_sent(bench: Bench) -> None:
    bench.put("a.csv", b"1,2\n")
    job = definition(ContentType=CSV, Accept=CSV, SplitType=LINE, AssembleWith=LINE, OutputFilter="$[0:2,246:]")
    ran = bench.run(job)
    assert ran.invocations == []
    assert ran.heard.lines == [
        "in/a.csv: Invalid JsonPath: $[0:2,246:]: only single range filters of format (eg: [1:5]) are supported. "
        "Format [0:2,246:] is not supported"
    ]


def test_a_closed_slice_is_reported(bench: Bench) -> None:
    bench.put("a.csv", b"1,2,3,4\n")
    job = definition(ContentType=CSV, Accept=CSV, SplitType=LINE, AssembleWith=LINE, InputFilter="$[1:2]")
    ran = bench.run(job)
    assert bench.results() == {"a.csv.out": b"2,3\n"}
    assert any("$[1:2]: nobody knows" in line for line in ran.heard.report)
    bench.run(job, assumptions=Assumptions(slice_end=SliceEnd.EXCLUSIVE))
    assert bench.results() == {"a.csv.out": b"2\n"}


def test_empty_objects_and_client_errors_are_treated_as_one_assumes(bench: Bench) -> None:
    bench.put("a", b"")
    bench.put("b", b"STATUS-400")
    ran = bench.run(assumptions=Assumptions(empty_objects=EmptyObjects.SENT, retried=Retried.ALL_ERRORS))
    assert [one["size"] for one in ran.invocations] == [0, 10, 10, 10, 10]
    assert bench.results() == {"a.out": b""}


def test_captured_are_the_places_of_what_was_transformed_and_its_results(bench: Bench) -> None:
    bench.put("d/a.csv", b"1\n2\n")
    bench.put("d/b.csv", b"STATUS-400\n")
    capture = {"DestinationS3Uri": "s3://captured/x", "GenerateInferenceId": True}
    job = definition(ContentType=CSV, Accept=CSV, SplitType=LINE, AssembleWith=LINE, DataCaptureConfig=capture)
    assert bench.run(job).outcome.status == "Failed"
    rows = [line.split(",") for line in bench.results()["d/a.csv.out"].decode().splitlines()]
    assert [row[0] for row in rows] == ["1", "2"]
    assert len({uuid.UUID(row[1]) for row in rows}) == 2
    times = {datetime.strptime(row[2], "%Y-%m-%dT%H:%M:%SZ") for row in rows}
    assert len(times) == 1
    hour = times.pop().strftime("%Y/%m/%d/%H")
    captured = bench.folder / "captured/x"
    assert json.loads((captured / "input" / hour / "job.jsonl").read_text()) == [{"prefix": "s3://in/d/"}, "a.csv"]
    assert json.loads((captured / "output" / hour / "job.jsonl").read_text()) == [
        {"prefix": "s3://out/d/"}, "a.csv.out",
    ]  # fmt: skip


def test_a_bucket_without_objects_fails_the_job_in_the_service_s_words(bench: Bench) -> None:
    containers: list[Kept] = []
    transform_job = bench.job(Heard(), definition(S3Uri="s3://in/nothing"), containers)
    with pytest.raises(TransformError):
        asyncio.run(transform_job.run())
    assert transform_job.outcome.status == "Failed"
    assert str(transform_job.outcome.failure_reason).startswith(
        'ClientError: No S3 objects found under S3 URL "s3://in/nothing" given in input data source'
    )
    assert containers == []


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
        definition(
            SplitType=LINE, BatchStrategy=strategy.value, MaxConcurrentTransforms=concurrency, MaxPayloadInMB=payload
        )
    )
    assert ran.outcome.status == "Completed"
    assert bench.results() == {name: content for name, content in contents.items() if content}


class WrittenTo(LocalFolder):
    """Changes the input object at one moment of the job that reads it."""

    def __init__(self, root: Path, moment: str, change: Callable[[Path], object]) -> None:
        super().__init__(root)
        self._root_folder, self._moment, self._change = root, moment, change

    def open(self, uri: ObjectUri) -> BinaryIO:
        if self._moment == "before it is opened":
            self._change(self._root_folder / uri.bucket / uri.key)
        return super().open(uri)

    def create(self, uri: ObjectUri, content_type: str | None = None) -> LocalUpload:
        if self._moment == "while it is open":
            self._change(self._root_folder / "in" / uri.key.removesuffix(".out"))
        return super().create(uri, content_type)


def _replace(path: Path) -> None:
    aside = path.parent.parent / "aside"
    aside.write_bytes(b"other\n")
    aside.replace(path)


@pytest.mark.parametrize(
    ("moment", "change"),
    [
        ("while it is open", lambda path: os.truncate(path, 4)),
        ("while it is open", lambda path: path.write_bytes(b"5\n6\n7\n8\n9\n")),
        ("before it is opened", lambda path: os.truncate(path, 4)),
        ("before it is opened", _replace),
    ],
)
def test_an_object_that_changes_while_a_job_reads_it_has_no_result(
    bench: Bench, moment: str, change: Callable[[Path], object]
) -> None:
    bench.put("a", b"1\n2\n3\n4\n")
    bench.store = WrittenTo(bench.folder, moment, change)
    ran = bench.run(definition(SplitType=LINE))
    assert ran.outcome.status == "Failed"
    assert ran.outcome.failure_reason == "InternalServerError: See job logs for more information"
    assert ran.heard.lines == [
        "in/a: the object cannot be read or its result not be stored: the object changed while it was read"
    ]
    assert bench.results() == {}


def test_an_object_that_another_replaces_while_it_is_open_is_read_to_its_end(bench: Bench) -> None:
    bench.put("a", b"1\n2\n")
    bench.store = WrittenTo(bench.folder, "while it is open", _replace)
    assert bench.run(definition(SplitType=LINE)).outcome.status == "Completed"
    assert bench.results() == {"a.out": b"1\n2\n"}


def test_a_record_that_is_too_long_to_be_filtered_fails_its_object(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(content, "LONGEST_RECORD_BYTES", 1000)
    bench.put("a", b"1," * 1000)
    bench.put("b", b"1,2\n")
    options = definition(ContentType=CSV, Accept=CSV, SplitType=LINE, AssembleWith=LINE, InputFilter="$[0]")
    ran = bench.run(options)
    assert ran.outcome.status == "Failed"
    assert ran.heard.lines == ["in/a: a record is too long to be filtered, joined or numbered: want at most 1000 bytes"]
    assert bench.results() == {"b.out": b"1\n"}


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
    ran = bench.run(definition(MaxPayloadInMB=0))
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert ran.invocations[0]["digest"] == digest.hexdigest()
    assert grown_kib < 64 * 1024
