"""Exchanges as a container would have answered them, and what is found of scenes that are made of them."""

from argosy.conformance.case import Case
from argosy.conformance.finding import Finding
from argosy.conformance.probes import Exchange, invocation, ping
from argosy.conformance.run import judge
from argosy.conformance.scenes.endpoint import Health, Invocations, Start


def exchange(
    status: int | None,
    body: bytes = b"",
    *,
    content_type: str = "application/json",
    name: str = "body",
    sent: bytes = b"{}",
    error: str = "",
    seconds: float = 0.01,
) -> Exchange:
    headers = (("content-type", "application/json"),)
    request = invocation(content_type, sent, name)
    return Exchange(request, status, headers, body, len(body), 0.001, seconds, error)


def ping_exchange(status: int | None, *, seconds: float = 0.01, connect_s: float | None = 0.001) -> Exchange:
    error = "" if status is not None else "connection refused"
    return Exchange(ping(), status, connect_s=connect_s, total_s=seconds, error=error)


HEALTHY = Start(limit_s=9.0, accepted_s=0.1, healthy_s=0.2, waited_s=0.2, pings=(ping_exchange(200),))
UNDERSTOOD = Invocations((), (exchange(200),))
CALM = Health((ping_exchange(200),), (ping_exchange(200),), (ping_exchange(200),), ping_exchange(200))


def finding(clause_id: str, *scenes: object) -> Finding:
    """What is found of a clause in a container that is sound but for these scenes."""
    case = Case.of(HEALTHY, CALM, UNDERSTOOD, *scenes)
    return {found.clause.id: found for found in judge(case)}[clause_id]
