"""Plays the scenes: one container started as the platform starts it, everything that it does written down.

The order spares starts: health, invocations, load, limits, errors, then SIGTERM, all in one container. A second one is
started only to see what /ping says without artifacts, or to stop one when the first did not live that long. Whatever
the container does wrong is part of the record; only a missing engine raises.
"""

import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import attrgetter
from pathlib import Path
from typing import Final

from argosy.conformance import requests, scenes
from argosy.conformance.probes import (
    BATCH_HOST,
    PLATFORM_HOST,
    Exchange,
    Held,
    Request,
    ping,
    printable,
    send,
    send_garbage,
)
from argosy.contract import ENDPOINT_BODY, ENDPOINT_BODY_OLD, INVOCATION, PING, STARTUP, STOP_GRACE
from argosy.errors import ContainerError
from argosy.simulator.containers.container import Container, Launch

_POLL_S: Final = 0.1
_PATIENCE_S: Final = 10.0
"""How long a slow health check is waited for, so that the finding can say how slow it is."""
_BUSY_S: Final = 2.0
_CLIENTS: Final = 4
_SIGNAL_ARRIVES_S: Final = 0.2
_ENDING_S: Final = 1.0
_LOG_LINES: Final = 8
_START_LOG_LINES: Final = 40
_LINE_LENGTH: Final = 500


@dataclass(frozen=True, slots=True)
class Bench:
    """How containers are had, and what they are given.

    Attributes:
        launch: Makes a container that is not started yet.
        is_read_only: Whether what is mounted at `/opt/ml/model` really is read-only.
        model_dir: What is mounted at `/opt/ml/model`: the unpacked artifacts, or an empty folder; None mounts nothing.
        has_artifacts: Whether there are any, in `model_dir` or in the image's own `/opt/ml/model`.
        sample: A request that the image is said to understand.
        startup_s: How long to wait for the first healthy answer.
        is_offline: Whether a container really has no network.
    """

    launch: Callable[[Launch], Container]
    is_read_only: bool
    model_dir: Path | None = None
    has_artifacts: bool = False
    sample: Request | None = None
    startup_s: float = STARTUP.value
    is_offline: Callable[[Container], bool] = attrgetter("is_offline")


def observe(bench: Bench) -> scenes.Case:
    """Play all scenes that need a container.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    container = bench.launch(Launch(model_dir=bench.model_dir))
    try:
        trial = _Trial(container, bench)
        case = trial.play()
        stop = trial.stop(case.invocations) if case.start and case.start.is_healthy and trial.is_alive() else None
    finally:
        container.remove()
    if case.start is None or not case.start.is_healthy:
        return case
    stop = stop or _stop_another(bench, case.invocations)
    return replace(case, stop=stop, honesty=_honesty(bench, case.start, case.invocations))


class _Trial:
    """One running container and the end of its log that was not looked at yet."""

    def __init__(self, container: Container, bench: Bench) -> None:
        self._container = container
        self._bench = bench
        self._seen = 0
        self._last: Exchange | None = None

    def start(self) -> scenes.Start:
        """Start the container and wait until it is healthy, has ended, or time is up."""
        begun = time.monotonic()
        limit_s = self._bench.startup_s
        try:
            self._container.start()
        except ContainerError as error:
            return scenes.Start(limit_s, failure=error.message)
        pings: list[Exchange] = []
        accepted_s: float | None = None
        healthy_s: float | None = None
        exit_code: int | None = None
        while healthy_s is None and exit_code is None and time.monotonic() - begun < limit_s:
            exchange = send(self._container.url, ping(), min(_PATIENCE_S, limit_s))
            if exchange.is_accepted and accepted_s is None:
                accepted_s = time.monotonic() - exchange.total_s - begun
            if not pings or (pings[-1].status, pings[-1].error) != (exchange.status, exchange.error):
                pings.append(exchange)
            if exchange.status == 200:
                healthy_s = time.monotonic() - begun
            else:
                exit_code = self._container.exit_code()
                time.sleep(_POLL_S)
        return scenes.Start(
            limit_s,
            accepted_s=accepted_s,
            healthy_s=healthy_s,
            waited_s=time.monotonic() - begun,
            pings=tuple(pings),
            exit_code=exit_code,
            is_loopback_only=self._is_seen_on_loopback_only(),
            has_artifacts=self._bench.has_artifacts,
            log=() if healthy_s is not None else self._log(_START_LOG_LINES),
        )

    def play(self) -> scenes.Case:
        """All scenes but the last; those that come after the container's end are missing."""
        start = self.start()
        if not start.is_healthy:
            return scenes.Case(start=start, isolation=self._isolation(start, ()))
        health = self._health()
        invocations = self._invocations()
        case = scenes.Case(start=start, health=health, invocations=invocations)
        baseline = invocations.baseline
        parameters = self._send(Request("GET", "/execution-parameters", (("Host", BATCH_HOST),)), _PATIENCE_S)
        case = replace(case, parameters=parameters if parameters.is_accepted else None)
        if baseline is not None and self.is_alive():
            case = replace(case, headers=self._headers(baseline), busy=self._busy(baseline.request))
        if baseline is not None and self.is_alive():
            case = replace(case, large_body=self._large_body(invocations))
        if self.is_alive():
            bad = tuple(self._send(request, INVOCATION.value) for request in requests.bad())
            case = replace(case, errors=scenes.Errors(bad, invocations.all))
        answered = invocations.all + (case.errors.bad if case.errors else ())
        return replace(case, survival=self._survival(), isolation=self._isolation(start, answered))

    def is_alive(self) -> bool:
        """Whether the container runs; one that left a request without an answer may be about to end."""
        if self._last is not None and self._last.status is None:
            return self._container.wait(_ENDING_S) is None
        return self._container.exit_code() is None

    def stop(self, invocations: scenes.Invocations | None) -> scenes.Stop:
        """Send SIGTERM while a request is under way, and wait for the end."""
        container, limit_s = self._container, STOP_GRACE.value
        baseline = invocations.baseline if invocations else None
        self._log()
        held = None
        if baseline is not None and baseline.request.body:
            # Not the whole grace: a server that waits for a request that it no longer reads ends once its client goes.
            patience_s = min(baseline.total_s + _PATIENCE_S, limit_s - _PATIENCE_S)
            held = Held(container.url, baseline.request, patience_s)
        # The signal must find the request under way: with a body it is, from its first byte to its last.
        time.sleep(_SIGNAL_ARRIVES_S)
        begun = time.monotonic()
        container.terminate()
        time.sleep(_SIGNAL_ARRIVES_S)
        exchange = held.finish() if held else None
        exit_code = container.wait(max(0.0, limit_s - (time.monotonic() - begun)))
        seconds = time.monotonic() - begun
        log = self._log()
        if exit_code is None:
            container.kill()
        return scenes.Stop(exit_code, seconds, limit_s, baseline, exchange, log)

    def invoke(self, request: Request) -> Exchange:
        """Repeat an invocation."""
        return self._send(request, INVOCATION.value)

    def _is_seen_on_loopback_only(self) -> bool:
        """Of an image: a project is told to listen there."""
        return self._bench.is_read_only and self._container.is_on_loopback_only()

    def _health(self) -> scenes.Health:
        pings: list[Exchange] = []
        while len(pings) < 5 and (not pings or pings[-1].total_s < PING.value):
            pings.append(self._send(ping(), _PATIENCE_S))
        named = (
            ping(host=PLATFORM_HOST),
            ping(host=BATCH_HOST, agent="Go-http-client/1.1"),
            ping(host="127.0.0.1:8080", agent="argosy"),
        )
        return scenes.Health(tuple(pings), tuple(self._send(request, _PATIENCE_S) for request in named))

    def _invocations(self) -> scenes.Invocations:
        sample = self._send(self._bench.sample, INVOCATION.value) if self._bench.sample else None
        probes: list[Exchange] = []
        for request in requests.generic():
            probes.append(self._send(request, INVOCATION.value))
            if probes[-1].error.startswith("no answer"):
                break  # one minute is enough to know a server that never answers
        return scenes.Invocations(sample, tuple(probes))

    def _headers(self, baseline: Exchange) -> scenes.Headers:
        request = baseline.request
        content_type = request.content_type or "application/octet-stream"
        return scenes.Headers(
            baseline,
            extra=self.invoke(requests.with_unknown_headers(request)),
            without_accept=self.invoke(request.without_header("Accept")),
            without_content_type=self.invoke(request.without_header("Content-Type")),
            parameters=self.invoke(request.with_headers(("Content-Type", f"{content_type}; charset=utf-8"))),
        )

    def _busy(self, request: Request) -> scenes.Busy:
        url = self._container.url
        over = threading.Event()

        def invoke_until_over() -> Counter[int]:
            answered: Counter[int] = Counter()
            while not over.is_set():
                exchange = send(url, request, INVOCATION.value)
                if exchange.status is None:
                    break
                answered[exchange.status] += 1
            return answered

        pings: list[Exchange] = []
        with ThreadPoolExecutor(_CLIENTS) as pool:
            clients = [pool.submit(invoke_until_over) for _ in range(_CLIENTS)]
            begun = time.monotonic()
            while time.monotonic() - begun < _BUSY_S:
                time.sleep(_POLL_S)
                pings.append(send(url, ping(), _PATIENCE_S))
            over.set()
            answered = sum((client.result() for client in clients), Counter())
        return scenes.Busy(tuple(pings), tuple(answered.most_common()), _CLIENTS)

    def _large_body(self, invocations: scenes.Invocations) -> scenes.LargeBody | None:
        baseline = requests.best_for_padding(invocations)
        if baseline is None:
            return None
        large = self.invoke(requests.padded(baseline.request, int(ENDPOINT_BODY.value)))
        smaller = None
        if large.status is None or large.status == 413:
            smaller = self.invoke(requests.padded(baseline.request, int(ENDPOINT_BODY_OLD.value)))
        return scenes.LargeBody(baseline, large, smaller)

    def _survival(self) -> scenes.Survival:
        last = self._last
        if self.is_alive():
            send_garbage(self._container.url, requests.GARBAGE)
        exchange = self._send(ping(), _PATIENCE_S) if self.is_alive() else None
        exit_code = None if self.is_alive() else self._container.exit_code()
        log = () if exchange and exchange.status == 200 else self._log()
        return scenes.Survival(last, exchange, exit_code, log)

    def _isolation(self, start: scenes.Start, exchanges: tuple[Exchange, ...]) -> scenes.Isolation:
        errors = sum(exchange.is_server_error for exchange in exchanges)
        log = tuple(map(printable, self._container.logs().splitlines())) if not start.failure else ()
        return scenes.Isolation(
            self._container.kind,
            is_offline=self._bench.is_offline(self._container),
            has_mount=self._bench.model_dir is not None,
            is_read_only=self._bench.is_read_only,
            is_healthy=start.is_healthy,
            server_errors=errors,
            log=log,
            attempts=tuple(map(str, self._container.attempts())),
        )

    def _send(self, request: Request, timeout_s: float) -> Exchange:
        """Send a request; an answer that may become a finding gets the lines that were logged meanwhile."""
        exchange = send(self._container.url, request, timeout_s)
        if exchange.status is None or exchange.is_server_error:
            exchange = replace(exchange, log=self._log())
        self._last = exchange
        return exchange

    def _log(self, count: int = _LOG_LINES) -> tuple[str, ...]:
        """The last of the lines that were logged since the last call."""
        try:
            text = self._container.logs()
        except ContainerError:
            return ()
        new, self._seen = text[self._seen :], len(text)
        return tuple(_cut(printable(line)) for line in new.splitlines() if line.strip())[-count:]


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]}…"


def _stop_another(bench: Bench, invocations: scenes.Invocations | None) -> scenes.Stop | None:
    """Stop a fresh container, where the first did not live long enough."""
    container = bench.launch(Launch(model_dir=bench.model_dir))
    try:
        trial = _Trial(container, bench)
        return trial.stop(invocations) if trial.start().is_healthy else None
    finally:
        container.remove()


def _honesty(bench: Bench, start: scenes.Start, invocations: scenes.Invocations | None) -> scenes.Honesty:
    """Start a container with an empty `/opt/ml/model`, where one with artifacts has answered an invocation."""
    baseline = invocations.baseline if invocations else None
    observed = scenes.Honesty(start, baseline)
    was_unhealthy = any(exchange.status not in (200, None) for exchange in start.pings)
    if not bench.has_artifacts or was_unhealthy or start.healthy_s is None:
        return observed
    if baseline is None or not baseline.is_success:
        return observed
    with tempfile.TemporaryDirectory(prefix="argosy-empty-model-") as folder:
        empty = Path(folder) / "model"  # whoever the container runs as may read it, unlike the folder around it
        empty.mkdir()
        patience = replace(bench, startup_s=min(bench.startup_s, _PATIENCE_S + 3 * start.healthy_s))
        container = bench.launch(Launch(model_dir=empty))
        try:
            trial = _Trial(container, patience)
            bare = trial.start()
            again = trial.invoke(baseline.request) if bare.is_healthy else None
        finally:
            container.remove()
    return replace(observed, bare=bare, bare_invocation=again)
