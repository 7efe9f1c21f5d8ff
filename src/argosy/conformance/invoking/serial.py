"""Invocations one after the other: samples and generic ones, other headers, other bodies, streams, refusals."""

import time
from typing import Final

from argosy.conformance import requests
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.log import Unread, lines_with
from argosy.conformance.observing.trial import PATIENCE_S, POLL_S, Trial
from argosy.conformance.probes import BATCH_HOST, Exchange, Framing, Request, ping
from argosy.conformance.scenes.bodies import BatchBody, Framings, LargeBody
from argosy.conformance.scenes.endpoint import ExecutionParameters, Headers, Invocations
from argosy.conformance.scenes.log import Logged
from argosy.conformance.scenes.metering import Metering
from argosy.conformance.scenes.streams import Streaming
from argosy.contract import BATCH_PAYLOAD_MB, ENDPOINT_BODY, ENDPOINT_BODY_OLD, megabytes

_LOGGED_S: Final = 2.0
"""How long a line of the log may take to get here."""
_SHOWN_LINES: Final = 8
_TIMES: Final = 3
_LATER_PINGS: Final = 8
_SLOW_PING_S: Final = 1.0


def invoke(trial: Trial, bench: Bench) -> tuple[Invocations, tuple[Exchange, ...]]:
    """The samples and the generic requests; and a health check after each that was answered, and not with 5xx."""
    limit_s = bench.invocation_s
    trial.log()  # what was logged from the start on goes with no invocation
    between: list[Exchange] = []
    samples: list[Exchange] = []
    for request in bench.samples:
        exchange = trial.send(request, limit_s)
        if exchange.total_s > limit_s:
            exchange = min(exchange, trial.send(request, limit_s), key=lambda one: (one.status is None, one.total_s))
        samples.append(exchange)
        between += _health_after(trial, exchange, between)
    probes: list[Exchange] = []
    for request in requests.generic():
        probes.append(trial.send(request, limit_s))
        if probes[-1].is_silent:
            break  # one minute is enough to know a server that never answers
        between += _health_after(trial, probes[-1], between)
    return Invocations(tuple(samples), tuple(probes), limit_s), tuple(between)


def _health_after(trial: Trial, exchange: Exchange, earlier: list[Exchange]) -> list[Exchange]:
    is_slow = bool(earlier) and earlier[-1].total_s > _SLOW_PING_S
    if exchange.status is None or exchange.is_server_error or is_slow or len(earlier) >= _LATER_PINGS:
        return []
    return [trial.send(ping(), PATIENCE_S)]


def execution_parameters(trial: Trial) -> ExecutionParameters | None:
    """What a transform job asks first; None when it is not even listened to."""
    exchange = trial.send(Request("GET", "/execution-parameters", (("Host", BATCH_HOST),)), PATIENCE_S)
    return ExecutionParameters(exchange) if exchange.is_accepted else None


def headers(trial: Trial, baseline: Exchange) -> Headers:
    """The baseline invocation with its headers changed."""
    request = baseline.request
    content_type = request.content_type or "application/octet-stream"

    def ask(changed: Request) -> Exchange:
        exchange = trial.send(changed)
        is_broken = exchange.status is None or exchange.is_server_error
        # Once is no proof: a server may be overloaded for a moment.
        return trial.send(changed) if is_broken and not baseline.is_server_error and trial.is_alive() else exchange

    return Headers(
        baseline,
        extra=ask(requests.with_unknown_headers(request)),
        without_accept=ask(request.without_header("Accept")),
        without_content_type=ask(request.without_header("Content-Type")),
        parameters=ask(request.with_headers(("Content-Type", f"{content_type}; charset=utf-8"))),
        session=ask(requests.with_session(request)),
        attributes=ask(requests.with_longest_attributes(request)),
        hosts=tuple(ask(other) for other in requests.of_other_hosts(request)),
    )


def framings(trial: Trial, baseline: Exchange) -> Framings:
    """The baseline invocation with its body's end told in other ways.

    A server that does not know a framing may wait for a body that it has: it is not waited for as long as a model.
    """
    patience_s = PATIENCE_S + 2 * baseline.total_s
    chunked, expected = (
        trial.send(requests.framed(baseline.request, framing), patience_s)
        for framing in (Framing.CHUNKED, Framing.EXPECT)
    )
    return Framings(baseline, chunked, expected)


def large_body(trial: Trial, invocations: Invocations) -> LargeBody | None:
    """The largest body that an endpoint is sent; when it is refused, what older clients send at most."""
    baseline = requests.best_for_padding(invocations)
    if baseline is None:
        return None
    request = requests.padded(baseline.request, int(ENDPOINT_BODY.value))
    large = trial.send(request)
    if (large.is_server_error or (large.status is None and not large.is_silent)) and trial.is_alive():
        large = trial.send(request)  # once is no proof
    smaller = None
    if large.status is None or large.status == 413:
        smaller = trial.send(requests.padded(baseline.request, int(ENDPOINT_BODY_OLD.value)))
    return LargeBody(baseline, large, smaller)


def batch_body(trial: Trial, invocations: Invocations, parameters: ExecutionParameters | None) -> BatchBody | None:
    """The largest body of a transform job, where it is larger than an endpoint's."""
    baseline = requests.best_for_padding(invocations)
    stated = parameters.payload_mb if parameters else None
    length = megabytes(min(stated or int(BATCH_PAYLOAD_MB.value), int(BATCH_PAYLOAD_MB.value)))
    if baseline is None or length <= ENDPOINT_BODY.value:
        return None
    return BatchBody(baseline, trial.send(requests.padded(baseline.request, length)))


def streaming(trial: Trial, invocations: Invocations) -> Streaming | None:
    """The answers that are streams, each asked for twice; None when there are none."""
    seen = [exchange for exchange in invocations.succeeded if exchange.is_stream]
    again = [trial.send(exchange.request) for exchange in seen]
    return Streaming((*seen, *again)) if seen else None


def logged(trial: Trial) -> Logged:
    """Send what is refused, and read what is logged of it."""
    unread = Unread(trial.container)
    unread.read()
    exchanges = tuple(trial.send(request) for request in requests.marked())
    lines = unread.read()
    has_error = any(exchange.is_client_error or exchange.is_server_error for exchange in exchanges)
    deadline = time.monotonic() + _LOGGED_S
    while has_error and not lines and time.monotonic() < deadline:
        time.sleep(POLL_S)
        lines = unread.read()
    quoting = lines_with(trial.container, requests.WORD)
    return Logged(requests.WORD, exchanges, lines[-_SHOWN_LINES:], quoting[:_SHOWN_LINES])


def metering(trial: Trial, invocations: Invocations) -> Metering | None:
    """What was metered; one of them again with several times its records; None when nothing was."""
    if not trial.metered:
        return None
    known = [exchange for exchange in trial.metered if exchange in invocations.succeeded]
    single = several = None
    for exchange in known:
        if (request := requests.repeated(exchange.request, _TIMES)) is not None:
            single, several = exchange, trial.send(request)
            break
    counted = lines_with(trial.container, '"_aws"')
    return Metering(tuple(trial.metered), single, several, _TIMES, counted[:_SHOWN_LINES])
