"""What is true at the moment, for `/metrics`."""

import os
import time

from argosy.serving import log, memory
from argosy.serving.front.connections import Connections
from argosy.serving.front.metrics import Gauges
from argosy.serving.pool.pool import Pool


class GaugeReader:
    """Reads the gauges.

    Args:
        pool: Has the queue and the model processes.
        connections: The open ones.
    """

    def __init__(self, pool: Pool, connections: Connections) -> None:
        self._pool = pool
        self._connections = connections
        self._started = time.time()

    def read(self) -> Gauges:
        """All gauges now."""
        links = self._pool.links
        busy = sum(link.is_busy for link in links)
        loaded = sum(link.is_loaded for link in links)
        return Gauges(
            is_ready=self._pool.can_serve,
            queue_length=self._pool.queue_length,
            queue_bytes=self._pool.queue_bytes,
            loading=len(links) - loaded,
            idle=loaded - busy,
            busy=busy,
            open_connections=len(self._connections),
            started=self._started,
            resident_bytes=memory.resident_bytes([os.getpid(), *(link.pid for link in links if link.pid)]),
            dropped_log_lines=log.dropped(),
            conversations=sum(len(link.conversations) for link in links),
        )
