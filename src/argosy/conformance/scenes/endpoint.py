"""A running container: from its start over health checks and invocations to its end."""

import json
from dataclasses import dataclass, field

from argosy.conformance.probes import Exchange
from argosy.contract import INVOCATION, PING


@dataclass(frozen=True, slots=True)
class Start:
    """From the start of a container until it was healthy, ended or was given up.

    Attributes:
        limit_s: How long it was waited for.
        failure: Why it could not be started at all, else empty.
        accepted_s: Seconds until a server took a connection.
        healthy_s: Seconds until GET /ping was answered with 200.
        waited_s: Seconds that were waited.
        pings: The health checks, without those that went as the one before.
        exit_code: Of a container that ended.
        is_loopback_only: Whether it listens on 127.0.0.1 alone, where that can be seen; of the endpoint's container.
        has_artifacts: Whether it was given any.
        log: The end of its log.
    """

    limit_s: float
    failure: str = ""
    accepted_s: float | None = None
    healthy_s: float | None = None
    waited_s: float = 0.0
    pings: tuple[Exchange, ...] = ()
    exit_code: int | None = None
    is_loopback_only: bool = False
    has_artifacts: bool = True
    log: tuple[str, ...] = ()

    @property
    def is_healthy(self) -> bool:
        """Whether GET /ping was answered with 200."""
        return self.healthy_s is not None


@dataclass(frozen=True, slots=True)
class Isolation:
    """What the container was denied, and what it complained about.

    Attributes:
        kind: `docker`, `podman`, `sandbox` or `process`.
        is_offline: Whether it really had no network.
        has_mount: Whether anything was mounted at `/opt/ml/model`.
        is_read_only: Whether what is mounted there really is read-only.
        is_healthy: Whether it got healthy.
        server_errors: Invocations that were answered with 5xx while the log said that one of these is missed.
        log: Its whole log until then.
        attempts: What it tried to reach, a sentence each, where that is seen.
    """

    kind: str
    is_offline: bool
    has_mount: bool
    is_read_only: bool
    is_healthy: bool
    server_errors: int
    log: tuple[str, ...] = field(repr=False, default=())
    attempts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Health:
    """Health checks of an idle container.

    Attributes:
        pings: Some, one after the other.
        hosts: With the Host headers and user agents of the platform.
        between: One after each invocation that was answered, and not with 5xx.
        post: The same as POST; None when it was not sent.
    """

    pings: tuple[Exchange, ...]
    hosts: tuple[Exchange, ...]
    between: tuple[Exchange, ...] = ()
    post: Exchange | None = None

    @property
    def is_quick(self) -> bool:
        """Whether those of an idle container came in time: else it need not be kept busy to find them late."""
        return all(exchange.total_s <= PING.value for exchange in self.pings)


@dataclass(frozen=True, slots=True)
class Honesty:
    """What health checks say of a container that has no artifacts.

    Attributes:
        start: The start of the container that was given its artifacts.
        baseline: The invocation that it answered.
        bare: The start of a second one with an empty `/opt/ml/model`; None when it would prove nothing.
        bare_invocation: The same invocation of the second one; None when it was not healthy.
    """

    start: Start
    baseline: Exchange | None
    bare: Start | None = None
    bare_invocation: Exchange | None = None


@dataclass(frozen=True, slots=True)
class Invocations:
    """Requests to /invocations that a server may understand.

    Attributes:
        samples: The user's own requests.
        probes: Generic requests: JSON, CSV, text, bytes.
        limit_s: How long each may take.
    """

    samples: tuple[Exchange, ...]
    probes: tuple[Exchange, ...]
    limit_s: float = INVOCATION.value

    @property
    def all(self) -> tuple[Exchange, ...]:
        """The samples first, then the probes."""
        return self.samples + self.probes

    @property
    def baseline(self) -> Exchange | None:
        """The best understood of them: one with 2xx, else one with 4xx, else any that was answered; a sample first."""
        for test in (_is_success, _is_refused, _is_answered):
            for exchange in self.all:
                if test(exchange):
                    return exchange
        return None

    @property
    def succeeded(self) -> tuple[Exchange, ...]:
        """Those that were answered with 2xx."""
        return tuple(exchange for exchange in self.all if exchange.is_success)

    @property
    def longest(self) -> Exchange | None:
        """The one with 2xx that took longest, else the baseline: what keeps the model busy."""
        return max(self.succeeded, key=lambda exchange: exchange.total_s, default=self.baseline)


def _is_success(exchange: Exchange) -> bool:
    return exchange.is_success


def _is_refused(exchange: Exchange) -> bool:
    return exchange.is_client_error and exchange.status not in (404, 405, 415)


def _is_answered(exchange: Exchange) -> bool:
    return exchange.status is not None


@dataclass(frozen=True, slots=True)
class Headers:
    """The baseline invocation with its headers changed.

    Attributes:
        baseline: As it was.
        extra: With headers that nobody knows.
        without_accept: Without Accept.
        without_content_type: Without Content-Type.
        parameters: With `; charset=utf-8`.
        session: With a session id that nobody opened.
        attributes: With the longest custom attributes.
        hosts: With the Host headers and user agents of transform jobs and of a local client.
    """

    baseline: Exchange
    extra: Exchange
    without_accept: Exchange
    without_content_type: Exchange
    parameters: Exchange
    session: Exchange
    attributes: Exchange
    hosts: tuple[Exchange, ...]

    @property
    def all(self) -> tuple[Exchange, ...]:
        """All of them, in the order in which they were sent."""
        changed = (self.extra, self.without_accept, self.without_content_type, self.parameters)
        return (self.baseline, *changed, self.session, self.attributes, *self.hosts)


@dataclass(frozen=True, slots=True)
class ExecutionParameters:
    """What GET /execution-parameters was answered with."""

    exchange: Exchange

    @property
    def payload_mb(self) -> int | None:
        """The MaxPayloadInMB that it states; None when it states none that is a number above 0."""
        try:
            answer = json.loads(self.exchange.body) if self.exchange.status == 200 else None
        except ValueError:
            return None
        stated = answer.get("MaxPayloadInMB") if isinstance(answer, dict) else None
        return stated if isinstance(stated, int) and stated > 0 else None


@dataclass(frozen=True, slots=True)
class Busy:
    """Health checks while invocations run.

    Attributes:
        pings: In order.
        statuses: How many invocations were answered meanwhile with each status: (status, count).
        clients: How many ran at once.
    """

    pings: tuple[Exchange, ...]
    statuses: tuple[tuple[int, int], ...]
    clients: int

    @property
    def is_at_work(self) -> bool:
        """Whether the model was: an invocation that is refused may keep nobody busy."""
        return any(200 <= status < 300 for status, _ in self.statuses)

    @property
    def answers(self) -> str:
        """The statuses in words: `12 invocations answered with 200`."""
        total = sum(count for _, count in self.statuses)
        if len(self.statuses) == 1:
            return f"{total} invocations answered with {self.statuses[0][0]}"
        listed = ", ".join(f"{count} with {status}" for status, count in self.statuses)
        return f"{total} invocations answered ({listed})" if listed else "no invocation answered"


@dataclass(frozen=True, slots=True)
class Concurrency:
    """The same requests one after the other, and at once.

    Attributes:
        serial: Each request answered twice, one after the other.
        parallel: What was answered when all clients sent them at once.
        clients: How many there were.
    """

    serial: tuple[tuple[Exchange, Exchange], ...]
    parallel: tuple[Exchange, ...]
    clients: int


@dataclass(frozen=True, slots=True)
class Abandoned:
    """Clients that left before they were answered.

    Attributes:
        baseline: The answer to the same request, before.
        count: How many left.
        after: The answer to the same request, afterwards, as soon as it is no worse.
    """

    baseline: Exchange
    count: int
    after: Exchange

    @property
    def is_broken(self) -> bool:
        """Whether the server answers worse than before."""
        after, baseline = self.after, self.baseline
        if baseline.is_server_error:
            return False
        return after.status is None or after.is_server_error or (baseline.is_success and not after.is_success)


@dataclass(frozen=True, slots=True)
class Errors:
    """Requests that no server can understand, and all others, for what answers give away.

    Attributes:
        bad: Broken bodies and an unknown media type.
        probes: The generic probes of `Invocations`.
    """

    bad: tuple[Exchange, ...]
    probes: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Survival:
    """After all that: whether the container still answers.

    Attributes:
        last: The last request before it ended, or before the last health check.
        ping: A health check; None when the container has ended.
        exit_code: Of a container that ended.
        log: The end of its log.
    """

    last: Exchange | None
    ping: Exchange | None
    exit_code: int | None
    log: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stop:
    """SIGTERM and what followed.

    Attributes:
        exit_code: None when it had to be killed.
        seconds: From SIGTERM to the end, or until it was killed.
        limit_s: How long it was given.
        baseline: The answer to the same request as `held`, before.
        held: The request whose last byte was sent after SIGTERM; None when there is none that the server answers.
        log: The end of the log.
    """

    exit_code: int | None
    seconds: float
    limit_s: float
    baseline: Exchange | None
    held: Exchange | None
    log: tuple[str, ...] = ()
