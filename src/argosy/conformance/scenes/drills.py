"""Containers that were hurt: what they still answered, and how they ended."""

from dataclasses import dataclass, field

from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Start


@dataclass(frozen=True, slots=True)
class Round:
    """A health check and the invocation after it.

    Attributes:
        ping: The health check.
        invocation: The baseline's request again.
        is_as_before: Whether the invocation was answered as the baseline was.
    """

    ping: Exchange
    invocation: Exchange
    is_as_before: bool

    @property
    def is_fine(self) -> bool:
        """Whether the server is as it was."""
        return self.ping.status == 200 and self.is_as_before

    @property
    def is_lie(self) -> bool:
        """Whether the health check is 200 and the invocation fails."""
        return self.ping.status == 200 and not self.is_as_before

    @property
    def begun_at(self) -> float:
        """`time.monotonic()` at the first byte."""
        return begun_at(self.ping)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """What every drill tells.

    Attributes:
        seconds: How long it took, with the starts of its containers.
    """

    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class KilledWorker(Drill):
    """A process of the container was killed, not its first, while clients invoked.

    Attributes:
        baseline: The invocation as it was answered before.
        victim: The process in words.
        killed_at: `time.monotonic()` when it was gone.
        limit_s: How long invocations were waited for.
        blind_s: How long health checks may be 200 while every invocation fails.
        is_lone: Whether no process had two children: then the killed one may have been the whole server.
        rounds: What was asked from then on, in order.
        load: The clients' invocations that ended from then on; bodies are dropped.
        exit_code: Of a container that ended with it.
        log: The end of its log.
    """

    baseline: Exchange
    victim: str
    killed_at: float
    limit_s: float
    blind_s: float
    is_lone: bool = False
    rounds: tuple[Round, ...] = ()
    load: tuple[Exchange, ...] = field(repr=False, default=())
    exit_code: int | None = None
    log: tuple[str, ...] = ()

    @property
    def recovered_at(self) -> float | None:
        """`time.monotonic()` when an invocation was answered as before for the first time; None when none was."""
        return next((one.invocation.ended_at for one in self.rounds if one.is_as_before), None)


@dataclass(frozen=True, slots=True)
class LoadedStop(Drill):
    """SIGTERM while several requests were under way.

    Attributes:
        baseline: The request's answer before.
        held: The requests whose last byte was sent after SIGTERM.
        late: Requests that were begun after SIGTERM.
        exit_code: None when it had to be killed.
        stopped_s: From SIGTERM to the end, or until it was killed.
        limit_s: How long it was given.
        log: The end of its log.
    """

    baseline: Exchange
    held: tuple[Exchange, ...]
    late: tuple[Exchange, ...]
    exit_code: int | None
    stopped_s: float
    limit_s: float
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlowStart(Drill):
    """A start with very little processor time.

    Attributes:
        baseline: The invocation as it is answered by a container with all processors.
        start: The start.
        first: The same invocation right after the first 200; None when there was no 200.
        is_as_before: Whether that was answered as the baseline was.
        cpus: How many processors it had.
        late_port_s: Seconds after which a port that opens is late.
    """

    baseline: Exchange
    start: Start
    first: Exchange | None
    is_as_before: bool
    cpus: float
    late_port_s: float


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the server still answers while it is hurt, or after: asked again until it is fine, at most three times.

    Attributes:
        what: What was done to it, in words.
        rounds: In order; empty when it could not be done.
        exit_code: Of a container that ended.
        log: The end of its log, where it is not fine.
    """

    what: str
    rounds: tuple[Round, ...]
    exit_code: int | None = None
    log: tuple[str, ...] = ()

    @property
    def is_fine(self) -> bool:
        """Whether the server was as before in the end."""
        return self.exit_code is None and bool(self.rounds) and self.rounds[-1].is_fine


@dataclass(frozen=True, slots=True)
class RoughClients(Drill):
    """Clients that do not behave.

    Attributes:
        silent: While clients are connected that have invoked and read nothing.
        vanished: After clients have reset their connections in the middle of a body.
        half_heads: While connections are held open on which half a head was sent.
    """

    silent: Aftermath
    vanished: Aftermath
    half_heads: Aftermath


@dataclass(frozen=True, slots=True)
class Starved:
    """A container with less memory than it wants.

    Attributes:
        limit_bytes: All that it was given.
        work: What it was asked for beside health checks and the baseline, in words; empty for nothing.
        start: Its start.
        rounds: What was asked then.
        exit_code: Of a container that ended.
        kills: What the kernel did to it, as a clause; empty where nothing is known.
        peak_bytes: The most memory that it was seen to use.
    """

    limit_bytes: int
    work: str
    start: Start
    rounds: tuple[Round, ...]
    exit_code: int | None
    kills: str
    peak_bytes: int


@dataclass(frozen=True, slots=True)
class OutOfMemory(Drill):
    """Containers with too little memory.

    Attributes:
        idle_bytes: What one without a limit uses when it is healthy and idle.
        blind_s: How long health checks may be 200 while every invocation fails.
        starved: Each container with a limit.
    """

    idle_bytes: int
    blind_s: float
    starved: tuple[Starved, ...]


@dataclass(frozen=True, slots=True)
class LargeBodies(Drill):
    """Large bodies, one after the other and at once.

    Attributes:
        baseline: The answer to the same request with a small body.
        alone: One after the other, in growing length.
        at_once: Sent at the same time.
        after: What it answers then.
        announced_mb: `MaxPayloadInMB` of its /execution-parameters, None where it tells none.
        is_complete: Whether all that were to be sent were; a slow one proves nothing about longer ones.
        idle_bytes: Its memory before; 0 where that cannot be seen.
        peak_bytes: The most memory that it was seen to use meanwhile; 0 where that cannot be seen.
    """

    baseline: Exchange
    alone: tuple[Exchange, ...]
    at_once: tuple[Exchange, ...]
    after: Aftermath
    announced_mb: int | None = None
    is_complete: bool = True
    idle_bytes: int = 0
    peak_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Connections(Drill):
    """Very many idle connections.

    Attributes:
        wanted: How many were to be opened.
        opened: How many were.
        note: Why these were fewer, where it was not the server's doing; else empty.
        during: What it answers while they are open.
        after: What it answers when they are closed.
    """

    wanted: int
    opened: int
    note: str
    during: Aftermath
    after: Aftermath


@dataclass(frozen=True, slots=True)
class Garbage(Drill):
    """Bytes that are no request, each kind on a connection of its own.

    Attributes:
        kinds: What was sent, in words.
        broken: What broke the server, twice, each time a fresh one.
    """

    kinds: tuple[str, ...]
    broken: tuple[Aftermath, ...]


def begun_at(exchange: Exchange) -> float:
    """`time.monotonic()` when it was begun."""
    return exchange.ended_at - exchange.total_s


def longest_lie(rounds: tuple[Round, ...]) -> tuple[Round, ...]:
    """The longest row of rounds in which health checks were 200 and no invocation was answered as before."""
    longest: tuple[Round, ...] = ()
    row: tuple[Round, ...] = ()
    for one in rounds:
        row = (*row, one) if one.is_lie else ()
        longest = max(longest, row, key=duration)
    return longest


def duration(rounds: tuple[Round, ...]) -> float:
    """Seconds from the first health check of some rounds to the end of the last invocation."""
    return rounds[-1].invocation.ended_at - rounds[0].begun_at if rounds else 0.0
