"""`argosy simulate transform` as a user types it, over folders, over a folder that stands for S3, and over S3."""

import gzip
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner

from argosy.cli.simulation.transform import transform
from argosy.errors import UsageError
from tests.aws.stand_in import moto_server
from tests.cli.test_simulate import Bench

LINES = "application/jsonlines"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    (bench.project / "predictor.py").write_text(
        "import time\n"
        "from argosy import Predictor\n"
        "class Echo(Predictor):\n"
        "    def predict(self, rows: list) -> list:\n"
        "        if 'slow' in rows:\n"
        "            time.sleep(600)\n"
        "        return rows\n"
    )
    (tmp_path / "in").mkdir()
    yield bench
    assert sorted(path.name for path in bench.temporary.iterdir()) == []


def request(**fields: Any) -> dict[str, Any]:
    """The definition of a validation profile: a request without names."""
    return {
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/in/"}},
            "ContentType": LINES, "CompressionType": "Gzip", "SplitType": "Line",
        },
        "TransformOutput": {"S3OutputPath": "s3://data/out", "Accept": LINES, "AssembleWith": "Line"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 2},
        "DataProcessing": {"InputFilter": "$.id", "JoinSource": "Input", "OutputFilter": "$['id','SageMakerOutput']"},
        **fields,
    }  # fmt: skip


PACKED = gzip.compress(b'{"id": 1.50, "x": 0}\n{"id": 2, "x": 0}\n')
JOINED = b'{"id":1.50,"SageMakerOutput":1.5}\n{"id":2,"SageMakerOutput":2}\n'


def test_a_request_runs_verbatim_over_a_folder_that_stands_for_s3(bench: Bench) -> None:
    (bench.folder / "s3/data/in/sub").mkdir(parents=True)
    (bench.folder / "s3/data/in/sub/a.gz").write_bytes(PACKED)
    (bench.folder / "request.json").write_text(json.dumps(request()))
    arguments = ("transform", bench.project, "--s3", bench.folder / "s3", "--request", bench.folder / "request.json")
    code, stdout, stderr = bench.run(*arguments)
    assert code == 0, stderr
    assert (bench.folder / "s3/data/out/sub/a.gz.out").read_bytes() == JOINED
    assert stdout.startswith("Completed\n1 of 1 objects, 2 records, 1 requests")
    code, stdout, _ = bench.run(*arguments, "--json")
    told = json.loads(stdout)
    assert (code, told["resumed"], told["requests"], told["execution_parameters"]) == (0, 1, 0, None)


def test_options_and_uris_work_with_s3_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with moto_server() as url:
        for name, value in (("AWS_ENDPOINT_URL_S3", url), ("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"),
                            ("AWS_DEFAULT_REGION", "us-east-1")):  # fmt: skip
            monkeypatch.setenv(name, value)
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="data")
        s3.put_object(Bucket="data", Key="in/a.gz", Body=PACKED)
        s3.put_object(Bucket="data", Key="in/empty/", Body=b"")
        code, _, stderr = bench.run(
            "transform", bench.project, "--input", "s3://data/in/", "--output", "s3://data/out/", "--content-type",
            LINES, "--accept", LINES, "--compression-type", "Gzip", "--split-type", "Line", "--assemble-with", "Line",
            "--input-filter", "$.id", "--join-source", "Input", "--output-filter", "$['id','SageMakerOutput']",
            "--data-capture", "s3://data/captured", "--env", "A=b", "--invocations-timeout", 60,
            "--invocations-max-retries", 0,
        )  # fmt: skip
        assert code == 0, stderr
        assert "data/in/empty/: a folder's placeholder" in stderr
        assert s3.get_object(Bucket="data", Key="out/a.gz.out")["Body"].read() == JOINED
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="data", Prefix="captured/")["Contents"]]
        assert [key.split("/")[1] for key in keys] == ["input", "output"]


def test_an_interrupted_job_goes_on_where_it_ended(bench: Bench) -> None:
    for name, body in (("a", b"[1]"), ("b", b"[2]"), ("c", b'["slow"]')):
        (bench.folder / "in" / name).write_bytes(body)
    arguments = ("transform", bench.project, "--content-type", "application/json", "--input", bench.folder / "in",
                 "--output", bench.folder / "out")  # fmt: skip
    with bench.start(*arguments) as process:
        bench.await_stderr("2 of 3 objects done", process)
        process.send_signal(signal.SIGINT)
        bench.await_stderr("when told again", process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, bench.stderr
    assert "the same command again goes on" in bench.stderr
    (bench.folder / "in/c").write_bytes(b"[3]")
    code, stdout, stderr = bench.run(*arguments)
    assert code == 0, stderr
    assert "3 of 3 objects, 2 of them by an earlier run (--fresh begins anew), 1 records, 1 requests" in stdout
    assert (bench.folder / "out/c.out").read_bytes() == b"[3]"
    _, stdout, _ = bench.run(*arguments, "--fresh")
    assert "3 records, 3 requests" in stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "a job needs an input and an output"),
        (("--input", "{in}", "--output", "s3://b/out"), "not in the same place"),
        (("--request", "{request}", "--input", "{in}"), "--request says what input and output are"),
        (("--request", "{request}"), "this is no CreateTransformJob request"),
        (("--input", "s3://b", "--output", "s3://b/out", "--s3", "{in}/none"), "mkdir -p"),
        (("--input", "{in}", "--output", "{in}/../out", "--assume", "nothing=1"), "slice-end=inclusive|exclusive"),
        (("--input", "{in}", "--output", "{in}/../out", "--assume", "slice-end=1"), "slice-end=inclusive|exclusive"),
        (("--input", "{in}", "--output", "{in}/../out", "--env", "A"), "NAME=VALUE"),
        (("--input", "{in}", "--output", "{in}/../out", "--generate-inference-id"), "--data-capture"),
        (("--input", "{in}", "--output", "{in}/../out", "--join-source", "Input"), "DataProcessing needs"),
    ],
)
def test_wrong_usage_is_told(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a").write_bytes(b"1")
    (tmp_path / "request.json").write_text('{"TransformInput": {}}')
    places = {"in": tmp_path / "in", "request": tmp_path / "request.json"}
    given = [argument.format(**places) for argument in arguments]
    told = CliRunner().invoke(transform, [str(tmp_path), *given])
    assert isinstance(told.exception, UsageError)
    assert sentence in str(told.exception)
