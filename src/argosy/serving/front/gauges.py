"""What is true at the moment, for `/metrics`."""

import os
import time

from argosy.serving import log, memory
from argosy.serving.front.connections import Connections
from argosy.serving.front.metrics import Gauges
from argosy.serving.front.requests import BodyRoom
from argosy.serving.hosting.site import Site


class GaugeReader:
    """Reads the gauges.

    Args:
        site: Has the queues and the model processes.
        connections: The open ones.
        room: Of the bodies that are being received.
    """

    def __init__(self, site: Site, connections: Connections, room: BodyRoom) -> None:
        self._site = site
        self._connections = connections
        self._room = room
        self._started = time.time()

    def read(self) -> Gauges:
        """All gauges now."""
        pools = [hosted.pool for hosted in self._site.hosted]
        links = [link for pool in pools for link in pool.links]
        busy = sum(link.is_busy for link in links)
        loaded = sum(link.is_loaded for link in links)
        return Gauges(
            is_ready=self._site.can_serve,
            queue_length=sum(pool.queue_length for pool in pools),
            queue_bytes=sum(pool.queue_bytes for pool in pools),
            receiving_bytes=self._room.taken,
            loading=len(links) - loaded,
            idle=loaded - busy,
            busy=busy,
            open_connections=len(self._connections),
            started=self._started,
            resident_bytes=memory.resident_bytes([os.getpid(), *(link.pid for link in links if link.pid)]),
            dropped_log_lines=log.dropped(),
            conversations=sum(len(link.conversations) for link in links),
        )
