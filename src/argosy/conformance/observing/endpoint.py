"""The first act: one container as an endpoint has it, from its start to SIGTERM.

The order spares starts: health, invocations, load, limits, errors, then SIGTERM, all in one container. A second one is
started only to stop it when the first did not live that long.
"""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argosy.conformance import requests
from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import PATIENCE_S, POLL_S, Trial
from argosy.conformance.probes import (
    BATCH_HOST,
    PLATFORM_HOST,
    Exchange,
    Request,
    ping,
    printable,
    send_garbage,
)
from argosy.conformance.scenes.endpoint import (
    Busy,
    Errors,
    ExecutionParameters,
    Headers,
    Health,
    Invocations,
    Isolation,
    LargeBody,
    Start,
    Stop,
    Survival,
)
from argosy.contract import ENDPOINT_BODY, ENDPOINT_BODY_OLD, PING

_BUSY_S: Final = 2.0
_CLIENTS: Final = 4


def play(bench: Bench, case: Case) -> Case:
    """Play all scenes of an endpoint's life; those that come after the container's end are missing.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    with Trial(bench) as trial:
        start = trial.start()
        if not start.is_healthy:
            return Case.of(start, _isolation(trial, bench, start, ()))
        invocations = _invocations(trial, bench)
        case = _life(trial, bench, start, invocations)
        stop = trial.stop(invocations.baseline) if trial.is_alive() else None
    stop = stop or _stop_another(bench, invocations)
    return case.joined(Case.of(stop)) if stop else case


def _life(trial: Trial, bench: Bench, start: Start, invocations: Invocations) -> Case:
    """Everything between the first invocation and SIGTERM."""
    scenes: list[object] = [start, _health(trial), invocations]
    baseline = invocations.baseline
    parameters = trial.send(Request("GET", "/execution-parameters", (("Host", BATCH_HOST),)), PATIENCE_S)
    if parameters.is_accepted:
        scenes.append(ExecutionParameters(parameters))
    if baseline is not None and trial.is_alive():
        scenes += [_headers(trial, baseline), _busy(trial, baseline.request)]
    if trial.is_alive() and (large := _large_body(trial, invocations)) is not None:
        scenes.append(large)
    bad: tuple[Exchange, ...] = ()
    if trial.is_alive():
        bad = tuple(trial.send(request) for request in requests.bad())
        scenes.append(Errors(bad, invocations.all))
    scenes += [_survival(trial), _isolation(trial, bench, start, invocations.all + bad)]
    return Case.of(*scenes)


def _health(trial: Trial) -> Health:
    pings: list[Exchange] = []
    while len(pings) < 5 and (not pings or pings[-1].total_s < PING.value):
        pings.append(trial.send(ping(), PATIENCE_S))
    named = (
        ping(host=PLATFORM_HOST),
        ping(host=BATCH_HOST, agent="Go-http-client/1.1"),
        ping(host="127.0.0.1:8080", agent="argosy"),
    )
    return Health(tuple(pings), tuple(trial.send(request, PATIENCE_S) for request in named))


def _invocations(trial: Trial, bench: Bench) -> Invocations:
    samples = tuple(trial.send(request) for request in bench.samples)
    probes: list[Exchange] = []
    for request in requests.generic():
        probes.append(trial.send(request))
        if probes[-1].error.startswith("no answer"):
            break  # one minute is enough to know a server that never answers
    return Invocations(samples, tuple(probes))


def _headers(trial: Trial, baseline: Exchange) -> Headers:
    request = baseline.request
    content_type = request.content_type or "application/octet-stream"
    return Headers(
        baseline,
        extra=trial.send(requests.with_unknown_headers(request)),
        without_accept=trial.send(request.without_header("Accept")),
        without_content_type=trial.send(request.without_header("Content-Type")),
        parameters=trial.send(request.with_headers(("Content-Type", f"{content_type}; charset=utf-8"))),
    )


def _busy(trial: Trial, request: Request) -> Busy:
    over = threading.Event()

    def invoke_until_over() -> Counter[int]:
        answered: Counter[int] = Counter()
        while not over.is_set():
            exchange = trial.exchange(request)
            if exchange.status is None:
                break
            answered[exchange.status] += 1
        return answered

    pings: list[Exchange] = []
    with ThreadPoolExecutor(_CLIENTS) as pool:
        clients = [pool.submit(invoke_until_over) for _ in range(_CLIENTS)]
        begun = time.monotonic()
        while time.monotonic() - begun < _BUSY_S:
            time.sleep(POLL_S)
            pings.append(trial.exchange(ping(), PATIENCE_S))
        over.set()
        answered = sum((client.result() for client in clients), Counter())
    return Busy(tuple(pings), tuple(answered.most_common()), _CLIENTS)


def _large_body(trial: Trial, invocations: Invocations) -> LargeBody | None:
    baseline = requests.best_for_padding(invocations)
    if baseline is None:
        return None
    large = trial.send(requests.padded(baseline.request, int(ENDPOINT_BODY.value)))
    smaller = None
    if large.status is None or large.status == 413:
        smaller = trial.send(requests.padded(baseline.request, int(ENDPOINT_BODY_OLD.value)))
    return LargeBody(baseline, large, smaller)


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
    errors = sum(exchange.is_server_error for exchange in exchanges)
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
    (Start, Isolation, Health, Invocations, ExecutionParameters, Headers, Busy, LargeBody, Errors, Survival, Stop),
    play,
    is_alone=True,
    needs_healthy=False,
)
