"""Containers of the images that were built: whether they answer, and how soon."""

import http.client
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.image.commands import FailedError, run
from benchmarks.serving.processes import free_port, status

_START_S: Final = 60.0


@contextmanager
def container(image: str) -> Iterator[tuple[int, float]]:
    """A container of an image that docker has: its port here, and seconds from `docker run` to the first /ping 200.

    Raises:
        FailedError: It does not start.
    """
    port = free_port()
    started = time.perf_counter()
    name = run(["docker", "run", "--detach", "--publish", f"127.0.0.1:{port}:8080/tcp", image, "serve"])
    try:
        while status(port, "/ping") != 200:
            if time.perf_counter() - started > _START_S:
                raise FailedError(run(["docker", "logs", "--tail", "20", name]))
            time.sleep(0.002)
        yield port, time.perf_counter() - started
    finally:
        run(["docker", "rm", "--force", name])


def answer(image: str, body: bytes) -> bytes:
    """What a container of an image answers to CSV.

    Raises:
        FailedError: It does not start, or does not answer 200.
    """
    with container(image) as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/invocations", body, {"Content-Type": "text/csv", "Accept": "application/json"})
        response = connection.getresponse()
        content = response.read()
        connection.close()
    if response.status != 200:
        raise FailedError(f"{image} answers {response.status}: {content[:200]!r}")
    return content
