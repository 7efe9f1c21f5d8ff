"""All drills, in the order in which they are played."""

from typing import Final

from argosy.conformance.drills import (
    connections,
    garbage,
    killed_worker,
    large_bodies,
    loaded_stop,
    out_of_memory,
    rough_clients,
    slow_start,
)
from argosy.conformance.observing.act import Act

DRILLS: Final[tuple[Act, ...]] = (
    killed_worker.ACT,
    loaded_stop.ACT,
    slow_start.ACT,
    out_of_memory.ACT,
    rough_clients.ACT,
    large_bodies.ACT,
    connections.ACT,
    garbage.ACT,
)
