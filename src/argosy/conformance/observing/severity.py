"""How hard the drills of `argosy check --drills` hurt a container."""

from dataclasses import dataclass

from argosy.contract import BATCH_PAYLOAD_MB, ENDPOINT_BODY, STOP_GRACE


@dataclass(frozen=True, slots=True)
class Severity:
    """The numbers of all drills; those of a report are the defaults.

    Attributes:
        clients: Who invoke at once while a process is killed.
        recovery_s: How long invocations may fail once it is.
        blind_s: How long health checks may be 200 while every invocation fails: the platform asks every few seconds.
        held: Requests that are under way when SIGTERM comes, fewer where the server takes fewer at once.
        grace_s: How long it may take to end after SIGTERM.
        refusal_s: How long a request that comes after SIGTERM may be left without any answer or end.
        cpus: Processors of a slow start.
        slow_start_s: How long a slow start is waited for.
        late_port_s: Seconds after which a port that opens is late, in a slow start.
        silent: Clients that invoke and read nothing.
        vanished: Clients that reset their connection in the middle of a body.
        half_heads: Connections that are held open with half a head.
        memory_shares: Limits of memory, in what the container uses when it is idle: one to start in, one to work in.
        body_bytes: Lengths of the bodies that are sent one after the other.
        body_at_once_bytes: Length of each body of those that are sent at once.
        bodies_at_once: How many are.
        connections: Connections that are held open and idle.
    """

    clients: int = 4
    recovery_s: float = 30.0
    blind_s: float = 5.0
    held: int = 8
    grace_s: float = STOP_GRACE.value
    refusal_s: float = 10.0
    cpus: float = 0.2
    slow_start_s: float = 60.0
    late_port_s: float = 10.0
    silent: int = 20
    vanished: int = 50
    half_heads: int = 50
    memory_shares: tuple[float, float] = (0.6, 1.2)
    body_bytes: tuple[int, ...] = (
        int(ENDPOINT_BODY.value),
        int(ENDPOINT_BODY.value) + 1,
        int(BATCH_PAYLOAD_MB.value) * 2**20,
    )
    body_at_once_bytes: int = int(ENDPOINT_BODY.value)
    bodies_at_once: int = 4
    connections: int = 1000
