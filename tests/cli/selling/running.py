"""The seller's verbs as a user runs them: processes, at the local AWS."""

import os
import subprocess
import sys
from pathlib import Path

from argosy.testing.local_aws import LocalAwsServer

TIMEOUT_S = 120


def environment(aws: LocalAwsServer | None, folder: Path) -> dict[str, str]:
    """The seller's variables; without an AWS, none of AWS's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    own = {"ARGOSY_CACHE_DIR": str(folder / "cache"), "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
    return kept | own | ({} if aws is None else aws.environment())


def started(environ: dict[str, str], *arguments: object) -> "subprocess.Popen[str]":
    """A verb under way."""
    command = [sys.executable, "-m", "argosy", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)


def argosy(environ: dict[str, str], *arguments: object) -> "subprocess.CompletedProcess[str]":
    """A verb that has ended."""
    command = [sys.executable, "-m", "argosy", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, env=environ)
