"""Answers that come in parts, and conversations over WebSocket, where they are claimed or seen."""

from typing import Final

from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.streams import Bidirectional, Streaming
from argosy.contract import HOSTING_PAGE, LABEL_BIDIRECTIONAL

_LATE: Final = 0.98
"""A first part that comes after this share of the whole time may have waited for the last."""
_MANY_EVENTS: Final = 4
"""A short answer and the event that ends it may well share a chunk."""


def _streaming(streaming: Streaming) -> Verdict:
    seen = [exchange for exchange in streaming.exchanges if exchange.is_success]
    withheld = [exchange for exchange in seen if _is_withheld(exchange)]
    if withheld:
        sentence = "all events came at once: the answer was made whole before its first byte was sent"
        return failed(sentence, *map(_times, withheld[:2]))
    apart = [exchange for exchange in seen if exchange.parts > 1 and _first(exchange) < _LATE * exchange.total_s]
    if apart:
        first = apart[0]
        return passed(
            f"the first of {first.parts} parts came after {_first(first):.3f} s, the last after {first.total_s:.3f} s"
        )
    return unknown("the parts came so close to each other that they may have waited", *map(_times, seen[:2]))


def _is_withheld(exchange: Exchange) -> bool:
    """Whether several events left as one; what else comes in chunks may be of one piece."""
    events = exchange.body.replace(b"\r\n", b"\n").count(b"\n\n") if exchange.is_event_stream else 0
    if exchange.header("content-length") is not None:
        return events > 1
    return exchange.is_chunked and exchange.parts == 1 and events >= _MANY_EVENTS


def _first(exchange: Exchange) -> float:
    return exchange.total_s if exchange.first_s is None else exchange.first_s


def _times(exchange: Exchange) -> Evidence:
    evidence = exchange.evidence
    came = f"{exchange.parts} parts, the first after {_first(exchange):.3f} s"
    return Evidence(evidence.sent, f"{came}: {evidence.received}", evidence.seconds, evidence.log)


def _bidirectional(bidirectional: Bidirectional) -> Verdict:
    if not bidirectional.is_claimed:
        return skipped("no label claims it" if bidirectional.label is not None else "a project has no labels")
    if not bidirectional.is_open:
        return failed(f"the upgrade is not taken: {bidirectional.outcome}", _upgrade(bidirectional))
    if bidirectional.pongs < bidirectional.pings:
        answered = f"{bidirectional.pongs} of {bidirectional.pings} Pings were answered with Pong"
        return failed(answered, _upgrade(bidirectional))
    return passed(f"it is opened, and {bidirectional.pongs} Pings were answered with Pong")


def _label(bidirectional: Bidirectional) -> Verdict:
    if bidirectional.label is None:
        return skipped("a project has no labels")
    if bidirectional.is_open and not bidirectional.is_claimed:
        return failed(f"it is opened, but the label is `{bidirectional.label}`", _upgrade(bidirectional))
    return passed("the label claims it" if bidirectional.is_claimed else "there is neither a label nor a WebSocket")


def _upgrade(bidirectional: Bidirectional) -> Evidence:
    sent = "GET /invocations-bidirectional-stream, Upgrade: websocket"
    return Evidence(sent, bidirectional.outcome, round(bidirectional.seconds, 3))


_STREAMING: Final[Group[Streaming]] = Group("streams", Streaming, needs=("start-healthy", "invocations"))
_BIDIRECTIONAL: Final[Group[Bidirectional]] = Group("streams", Bidirectional, needs=("start-healthy",))

CHECKS: Final[tuple[Check[Streaming] | Check[Bidirectional], ...]] = (
    _STREAMING.check(
        must(
            "streaming",
            HOSTING_PAGE,
            "An answer that is a stream is sent in chunks, the first before the last is made.",
            "answer with Transfer-Encoding: chunked and flush each part; nginx: proxy_buffering off",
            rows="C22",
        ),
        _streaming,
    ),
    _BIDIRECTIONAL.check(
        must(
            "bidirectional-stream",
            HOSTING_PAGE,
            "Where the label claims bidirectional streaming, there is a WebSocket that answers Ping with Pong.",
            "serve a WebSocket at /invocations-bidirectional-stream on port 8080, or remove the label"
            f" {LABEL_BIDIRECTIONAL}",
            rows="C23",
        ),
        _bidirectional,
    ),
    _BIDIRECTIONAL.check(
        should(
            "bidirectional-label",
            HOSTING_PAGE,
            "An image that serves /invocations-bidirectional-stream says so in its label.",
            f"add LABEL {LABEL_BIDIRECTIONAL}=true, without which SageMaker sends no stream there",
            rows="C23",
        ),
        _label,
    ),
)
