"""The seller's verbs as a user runs them: processes, at the local AWS."""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing.process import BaseProcess
from pathlib import Path

from argosy.cli.main import main
from argosy.testing.local_aws import LocalAwsServer

TIMEOUT_S = 120


def environment(aws: LocalAwsServer | None, folder: Path) -> dict[str, str]:
    """The seller's variables; without an AWS, none of AWS's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    own = {"ARGOSY_CACHE_DIR": str(folder / "cache"), "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    return kept | own | ({} if aws is None else aws.environment())


def started(environ: dict[str, str], told: Path, *arguments: object) -> BaseProcess:
    """A verb under way in a process of its own, which is forked from one that has loaded it: quicker than a new one.

    Args:
        environ: Its variables.
        told: File that gets what it says on stdout and stderr.
        arguments: Its own.
    """
    forking = multiprocessing.get_context("forkserver")
    forking.set_forkserver_preload([__name__, "boto3", "argosy.cli.main", "argosy.cli.selling.register"])
    process = forking.Process(target=_run, args=(environ, str(told), [str(argument) for argument in arguments]))
    process.start()
    return process


def _run(environ: dict[str, str], told: str, arguments: list[str]) -> None:
    os.environ.clear()
    os.environ.update(environ)
    output = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.argv = ["argosy", *arguments]
    main()


def argosy(environ: dict[str, str], *arguments: object) -> "subprocess.CompletedProcess[str]":
    """A verb that has ended."""
    command = [sys.executable, "-m", "argosy", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environ)
