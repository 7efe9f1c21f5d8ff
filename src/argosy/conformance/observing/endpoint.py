"""The first act: one container as an endpoint has it, from its start to SIGTERM.

The order spares starts: invocations, health, headers, load, bodies, errors, clients that leave, then SIGTERM, all in
one container. A second one is started only to stop it when the first did not live that long.
"""

from dataclasses import replace
from typing import Final

from argosy.conformance import requests
from argosy.conformance.case import Case
from argosy.conformance.check import SAMPLE
from argosy.conformance.invoking import load, serial
from argosy.conformance.invoking.bidirectional import converse
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.log_signs import is_telling
from argosy.conformance.observing.trial import PATIENCE_S, Trial
from argosy.conformance.probes import BATCH_HOST, PLATFORM_HOST, Exchange, Request, ping, printable, send_garbage
from argosy.conformance.scenes.at_rest import Still
from argosy.conformance.scenes.bodies import BatchBody, Framings, LargeBody
from argosy.conformance.scenes.endpoint import (
    Abandoned,
    Busy,
    Concurrency,
    Errors,
    ExecutionParameters,
    Headers,
    Health,
    Invocations,
    Isolation,
    Start,
    Stop,
    Survival,
)
from argosy.conformance.scenes.log import Logged
from argosy.conformance.scenes.metering import Metering
from argosy.conformance.scenes.streams import Bidirectional, Streaming
from argosy.contract import PING

_CALM_PINGS: Final = 5
_SEEN_IN_NONE: Final = {
    Streaming: f"no answer was a stream; {SAMPLE} --accept text/event-stream asks for one",
    Metering: "no answer carries the metering header: each invocation with 2xx is one unit",
    BatchBody: "/execution-parameters states a MaxPayloadInMB that endpoints may send too",
    Concurrency: "no invocation was answered with 2xx within half a second",
}


def play(bench: Bench, case: Case) -> Case:
    """Play all scenes of an endpoint's life; those that come after the container's end are missing.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    with Trial(bench) as trial:
        start = trial.start()
        start = replace(start, is_loopback_only=not start.failure and trial.is_seen_on_loopback_only())
        if not start.is_healthy:
            return Case.of(start, _isolation(trial, bench, start, ()))
        invocations, between = serial.invoke(trial, bench)
        observed = _Life(trial, bench, invocations).play(start, between, case.find(Still))
        left = observed.find(Abandoned)
        # What clients that left have broken is a finding already, and tells nothing of SIGTERM.
        is_sound = trial.is_alive() and not (left and left.is_broken)
        stop = trial.stop(invocations.baseline) if is_sound else None
    stop = stop or _stop_another(bench, invocations)
    return observed.joined(Case.of(stop)) if stop else observed


class _Life:
    """Everything between the first invocation and SIGTERM."""

    def __init__(self, trial: Trial, bench: Bench, invocations: Invocations) -> None:
        self._trial = trial
        self._bench = bench
        self._invocations = invocations
        self._case = Case()

    def play(self, start: Start, between: tuple[Exchange, ...], still: Still | None) -> Case:
        trial, invocations = self._trial, self._invocations
        health = _health(trial, between)
        self._keep(start, invocations, health)
        parameters = serial.execution_parameters(trial)
        self._keep(parameters)
        baseline = invocations.baseline
        if baseline is not None and trial.is_alive():
            self._ask(baseline)
            if health.is_quick and trial.is_alive():
                longest = invocations.longest or baseline
                self._keep(load.busy(trial, longest.request, self._bench.busy_s))
        if trial.is_alive():
            self._keep(serial.large_body(trial, invocations))
        bad: tuple[Exchange, ...] = ()
        if trial.is_alive():
            bad = tuple(trial.send(request) for request in requests.bad())
            self._keep(Errors(bad, invocations.all))
        if trial.is_alive():
            self._keep(serial.logged(trial), converse(trial, still))
        if baseline is not None and trial.is_alive():
            self._keep(load.abandoned(trial, baseline))
        self._keep(_survival(trial), _isolation(trial, self._bench, start, invocations.all))
        if trial.is_alive():  # last of all: only a transform job asks this much
            self._keep_or_say(BatchBody, serial.batch_body(trial, invocations, parameters))
            self._keep_or_say(Metering, serial.metering(trial, invocations))
        return self._case

    def _ask(self, baseline: Exchange) -> None:
        """What is asked of a container whose invocations are answered."""
        trial, invocations = self._trial, self._invocations
        self._keep(serial.headers(trial, baseline), serial.framings(trial, baseline))
        self._keep_or_say(Streaming, serial.streaming(trial, invocations))
        self._keep_or_say(Concurrency, load.concurrency(trial, invocations))

    def _keep(self, *scenes: object | None) -> None:
        self._case = self._case.joined(Case.of(*(scene for scene in scenes if scene is not None)))

    def _keep_or_say(self, kind: type, scene: object | None) -> None:
        self._keep(scene)
        if scene is None:
            self._case = self._case.without((kind,), _SEEN_IN_NONE[kind])


def _health(trial: Trial, between: tuple[Exchange, ...]) -> Health:
    pings = _calm(trial)
    if any(exchange.total_s > PING.value for exchange in pings):
        pings = _calm(trial)  # this machine may have been busy: a server that is slow is slow twice
    named = (
        ping(host=PLATFORM_HOST),
        ping(host=BATCH_HOST, agent="Go-http-client/1.1"),
        ping(host="127.0.0.1:8080", agent="argosy"),
    )
    hosts = tuple(_asked_twice(trial, request) for request in named)
    return Health(pings, hosts, between, trial.send(ping(method="POST"), PATIENCE_S))


def _asked_twice(trial: Trial, request: Request) -> Exchange:
    """The answer to a health check, or to the same again where it was not 200: one may be lost on a busy machine."""
    first = trial.send(request, PATIENCE_S)
    return first if first.status == 200 else trial.send(request, PATIENCE_S)


def _calm(trial: Trial) -> tuple[Exchange, ...]:
    pings: list[Exchange] = []
    while len(pings) < _CALM_PINGS and (not pings or pings[-1].total_s < PING.value):
        pings.append(trial.send(ping(), PATIENCE_S))
    return tuple(pings)


def _survival(trial: Trial) -> Survival:
    last = trial.last
    if trial.is_alive():
        send_garbage(trial.container.url, requests.GARBAGE)
    exchange = trial.send(ping(), PATIENCE_S) if trial.is_alive() else None
    exit_code = None if trial.is_alive() else trial.container.exit_code()
    log = () if exchange and exchange.status == 200 else trial.log()
    return Survival(last, exchange, exit_code, log)


def _isolation(trial: Trial, bench: Bench, start: Start, exchanges: tuple[Exchange, ...]) -> Isolation:
    container = trial.container
    errors = sum(exchange.is_server_error and any(map(is_telling, exchange.log)) for exchange in exchanges)
    log = tuple(map(printable, container.logs().splitlines())) if not start.failure else ()
    return Isolation(
        container.kind,
        is_offline=bench.is_offline(container),
        has_mount=bench.model_dir is not None,
        is_read_only=bench.is_read_only,
        is_healthy=start.is_healthy,
        server_errors=errors,
        log=log,
        attempts=tuple(map(str, container.attempts())),
    )


def _stop_another(bench: Bench, invocations: Invocations) -> Stop | None:
    """Stop a fresh container, where the first did not live long enough."""
    with Trial(bench) as trial:
        return trial.stop(invocations.baseline) if trial.start().is_healthy else None


ACT: Final = Act(
    "endpoint",
    (
        *(Start, Isolation, Health, Invocations, ExecutionParameters, Headers, Framings, Streaming, Concurrency, Busy),
        *(LargeBody, Errors, Logged, Bidirectional, Abandoned, Survival, BatchBody, Metering, Stop),
    ),
    play,
    is_alone=True,
    needs_healthy=False,
)
