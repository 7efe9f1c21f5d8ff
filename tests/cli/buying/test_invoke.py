"""`argosy invoke` as a user types it: the body untouched, streams as they come, errors with the model's log."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.deployment.endpoint_config import Instances
from argosy.deployment.plans import deploy_stages
from argosy.errors import AwsError, ModelError, UsageError
from tests.cli.buying.conftest import Desk
from tests.deployment.account import ROLE, Account
from tests.local_aws.requests import until


@pytest.fixture(scope="module", autouse=True)
def endpoint(buyer: Account) -> Iterator[None]:
    package = buyer.package("echo-1", STAND_IN_SLOW_S="2")
    buyer.run(deploy_stages("echo", package, ROLE, Instances(None), None), "echo")
    yield


def test_the_body_comes_untouched_and_what_is_about_it_goes_to_stderr(desk: Desk, tmp_path: Path) -> None:
    body = bytes(range(256))
    (tmp_path / "some.bin").write_bytes(body)
    done = desk.run("invoke", "echo", "--body", "some.bin", "--content-type", "application/octet-stream")
    assert done.stdout_bytes == body
    assert done.stderr.splitlines() == [
        "200 application/octet-stream, 256 bytes",
        "InvokedProductionVariant: AllTraffic",
    ]
    assert desk.run("invoke", "echo", "--body", "-", "--content-type", "text/plain", input=b"typed").stdout == "typed"


def test_several_files_go_to_a_folder_and_json_tells_of_each(desk: Desk, tmp_path: Path) -> None:
    for name in ("a.csv", "b.json"):
        (tmp_path / name).write_text(name)
    done = desk.run("invoke", "echo", "--body", "a.csv", "--body", "b.json", "-o", "out", "--json")
    told = json.loads(done.stdout)
    assert [one["headers"]["ContentType"] for one in told] == ["text/csv", "application/json"]
    assert (tmp_path / "out/b.json.out").read_text() == "b.json"
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.csv.out", "b.json.out"]


def test_a_stream_is_printed_part_by_part_as_it_comes(desk: Desk, tmp_path: Path) -> None:
    """The stand-in keeps the second word back until somebody has read the first, or two seconds are over."""
    command = [sys.executable, "-m", "argosy", "invoke", "echo", "--text", "STREAM first WAIT second", "--stream"]
    process = subprocess.Popen(
        [*command, "--content-type", "text/plain"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ
    )
    assert process.stdout is not None
    assert os.read(process.stdout.fileno(), 100) == b"first"
    assert process.poll() is None
    rest, said = process.communicate(timeout=60)
    assert (rest, process.returncode) == (b"second", 0), said


def test_ctrl_c_in_a_stream_leaves_with_130(desk: Desk, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "argosy", "invoke", "echo", "--text", "STREAM first WAIT second", "--stream"]
    process = subprocess.Popen(
        [*command, "--content-type", "text/plain", "-o", "out.txt"], stderr=subprocess.PIPE, env=os.environ
    )
    partial = tmp_path / ".out.txt.partial"
    until(lambda: partial.exists() and partial.read_bytes(), lambda come: come == b"first")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (130, b"error: interrupted")
    assert not partial.exists()
    assert not (tmp_path / "out.txt").exists()


def test_a_stream_that_breaks_off_ends_visibly(desk: Desk) -> None:
    with pytest.raises(ModelError, match="broke off in its answer") as error:
        desk.run("invoke", "echo", "--text", "STREAM one two BREAK", "--stream", "--content-type", "text/plain")
    assert "ModelStreamError" in error.value.sentence


def test_a_model_error_comes_with_its_status_its_words_and_the_log(desk: Desk) -> None:
    with pytest.raises(ModelError, match="the model answered 418") as error:
        desk.run("invoke", "echo", "--text", "COMPLAIN STATUS-418", "--content-type", "text/plain")
    assert error.value.status == 418
    assert "COMPLAIN STATUS-418" in error.value.sentence
    assert error.value.lines[-1] == "complaint"


def test_an_endpoint_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(AwsError, match="ValidationError"):
        desk.run("invoke", "nobody", "--text", "x", "--content-type", "text/plain")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "needs a body"),
        (("--text", "x", "--body", "-"), "needs a body"),
        (("--text", "x"), "media type of the body is not known"),
        (("--body", "missing.csv"), "no such file"),
        (("--text", "x", "--content-type", "csv"), "this is no media type"),
        (("--text", "x", "--content-type", "text/csv", "--json"), "both JSON and the answer"),
        (("--text", "x", "--content-type", "text/csv", "--custom-attributes", "ä"), "custom attributes"),
    ],
)
def test_what_cannot_be_sent(desk: Desk, arguments: tuple[str, ...], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        desk.run("invoke", "echo", *arguments)


def test_a_plan_sends_nothing(desk: Desk, sent: list[tuple[str, str]]) -> None:
    shown = desk.run("invoke", "echo", "--text", "x", "--content-type", "text/csv", "--stream", "--plan").stdout
    assert "sagemaker:InvokeEndpointWithResponseStream" in shown
    assert "(1 bytes)" in shown
    assert sent == []
