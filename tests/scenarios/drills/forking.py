"""The command line in processes of its own that start at once: they are forked from one that has imported it.

The client that is killed has to be a process; a hundred of them must not import boto3 a hundred times.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Ended:
    """A verb that has ended.

    Attributes:
        code: Its exit code; negative: the signal that ended it.
        said: What it wrote to stdout and stderr.
    """

    code: int
    said: str


class Forking:
    """A process with all imports, which forks one for each verb, one at a time."""

    def __init__(self, process: "subprocess.Popen[str]", folder: Path) -> None:
        self._process = process
        self._log = folder / "said"
        self.pid = 0

    def begin(self, arguments: Sequence[object], environment: Mapping[str, str], folder: Path) -> None:
        """Fork a process that carries out a verb; `pid` is its id."""
        assert self._process.stdin is not None
        wanted = {
            "arguments": [str(argument) for argument in arguments],
            "environment": dict(environment),
            "folder": str(folder),
            "log": str(self._log),
        }
        self._process.stdin.write(json.dumps(wanted) + "\n")
        self._process.stdin.flush()
        self.pid = int(self._line())

    def end(self) -> Ended:
        """Wait for it."""
        return Ended(int(self._line()), self._log.read_text(errors="replace"))

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        os.kill(self.pid, signal.SIGKILL)

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


@contextlib.contextmanager
def forking(folder: Path) -> Iterator[Forking]:
    """The process, for as long as the block runs."""
    command = [sys.executable, "-m", "tests.scenarios.drills.forking"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Forking(process, folder)
        assert process.stdin is not None
        process.stdin.close()


def _serve() -> None:
    """Fork for each line of stdin, and tell the id of the process and then how it ended."""
    from argosy.cli import main

    _import_all(main.VERBS)
    for line in sys.stdin:
        wanted = json.loads(line)
        pid = os.fork()
        if pid == 0:
            _become(wanted)
            main.main()
            os._exit(0)
        print(pid, flush=True)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _import_all(verbs: Mapping[str, tuple[str, str]]) -> None:
    """What a verb imports when it is called, boto3's data too."""
    import importlib

    import boto3
    import httpx  # noqa: F401 - for the push

    from argosy.aws import service_model

    for verb in ("push", "register", "release", "publish", "offer", "subscribe", "deploy", "transform", "destroy"):
        importlib.import_module(f"argosy.cli.{verbs[verb][0]}")
    for service in ("ecr", "s3", "sagemaker", "marketplace-catalog", "marketplace-agreement", "sts"):
        service_model.load(service)
        boto3.client(service, region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def _become(wanted: Mapping[str, object]) -> None:
    """A process with the arguments, environment and folder of a verb, whose words go into a file."""
    environment = wanted["environment"]
    assert isinstance(environment, dict)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(environment)
    os.chdir(str(wanted["folder"]))
    log = os.open(str(wanted["log"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, file in enumerate((nothing, log, log)):
        os.dup2(file, number)
    sys.stdin = Path(os.devnull).open()  # noqa: SIM115 - as long as the process
    sys.argv = ["argosy", *wanted["arguments"]]  # type: ignore[misc] # JSON


if __name__ == "__main__":
    _serve()
