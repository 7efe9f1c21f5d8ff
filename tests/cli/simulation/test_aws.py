"""`argosy simulate aws` as somebody types it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from argosy.aws.clients import Signer, client

SOON_S = 20.0


@contextmanager
def simulated(*arguments: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "argosy", "simulate", "aws", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def printed_json(process: "subprocess.Popen[str]") -> Any:
    """The document that is printed before anything else."""
    assert process.stdout is not None
    lines = ""
    for line in process.stdout:
        lines += line
        if line == "}\n":
            return json.loads(lines)
    raise AssertionError(lines)


def who(environment: Mapping[str, str]) -> str:
    signer = Signer(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    sts = client("sts", environment["AWS_ENDPOINT_URL"], environment["AWS_DEFAULT_REGION"], signer)
    return str(sts.get_caller_identity()["Account"])


def test_it_prints_both_accounts_and_ends_well_when_it_is_interrupted(tmp_path: Path) -> None:
    with simulated("--json", "--buyer", "--state", str(tmp_path / "state")) as process:
        printed = printed_json(process)
        assert who(printed["environment"]) == "444455556666"
        assert {name: who(account["environment"]) for name, account in printed["accounts"].items()} == {
            "seller": "111122223333",
            "buyer": "444455556666",
        }
        assert printed["roles"]["execution"] == "arn:aws:iam::444455556666:role/ArgosyExecution"
        process.send_signal(signal.SIGINT)
        assert process.wait(SOON_S) == 0
    assert (tmp_path / "state" / "moto").is_dir()


def test_its_lines_can_be_pasted(tmp_path: Path) -> None:
    with simulated() as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(14)]
        show = 'echo "$AWS_ENDPOINT_URL $AWS_ACCESS_KEY_ID ${AWS_PROFILE-none}"'
        done = subprocess.run(
            ["bash", "-euc", "".join(lines) + show], env={"AWS_PROFILE": "mine"}, capture_output=True, text=True
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split()[1:] == ["AKIALOCALSELLER00000", "none"]


WITHOUT_MOTO = """
import sys
sys.modules["moto"] = None
sys.modules["moto.core"] = None
from argosy.cli.main import main
sys.argv = ["argosy", "simulate", "aws"]
main()
"""


def test_it_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_MOTO], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "pip install 'argosy[toolkit,local-aws]'" in done.stderr


@pytest.mark.parametrize("port", ["70000", "x"])
def test_a_port_that_is_none_is_a_usage_error(port: str) -> None:
    with simulated("--port", port) as process:
        assert process.wait(SOON_S) == 2
