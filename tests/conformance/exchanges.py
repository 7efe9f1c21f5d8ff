"""Exchanges as a container would have answered them."""

from argosy.conformance.probes import Exchange, invocation, ping


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
