"""`argosy simulate` as a user types it; the container is a small project, or an image of an engine."""

import json
import os
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.processes import await_end, descendants
from tests.simulator import stand_in_image

PREDICTOR = """
import time
from pathlib import Path
from argosy import Predictor

class Echo(Predictor):
    def load(self, model_dir: Path) -> None:
        self.word = (model_dir / "word").read_text()
        if self.word == "slow":
            print("still loading", flush=True)
            time.sleep(600)

    def predict(self, rows: list) -> list:
        if rows == ["slow"]:
            time.sleep(600)
        return [self.word, *rows]
"""


class Bench:
    """A project folder, the `argosy` command, and a folder for temporary files that must be empty in the end."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "my_model"
        (self.project / "model").mkdir(parents=True)
        (self.project / "argosy.toml").write_text(
            '[model]\npredictor = "predictor:Echo"\nartifacts = "model"\n[serving]\nworkers = 1\n'
        )
        (self.project / "predictor.py").write_text(PREDICTOR)
        self.word("hello")
        self.temporary = folder / "tmp"
        self.temporary.mkdir()

    def word(self, text: str) -> None:
        (self.project / "model/word").write_text(text)

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        environment = {**os.environ, "TMPDIR": str(self.temporary), "ARGOSY_CACHE_DIR": str(self.folder / "cache")}
        with (self.folder / "stderr").open("w") as stderr:
            command = [sys.executable, "-m", "argosy", "simulate", *map(str, arguments)]
            return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=stderr, text=True)

    def run(self, *arguments: object) -> tuple[int, str, str]:
        process = self.start(*arguments)
        stdout, _ = process.communicate(timeout=120)
        return process.returncode, stdout, self.stderr

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()

    def await_stderr(self, part: str, process: "subprocess.Popen[str]") -> None:
        deadline = time.monotonic() + 60
        while part not in self.stderr:
            assert process.poll() is None, self.stderr
            assert time.monotonic() < deadline, self.stderr
            time.sleep(0.02)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    assert sorted(path.name for path in bench.temporary.iterdir()) == []


def client_of(announced: dict[str, str]) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=announced["endpoint_url"],
        region_name="us-east-1",
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(retries={"total_max_attempts": 1}),
    )


def announced(process: "subprocess.Popen[str]", bench: Bench) -> dict[str, str]:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, bench.stderr
    found: dict[str, str] = json.loads(line)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_project_is_an_endpoint_until_it_is_told_to_stop(bench: Bench, number: signal.Signals) -> None:
    with bench.start("endpoint", bench.project, "--json") as process:
        told = announced(process, bench)
        assert told["endpoint_name"] == "my-model"
        answer = client_of(told).invoke_endpoint(
            EndpointName="my-model", ContentType="application/json", Body=b'["world"]'
        )
        assert json.loads(answer["Body"].read()) == ["hello", "world"]
        assert answer["InvokedProductionVariant"] == "AllTraffic"
        process.send_signal(number)
        assert process.wait(60) == 0, bench.stderr
    assert "the container ended with exit code 0" in bench.stderr
    assert "reach the network" in bench.stderr


def test_streams_are_recut_the_same_way_for_the_same_seed(bench: Bench) -> None:
    def parts() -> list[bytes]:
        with bench.start("endpoint", bench.project, "--json", "--recut", "--seed", "7") as process:
            told = announced(process, bench)
            answer = client_of(told).invoke_endpoint_with_response_stream(
                EndpointName=told["endpoint_name"], Body=json.dumps(["word"] * 20), ContentType="application/json"
            )
            with closing(answer["Body"]) as events:
                seen = [event["PayloadPart"]["Bytes"] for event in events]
            process.terminate()
            assert process.wait(60) == 0, bench.stderr
            return seen

    first = parts()
    assert json.loads(b"".join(first)) == ["hello", *["word"] * 20]
    assert len(first) > 1
    assert first == parts()


def test_the_announcement_holds_lines_to_paste(bench: Bench) -> None:
    with bench.start("endpoint", bench.project, "--endpoint-name", "mine") as process:
        assert process.stdout is not None
        text = "".join(iter(process.stdout.readline, "Ctrl-C ends it.\n"))
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert 'boto3.client("sagemaker-runtime", endpoint_url="http://127.0.0.1:' in text
    assert "aws sagemaker-runtime invoke-endpoint" in text
    assert "--endpoint-name mine" in text


def test_ctrl_c_while_it_starts_removes_everything(bench: Bench) -> None:
    bench.word("slow")
    with bench.start("endpoint", bench.project) as process:
        bench.await_stderr("waiting for /ping", process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, bench.stderr


def test_kill_leaves_no_process_and_no_folder_of_a_project(bench: Bench) -> None:
    with bench.start("endpoint", bench.project, "--json") as process:
        announced(process, bench)
        below = descendants(process.pid)
        process.kill()
    assert len(below) >= 3
    await_end(below)
    deadline = time.monotonic() + 20
    while left := list(bench.temporary.iterdir()):
        assert time.monotonic() < deadline, left
        time.sleep(0.02)


def test_a_project_that_does_not_load_fails_with_the_service_s_words(bench: Bench) -> None:
    (bench.project / "predictor.py").write_text("import no_such_library\nclass Echo: ...\n")
    code, stdout, stderr = bench.run("endpoint", bench.project)
    assert code == 1
    assert stdout == ""
    assert "did not pass the ping health check. Please check CloudWatch logs for this endpoint." in stderr
    assert "no_such_library" in stderr


def test_what_a_project_printed_is_in_the_log_even_when_it_ends_abruptly(bench: Bench) -> None:
    text = PREDICTOR.replace(
        "    def load(self", "    def load(self, model_dir): print('reading', 7); os._exit(5)\n    def old(self"
    )
    (bench.project / "predictor.py").write_text(f"import os\n{text}")
    code, _, stderr = bench.run("endpoint", bench.project)
    assert code == 1
    assert "reading 7" in stderr


def test_model_data_replaces_the_project_s_artifacts(bench: Bench) -> None:
    (bench.folder / "word").write_text("packed")
    with tarfile.open(bench.folder / "model.tar.gz", "w:gz") as archive:
        archive.add(bench.folder / "word", "word")
    (bench.folder / "in").mkdir()
    (bench.folder / "in/a.json").write_bytes(b"[1]")
    code, _, stderr = bench.run(
        "transform", bench.project, "--model-data", bench.folder / "model.tar.gz", "--content-type", "application/json",
        "--input", bench.folder / "in", "--output", bench.folder / "out",
    )  # fmt: skip
    assert code == 0, stderr
    assert json.loads((bench.folder / "out/a.json.out").read_bytes()) == ["packed", 1]


def test_a_transform_job_reports_and_a_bad_object_fails_it(bench: Bench) -> None:
    (bench.folder / "in/sub").mkdir(parents=True)
    (bench.folder / "in/sub/good.json").write_bytes(b"[1]")
    (bench.folder / "in/bad.json").write_bytes(b"{broken")
    code, stdout, stderr = bench.run(
        "transform", bench.project, "--json", "--content-type", "application/json",
        "--input", bench.folder / "in", "--output", bench.folder / "out",
    )  # fmt: skip
    assert code == 1, stderr
    told = json.loads(stdout)
    assert told["status"] == "Failed"
    assert told["failure_reason"] == "ClientError: See job logs for more information"
    assert (told["objects"], told["failed"], told["records"], told["retries"]) == (2, 1, 1, 0)
    assert "in/bad.json: ClientError: 400" in stderr
    assert [path.name for path in (bench.folder / "out").rglob("*.out")] == ["good.json.out"]


def test_ctrl_c_in_a_transform_job_leaves_no_result(bench: Bench) -> None:
    (bench.folder / "in").mkdir()
    (bench.folder / "in/a.json").write_bytes(b'["slow"]')
    arguments = ("--content-type", "application/json", "--input", bench.folder / "in", "--output", bench.folder / "out")
    with bench.start("transform", bench.project, *arguments) as process:
        bench.await_stderr("MaxConcurrentTransforms=", process)
        process.send_signal(signal.SIGINT)
        bench.await_stderr("when told again", process)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130, bench.stderr
    assert [path for path in (bench.folder / "out").rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("transform", "{project}", "--input", "{project}", "--output", "{project}/out"), "lies in the input folder"),
        (("transform", "{project}", "--input", ".", "--output", "{project}/argosy.toml"), "the output is not a folder"),
        (("transform", "{project}", "--input", "nowhere", "--output", "out"), "the input is not there"),
        (("transform", "{project}", "--input", ".", "--output", "/x", "--max-payload-mb", "101"), "MaxPayloadInMB"),
        (("endpoint", "{project}", "--endpoint-name", "a_b"), "an endpoint cannot have this name"),
        (("endpoint", "{project}", "--port", "1000000"), "--port"),
        (("endpoint", "my-image"), "my-image"),
        (("endpoint", "."), "argosy.toml"),
        (("endpoint", "oci:any", "--container", "process"), "use `--container sandbox`"),
        (("endpoint", "{project}", "--as", "ml.m5.larg"), "did you mean `ml.m5.large`?"),
    ],
)
def test_wrong_usage_is_exit_code_2(bench: Bench, arguments: tuple[str, ...], sentence: str) -> None:
    code, stdout, stderr = bench.run(*(argument.format(project=bench.project) for argument in arguments))
    assert code == 2, stderr
    assert sentence in stderr
    assert stdout == ""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return stand_in_image.build(tmp_path_factory.mktemp("image"))


@pytest.mark.engine
@pytest.mark.parametrize("kind", ["docker", "podman", "sandbox"])
def test_any_image_runs_in_every_kind_of_container_and_a_second_time(bench: Bench, archive: Path, kind: str) -> None:
    (bench.folder / "in").mkdir()
    (bench.folder / "in/a").write_bytes(b"1\n2\n")
    for _ in range(2):
        code, stdout, stderr = bench.run(
            "transform", f"docker-archive:{archive}", "--container", kind, "--split-type", "Line",
            "--batch-strategy", "SingleRecord", "--input", bench.folder / "in", "--output", bench.folder / "out",
            "--fresh",
        )  # fmt: skip
        assert code == 0, stderr
        assert "2 records, 2 requests" in stdout
        assert (bench.folder / "out/a.out").read_bytes() == b"1\n2\n"
    assert "load the image" not in stderr
    assert "unpack the image" not in stderr


@pytest.mark.engine
def test_an_image_of_docker_is_used_as_it_is(bench: Bench, archive: Path) -> None:
    with bench.start("endpoint", f"docker-daemon:{stand_in_image.IMAGE}", "--json") as process:
        told = announced(process, bench)
        assert told["endpoint_name"] == "argosy-test-stand-in-1"
        answer = client_of(told).invoke_endpoint(EndpointName=told["endpoint_name"], Body=b"echo")
        assert answer["Body"].read() == b"echo"
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert "load the image" not in bench.stderr


@pytest.mark.engine
def test_an_image_without_serve_fails_with_its_name(bench: Bench) -> None:
    code, _, stderr = bench.run("endpoint", f"docker-daemon:{stand_in_image.FOUNDATION}", "--container", "docker")
    assert code == 1
    assert "docker-daemon:python:3.11-slim: the image cannot be started with the argument `serve`" in stderr


@pytest.mark.engine
def test_an_image_that_docker_does_not_have_is_an_error_of_the_surroundings(bench: Bench) -> None:
    code, _, stderr = bench.run("endpoint", "docker-daemon:argosy-test/nothing:here", "--container", "docker")
    assert code == 3
    assert "argosy-test/nothing:here" in stderr
