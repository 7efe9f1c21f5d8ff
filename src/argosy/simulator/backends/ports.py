"""Ports for containers that share an instance: one for each to listen on, and a range for whatever else it does."""

import threading
from typing import Final

from argosy.contract import PlatformVariable
from argosy.simulator.containers.process import free_row

_SPARE: Final = 7
"""Ports in the range of each container."""


class Ports:
    """The ports of the containers of one instance; they are looked for when the first is asked for.

    Args:
        count: Number of containers.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._first: int | None = None
        self._lock = threading.Lock()

    def variables(self, number: int) -> dict[str, str]:
        """`SAGEMAKER_BIND_TO_PORT` and `SAGEMAKER_SAFE_PORT_RANGE` of a container, from 1; blocks.

        Raises:
            ContainerError: This machine has no row of free ports.

        Source:
            https://docs.aws.amazon.com/sagemaker/latest/dg/multi-container-endpoints.html and inference-pipelines.html
            (read 2026-11-22).
        """
        with self._lock:
            if self._first is None:
                self._first = free_row(self._count * (_SPARE + 1))
            port = self._first + (number - 1) * (_SPARE + 1)
        return {
            PlatformVariable.BIND_TO_PORT: str(port),
            PlatformVariable.SAFE_PORT_RANGE: f"{port + 1}-{port + _SPARE}",
        }
