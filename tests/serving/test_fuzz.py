"""Bytes that are nearly HTTP: no 5xx but the predictor's own, no dead process, no memory that grows.

`scripts/fuzz` does the same with 200,000 inputs and a seed of one's choice.
"""

from contextlib import closing
from pathlib import Path

import pytest

from tests.serving.fuzz.answers import statuses
from tests.serving.fuzz.campaign import GROWTH_BYTES, PREDICTORS, campaign
from tests.serving.fuzz.grammar import Input, generate
from tests.serving.fuzz.hammer import Hammer, fault_of, smaller
from tests.serving.server_process import running

INPUTS = 5_000


@pytest.mark.parametrize("short_path", ["1", "0"], ids=["short path", "plain ASGI"])
@pytest.mark.parametrize("predictor", PREDICTORS)
def test_no_bytes_hurt_the_server(tmp_path: Path, predictor: str, short_path: str) -> None:
    report = campaign(predictor, short_path, INPUTS, 1, tmp_path / "log")
    assert report.faults == []
    assert report.log_lines == []
    assert max(report.growth.values()) < GROWTH_BYTES, report.summary
    assert report.leaked <= 0


def test_the_same_seed_gives_the_same_inputs() -> None:
    first, again, other = generate(7), generate(7), generate(8)
    inputs = [first() for _ in range(100)]
    assert [again() for _ in range(100)] == inputs
    assert [other() for _ in range(100)] != inputs
    assert any(sent.valid for sent in inputs)
    assert any(len(sent.segments) > 1 for sent in inputs)


GOOD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
HEAD = b"HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 9\r\n\r\n"


@pytest.mark.parametrize(
    ("received", "want"),
    [
        (b"", []),
        (GOOD + b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", [200, 404]),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + GOOD, [100, 200]),
        (HEAD + GOOD, [405, 200]),
        (HEAD, [405]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + GOOD, [200, 200]),
        (b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\nno HTTP", [400]),
    ],
)
def test_answers_are_told_apart(received: bytes, want: list[int]) -> None:
    assert statuses(received) == want


@pytest.mark.parametrize(
    "received", [b"ok", GOOD[:-1], GOOD + b"x", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"]
)
def test_what_is_no_whole_answer_is_a_fault(received: bytes) -> None:
    assert fault_of(Input((b"",), 0), received, is_closed=False)


def test_a_5xx_a_lost_answer_and_a_hung_up_client_are_faults() -> None:
    assert fault_of(Input((b"",), 0), b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n", is_closed=False)
    assert fault_of(Input((b"",), 2), GOOD, is_closed=False)
    assert fault_of(Input((b"",), 1), GOOD, is_closed=True)
    assert not fault_of(Input((b"",), 1), GOOD, is_closed=False)
    assert not fault_of(Input((b"",), 0), b"", is_closed=True)


def test_the_input_that_kills_a_process_is_found_among_others_and_made_small(tmp_path: Path) -> None:
    words = [b"live", b"let", b"die", b"another", b"day"]
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
    with running("fuzzed:Fatal", tmp_path / "log") as server, closing(Hammer(server)) as hammer:
        faults = list(hammer.run([Input((head % len(word) + word,), 1) for word in words]))
        assert hammer.ask("GET", "/ping") == 200
    ((sent,), wrong) = faults[0].sent, faults[0].wrong
    assert sent.endswith(b"\r\n\r\ndie")
    assert b"Host" not in sent
    assert "the model process ended" in wrong
    assert len(faults) == 1


def test_a_fault_is_made_small() -> None:
    assert smaller(b"many words, one fault, many words" * 20, lambda text: b"fault" in text) == b"fault"
