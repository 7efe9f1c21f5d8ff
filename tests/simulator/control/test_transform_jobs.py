"""Transform jobs as unmodified boto3 sees them, waiters included, and over the end of the simulator."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from tests.simulator.control.conftest import QUICK, ROLE, Simulated, simulation, until
from tests.simulator.control.test_restart import NEVER, doomed, kill, reported, stand_ins, try_to, without_images

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:transform-job/job"
SOURCE = {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://in/rows/"}}}
LINES = {**SOURCE, "SplitType": "Line", "ContentType": "text/csv"}
OUT = {"S3OutputPath": "s3://out/here", "AssembleWith": "Line"}
JOINED = {
    "TransformOutput": {**OUT, "Accept": "application/json"},
    "DataProcessing": {"JoinSource": "Input"},
}
FILTERED: dict[str, Any] = {
    "TransformOutput": {**OUT, "Accept": "text/csv"},
    "DataProcessing": {"InputFilter": "$[0:2,4:]"},
}
RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1}


def create(simulated: Simulated, name: str = "Job", **more: Any) -> Any:
    members = {
        "ModelName": "iris",
        "TransformInput": LINES,
        "TransformOutput": OUT,
        "TransformResources": RESOURCES,
        **more,
    }
    return simulated.sagemaker.create_transform_job(TransformJobName=name, **members)


def ended(simulated: Simulated, name: str = "job") -> Any:
    waiter = simulated.sagemaker.get_waiter("transform_job_completed_or_stopped")
    waiter.wait(TransformJobName=name, WaiterConfig=QUICK)
    return simulated.sagemaker.describe_transform_job(TransformJobName=name)


def kept_jobs(folder: Path) -> list[Path]:
    """What the state keeps of jobs for another run of them."""
    return list((folder / "state/jobs").rglob("*"))


def test_a_job_is_created_run_described_and_listed(simulated: Simulated) -> None:
    simulated.model()
    simulated.bucket("in", {"rows/a.csv": b"1,2\n3,4\n"})
    assert create(simulated, BatchStrategy="SingleRecord")["TransformJobArn"] == ARN
    described = ended(simulated)
    assert described["TransformJobStatus"] == "Completed"
    assert described["TransformInput"] == {**LINES, "CompressionType": "None"}
    assert described["DataProcessing"] == {"InputFilter": "$", "OutputFilter": "$", "JoinSource": "None"}
    assert described["CreationTime"] <= described["TransformStartTime"] <= described["TransformEndTime"]
    assert (simulated.folder / "s3/out/here/a.csv.out").read_bytes() == b"1,2\n3,4\n"
    until(lambda: kept_jobs(simulated.folder) == [])
    listed = simulated.sagemaker.list_transform_jobs(StatusEquals="Completed")["TransformJobSummaries"]
    assert [(job["TransformJobName"], job["TransformJobArn"]) for job in listed] == [("Job", ARN)]
    with pytest.raises(ClientError, match=f"a job with this name already exists .{ARN}") as caught:
        create(simulated)
    assert caught.value.response["Error"]["Code"] == "ResourceInUse"
    with pytest.raises(ClientError, match="The request was rejected because the transform job is in status Completed"):
        simulated.sagemaker.stop_transform_job(TransformJobName="Job")
    with pytest.raises(ClientError, match="Could not find requested job with name: none"):
        simulated.sagemaker.describe_transform_job(TransformJobName="none")


def test_a_failed_record_fails_the_job_in_the_services_words(simulated: Simulated) -> None:
    simulated.model()
    simulated.bucket("in", {"rows/a.csv": b"STATUS-400\n"})
    create(simulated)
    with pytest.raises(WaiterError):
        ended(simulated)
    described = simulated.sagemaker.describe_transform_job(TransformJobName="job")
    assert described["TransformJobStatus"] == "Failed"
    assert described["FailureReason"] == "ClientError: See job logs for more information"


def test_a_filter_that_is_no_path_fails_the_objects_of_a_job_that_was_taken(simulated: Simulated) -> None:
    simulated.model()
    simulated.bucket("in", {"rows/a.csv": b"1,2,3,4,5\n"})
    create(simulated, **FILTERED)
    with pytest.raises(WaiterError):
        ended(simulated)
    assert any(
        "in/rows/a.csv: Invalid JsonPath: $[0:2,4:]: only single range filters of format (eg: [1:5]) are supported. "
        "Format [0:2,4:] is not supported" in line
        for line in simulated.reports
    )


def test_a_job_is_stopped(simulated: Simulated) -> None:
    simulated.model(slow_s="600")
    simulated.bucket("in", {"rows/a.csv": b"SLOW\n"})
    create(simulated)
    simulated.sagemaker.stop_transform_job(TransformJobName="job")
    assert ended(simulated)["TransformJobStatus"] == "Stopped"
    until(lambda: kept_jobs(simulated.folder) == [])
    until(lambda: stand_ins(simulated.folder) == 0)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"ModelName": "none"}, 'Could not find model "arn:.*model/none"'),
        (
            {"TransformInput": SOURCE},
            r'No S3 objects found under S3 URL "s3://in/rows/" given in input data source. Please ensure that the '
            r"bucket exists in the selected region \(eu-west-1\)",
        ),
        ({"MaxConcurrentTransforms": 30, "MaxPayloadInMB": 6}, "too large: got 30 \\* 6, want at most 100"),
        (
            JOINED,
            "DataProcessing needs a ContentType and an Accept that are the same: got `text/csv` and `application/",
        ),
        ({**FILTERED, "DataProcessing": {"InputFilter": "$.a_b"}}, 'Invalid InputFilter: "\\$.a_b". Unexpected "a"'),
        ({**FILTERED, "TransformOutput": OUT}, "needs a ContentType and an Accept that are the same"),
        ({"MaxPayloadInMB": 101}, "MaxPayloadInMB is out of range: got 101, want 0 to 100"),
        ({"MaxPayloadInMB": -1}, "at 'maxPayloadInMB' failed to satisfy constraint"),
        ({"TransformResources": {"InstanceType": "local", "InstanceCount": 1}}, "enum value set"),
    ],
)
def test_what_aws_refuses_is_refused(refusing: Simulated, members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence) as caught:
        create(refusing, **members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert refusing.sagemaker.list_transform_jobs()["TransformJobSummaries"] == []


MISSING = {"Image": "missing"}
UNCOMPRESSED = {"S3Uri": "s3://in/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}


@pytest.mark.parametrize(
    ("name", "members", "sentence"),
    [
        (
            "source",
            {"PrimaryContainer": {**MISSING, "ModelDataSource": {"S3DataSource": UNCOMPRESSED}}},
            "ModelDataSource is not supported for batch transform",
        ),
        (
            "many",
            {"PrimaryContainer": {**MISSING, "Mode": "MultiModel", "ModelDataUrl": "s3://in/many/"}},
            "Multi-model mode is not supported for batch transform",
        ),
        (
            "direct",
            {
                "Containers": [{**MISSING, "ContainerHostname": name} for name in ("a", "b")],
                "InferenceExecutionConfig": {"Mode": "Direct"},
            },
            "Mode Direct is not supported for batch transform",
        ),
    ],
)
def test_what_jobs_cannot_run_is_refused(
    refusing: Simulated, name: str, members: dict[str, Any], sentence: str
) -> None:
    refusing.bucket("in", {"many/a.tar.gz": b"x"})
    refusing.sagemaker.create_model(ModelName=name, ExecutionRoleArn=ROLE, **members)
    with pytest.raises(ClientError, match=sentence) as caught:
        create(refusing, ModelName=name)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


# Moments 1 and 2 are around the model's write; then the job is created, started, and has ended.
@pytest.mark.parametrize(("moment", "place"), [(4, "out/here"), (7, "out/here"), (7, "in/rows")])
def test_a_job_survives_its_simulator(tmp_path: Path, moment: int, place: str) -> None:
    with doomed(tmp_path, moment) as first:
        first.bucket("in", {f"rows/{number}.csv": b"1\n" for number in range(3)})
        first.model()
        try_to(lambda: create(first, TransformOutput={**OUT, "S3OutputPath": f"s3://{place}"}))
    with simulation(tmp_path) as second:
        assert ended(second)["TransformJobStatus"] == "Completed"
        results = {path.name: path.read_bytes() for path in (tmp_path / "s3" / place).glob("*.out")}
        assert results == {f"{number}.csv.out": b"1\n" for number in range(3)}
        until(lambda: stand_ins(tmp_path) == 0)
        until(lambda: kept_jobs(tmp_path) == [])


def test_a_job_that_is_killed_between_its_objects_goes_on_with_the_rest(tmp_path: Path) -> None:
    out = tmp_path / "s3/out/here"
    with doomed(tmp_path, NEVER) as first:
        first.bucket("in", {"rows/a.csv": b"1\n", "rows/b.csv": b"SLOW\n"})
        first.model(slow_s="1")
        create(first, MaxConcurrentTransforms=1)
        until(lambda: any(b"output_etag" in path.read_bytes() for path in kept_jobs(tmp_path) if path.is_file()))
        kill(tmp_path)
    before = (out / "a.csv.out").stat()
    with simulation(tmp_path) as second:
        assert ended(second)["TransformJobStatus"] == "Completed"
        until(lambda: stand_ins(tmp_path) == 0)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == {"a.csv.out": b"1\n", "b.csv.out": b"SLOW\n"}
    after = (out / "a.csv.out").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns), "it was not made again"


def test_a_start_removes_what_killed_writers_left_in_buckets(tmp_path: Path) -> None:
    for bucket in ("out", "other"):
        (tmp_path / "s3" / bucket).mkdir(parents=True)
        (tmp_path / "s3" / bucket / ".argosy-partial-0").write_bytes(b"half")
    with simulation(tmp_path):
        assert list((tmp_path / "s3").glob("*/*")) == []


def test_a_restart_that_cannot_run_a_job_does_not_end_it(tmp_path: Path) -> None:
    with doomed(tmp_path, 4) as first:
        first.bucket("in", {"rows/a.csv": b"1\n"})
        first.model()
        try_to(lambda: create(first))
    with simulation(tmp_path, without_images) as second:
        reported(second, "transform job Job: it cannot go on, next attempt in")
        assert second.sagemaker.describe_transform_job(TransformJobName="job")["TransformJobStatus"] == "InProgress"
    with simulation(tmp_path) as third:
        assert ended(third)["TransformJobStatus"] == "Completed"
        assert (tmp_path / "s3/out/here/a.csv.out").read_bytes() == b"1\n"
