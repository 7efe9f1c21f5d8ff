"""A container as SageMaker isolates it: no network, a read-only disk."""

import subprocess
import time

from tests.scenarios.conftest import docker

ALONE = ("--network", "none", "--read-only", "--tmpfs", "/tmp")
INVOKE = """
import sys, urllib.request
body = sys.stdin.buffer.read()
request = urllib.request.Request("http://127.0.0.1:8080/invocations", body, {"Content-Type": "text/csv"})
sys.stdout.buffer.write(urllib.request.urlopen(request).read())
"""
PING = "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/ping', timeout=2)"


def ask_alone(reference: str, body: bytes) -> str:
    """What a container with no network and a read-only disk answers; it has to end well when it is stopped."""
    container = docker("run", "--detach", *ALONE, reference, "serve").strip()
    try:
        python = ("exec", "--interactive", container, "/opt/venv/bin/python", "-c")
        deadline = time.monotonic() + 60
        while subprocess.run(["docker", *python, PING], capture_output=True).returncode != 0:
            assert time.monotonic() < deadline, docker("logs", container)
            time.sleep(0.05)
        answer = docker(*python, INVOKE, body=body)
        docker("stop", "--time", "30", container)
        assert docker("inspect", "--format", "{{.State.ExitCode}}", container).strip() == "0"
        return answer
    finally:
        docker("rm", "--force", container)
