from dataclasses import replace

import pytest

from argosy.conformance.check import Status
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.streams import Bidirectional, Streaming
from tests.conformance.exchanges import exchange, finding

EVENTS = b"data: 1\n\ndata: 2\n\n"
TYPE = ("content-type", "text/event-stream")


def stream(parts: int, first_s: float, seconds: float, *, body: bytes = EVENTS, length: str = "") -> Exchange:
    headers = (TYPE, ("content-length", length) if length else ("transfer-encoding", "chunked"))
    return replace(exchange(200, body, seconds=seconds), headers=headers, parts=parts, first_s=first_s)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (stream(2, 0.1, 0.2), Status.PASS),
        (stream(1, 0.2, 0.2), Status.UNKNOWN),  # an answer of one word and the event that ends it
        (stream(1, 0.2, 0.2, body=EVENTS * 2), Status.FAIL),
        (stream(2, 0.1, 0.2, length="20"), Status.FAIL),
        (stream(2, 4.999, 5.0), Status.UNKNOWN),
        (stream(1, 0.2, 0.2, body=b"data: 1\n\n"), Status.UNKNOWN),  # one event is no more than one part
    ],
)
def test_the_first_part_is_sent_before_the_last_is_made(answer: Exchange, status: Status) -> None:
    assert finding("streaming", Streaming((answer,))).status is status


def test_an_answer_in_parts_is_a_stream_whatever_it_says() -> None:
    answer = replace(exchange(200, b"1\n\n2\n\n", seconds=0.3), parts=2, first_s=0.1)
    chunked = replace(answer, headers=(*answer.headers, ("transfer-encoding", "chunked")))
    assert chunked.is_stream
    assert not answer.is_stream  # a long answer takes its time too
    assert not replace(chunked, first_s=0.29).is_stream
    assert finding("streaming", Streaming((chunked,))).status is Status.PASS
    assert stream(1, 0.2, 0.2).is_stream


@pytest.mark.parametrize(
    ("scene", "works", "agrees"),
    [
        (Bidirectional("true", True, "101", 2, 2), Status.PASS, Status.PASS),
        (Bidirectional("true", True, "101, then nothing within 10 s", 2, 0), Status.FAIL, Status.PASS),
        (Bidirectional("true", False, "404"), Status.FAIL, Status.PASS),
        (Bidirectional("", False, "404"), Status.SKIP, Status.PASS),
        (Bidirectional("", True, "101", 2, 2), Status.SKIP, Status.FAIL),
        (Bidirectional("false", True, "101", 2, 0), Status.SKIP, Status.FAIL),
        (Bidirectional(None, True, "101", 2, 2), Status.SKIP, Status.SKIP),
    ],
)
def test_label_and_web_socket_agree(scene: Bidirectional, works: Status, agrees: Status) -> None:
    assert finding("bidirectional-stream", scene).status is works
    assert finding("bidirectional-label", scene).status is agrees
