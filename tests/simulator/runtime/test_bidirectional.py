"""Bidirectional streams: a client that speaks HTTP/2, a container that speaks WebSocket, and what is between them."""

import json
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from argosy.simulator.containers.process import Command, ProcessContainer, free_port
from argosy.simulator.runtime.conversation import BidirectionalOptions
from tests.serving.server_process import PREDICTORS
from tests.simulator.runtime.http2_client import PATH, Event, Http2Client, message, part, pieces, signed
from tests.simulator.runtime.streaming_thread import STAND_IN, Bench, streaming

ENDED = "the client has ended it"
MakeBench = Callable[..., Bench]


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], ProcessContainer]]:
    made: list[ProcessContainer] = []

    def make() -> ProcessContainer:
        port = free_port()
        command = (sys.executable, str(STAND_IN), str(port))
        made.append(ProcessContainer(Command("ws", command, {}, tmp_path_factory.mktemp("ws"), port)))
        return made[-1]

    yield make
    for one in made:
        one.remove()


@pytest.fixture(scope="module")
def bench(container: Callable[[], ProcessContainer]) -> Iterator[Bench]:
    with streaming(container()) as made:
        yield made


@pytest.fixture
def special(container: Callable[[], ProcessContainer]) -> Iterator[MakeBench]:
    with ExitStack() as stack:

        def make(**settings: object) -> Bench:
            options = BidirectionalOptions(**settings)  # type: ignore[arg-type] # its fields as keywords
            return stack.enter_context(streaming(container(), options))

        yield make


def received(event: Event | None) -> tuple[bytes, str, str]:
    assert event is not None
    return event.part


def test_a_part_is_a_frame_and_a_frame_is_a_part(bench: Bench) -> None:
    with bench.stream() as client:
        assert client.status == 200, "the answer begins with the upgrade, before the client says anything"
        assert client.headers["content-type"] == "application/vnd.amazon.eventstream"
        assert client.headers["x-amzn-invoked-production-variant"] == "AllTraffic"
        assert received(client.ask(part(b"hello", "UTF8"))) == (b"hello", "UTF8", "COMPLETE")
        assert received(client.ask(part(b"\xff\x00", "BINARY", "COMPLETE"))) == (b"\xff\x00", "BINARY", "COMPLETE")
        assert received(client.ask(part(b"\xfe"))) == (b"\xfe", "BINARY", "COMPLETE")
        assert received(client.ask(part(b""))) == (b"", "BINARY", "COMPLETE")


def test_a_message_in_parts_stays_in_parts_also_where_a_character_is_cut(bench: Bench) -> None:
    text = "Grüße".encode()
    with bench.stream() as client:
        assert received(client.ask(part(text[:3], "UTF8", "PARTIAL"))) == (text[:3], "UTF8", "PARTIAL")
        assert received(client.ask(part(b"", "UTF8", "PARTIAL"))) == (b"", "UTF8", "PARTIAL")
        assert received(client.ask(part(text[3:], "UTF8", "COMPLETE"))) == (text[3:], "UTF8", "COMPLETE")
        assert received(client.ask(part(b"next"))) == (b"next", "BINARY", "COMPLETE")


def test_large_parts_pass_whole_and_slow_readers_hold_the_container_back(bench: Bench) -> None:
    body = bytes(range(256)) * (12 * 1024)  # 3 MiB: more than any window
    with bench.stream() as client:
        for _ in range(2):
            client.send(part(body))
        for _ in range(2):
            assert received(client.receive())[0] == body


def test_signed_events_are_unwrapped_however_they_are_cut(bench: Bench) -> None:
    with bench.stream() as client:
        for piece in pieces(signed(part(b"one", "UTF8")) + signed(part(b"two")), 7):
            client.send(piece)
        assert received(client.receive()) == (b"one", "UTF8", "COMPLETE")
        assert received(client.receive()) == (b"two", "BINARY", "COMPLETE")
        client.send(signed(b""))
        client.end()
        assert received(client.receive())[0] == b"bye 1000"
        assert client.receive() is None


def test_the_end_of_the_client_s_side_closes_the_web_socket_and_what_was_under_way_still_comes(bench: Bench) -> None:
    with bench.stream() as client:
        client.send(part(b"last words"))
        client.end()
        assert [event.part[0] for event in client.rest()] == [b"last words", b"bye 1000"]


def test_the_container_sees_the_documented_upgrade_and_no_other_field(bench: Bench) -> None:
    with bench.stream(custom_attributes="secret") as client:
        head = json.loads(received(client.ask(part(b"HEAD", "UTF8")))[0])
    assert head["path"] == "/invocations-bidirectional-stream"
    assert set(head["headers"]) == {
        "host",
        "connection",
        "upgrade",
        "sec-websocket-version",
        "sec-websocket-key",
        "x-amzn-sagemaker-request-id",
    }
    assert head["headers"]["host"] == "localhost:8080"


def test_the_client_names_another_path_and_a_query(bench: Bench) -> None:
    with bench.stream(Model_Invocation_Path="v1/listen", Model_Query_String="model=nova&rate=16000") as client:
        head = json.loads(received(client.ask(part(b"HEAD", "UTF8")))[0])
    assert head["path"] == "/v1/listen?model=nova&rate=16000"


@pytest.mark.parametrize(
    ("headers", "status", "kind", "sentence"),
    [
        ({"Model_Invocation_Path": "/v1"}, 400, "InputValidationError", "'modelInvocationPath' failed to satisfy"),
        ({"Model_Invocation_Path": "a" * 101}, 400, "InputValidationError", "length less than or equal to 100"),
        ({"Model_Query_String": "a=1#x"}, 400, "InputValidationError", "'modelQueryString' failed to satisfy"),
        ({"Target_Variant": "Blue"}, 400, "InputValidationError", "Variant Blue not found for endpoint demo."),
        (
            {"Model_Invocation_Path": "refuse"},
            424,
            "ModelError",
            'client error (403) from primary with message "not to',
        ),
    ],
)
def test_what_cannot_begin_is_an_error_before_the_stream(
    bench: Bench, headers: dict[str, str], status: int, kind: str, sentence: str
) -> None:
    with bench.stream(**headers) as client:
        assert client.status == status
        assert client.headers["x-amzn-errortype"] == kind
        body = json.loads(client.read_all())
    assert sentence in body["Message"]
    assert body.get("OriginalStatusCode") == (403 if kind == "ModelError" else None)


def test_an_unknown_endpoint_is_an_error_before_the_stream(bench: Bench) -> None:
    with Http2Client(bench.port, PATH.replace("demo", "other")) as client:
        assert client.status == 400
        assert json.loads(client.read_all())["Message"] == "Endpoint other of account 123456789012 not found."
    with Http2Client(bench.port, "/endpoints/demo/invocations") as client:
        assert client.status == 404


@pytest.mark.parametrize("settings", [{"is_labelled": False}, {"is_async": True}])
def test_an_endpoint_that_is_not_made_for_it_refuses(
    container: Callable[[], ProcessContainer], settings: dict[str, bool]
) -> None:
    with streaming(container(), **settings) as made, made.stream() as client:  # type: ignore[arg-type] # two of its own
        assert client.status == 400
        assert "does not support this inference type" in json.loads(client.read_all())["Message"]


def test_a_close_frame_of_the_container_is_a_model_stream_error(bench: Bench) -> None:
    for code, reason in (("4001", "no audio"), ("1000", "")):
        with bench.stream() as client:
            event = client.ask(part(f"CLOSE {code} {reason}".strip().encode(), "UTF8"))
            assert event is not None
            assert event.error == ("ModelStreamError", {"ErrorCode": code, "Message": reason})
            assert client.receive() is None


def test_a_normal_closure_can_be_taken_for_the_end(special: MakeBench) -> None:
    made = special(is_normal_closure_an_error=False)
    with made.stream() as client:
        assert client.ask(part(b"CLOSE 1000", "UTF8")) is None
    assert made.endings() == ["the container has closed it: 1000"]


@pytest.mark.parametrize(("word", "code"), [(b"DROP", "StreamBroken"), (b"RESERVED", "1002")])
def test_a_container_that_breaks_the_web_socket_is_a_model_stream_error(bench: Bench, word: bytes, code: str) -> None:
    with bench.stream() as client:
        event = client.ask(part(word, "UTF8"))
        assert event is not None
        name, fields = event.error
        assert (name, fields["ErrorCode"]) == ("ModelStreamError", code)
        assert client.receive() is None


def test_pings_of_the_container_are_answered(bench: Bench) -> None:
    with bench.stream() as client:
        assert received(client.ask(part(b"PING abc", "UTF8")))[0] == b"pong abc"


def test_the_container_is_pinged_and_closed_when_it_does_not_answer(special: MakeBench) -> None:
    made = special(ping_s=0.05, missed_pongs=3)
    with made.stream() as alive, made.stream(Model_Invocation_Path="silent") as client:
        event = client.receive()
        assert event is not None
        assert event.error[1] == {
            "ErrorCode": "StreamBroken",
            "Message": "The container has not answered 3 pings in a row.",
        }
        assert received(alive.ask(part(b"still here")))[0] == b"still here"


def test_a_stream_has_a_longest_time(special: MakeBench) -> None:
    made = special(longest_s=0.3)
    with made.stream() as client:
        assert received(client.ask(part(b"x")))[0] == b"x"
        event = client.receive()
        assert event is not None
        assert event.error[1]["ErrorCode"] == "ModelInvocationTimeExceeded"
        assert client.receive() is None


def test_a_client_that_leaves_ends_the_conversation(special: MakeBench) -> None:
    made = special()
    with made.stream() as client:
        assert received(client.ask(part(b"x")))[0] == b"x"
        client.reset()
        assert made.endings() == ["the client has left"]


def test_the_web_socket_can_stay_open_after_the_client_s_side(special: MakeBench) -> None:
    made = special(closes_with_client=False)
    with made.stream() as client:
        client.send(part(b"CLOSE 4000 done", "UTF8"))
        client.end()
        assert [event.error[1]["ErrorCode"] for event in client.rest()] == ["4000"]


@pytest.mark.parametrize(
    "data",
    [b"no event stream at all!", message({":event-type": "Other"}, b""), part(b"", "UTF16"), signed(part(b"x")[:-1])],
    ids=["garbage", "event", "data type", "cut"],
)
def test_events_that_cannot_be_read_end_the_stream(bench: Bench, data: bytes) -> None:
    with bench.stream() as client:
        event = client.ask(data)
        assert event is not None
        assert event.error[0] == "InternalStreamFailure"
        assert client.receive() is None


def test_a_client_that_does_not_speak_http_2_is_shown_out(bench: Bench) -> None:
    with socket.create_connection(("127.0.0.1", bench.port), timeout=20) as plain:
        plain.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while plain.recv(4096):
            pass


def test_tls_with_alpn(container: Callable[[], ProcessContainer]) -> None:
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    trusting.set_alpn_protocols(["h2", "http/1.1"])
    with streaming(container(), tls=tls) as made, Http2Client(made.port, tls=trusting) as client:
        assert received(client.ask(part(b"hello", "UTF8"))) == (b"hello", "UTF8", "COMPLETE")


@pytest.mark.slow
def test_argosy_s_own_server_converses(tmp_path: Path) -> None:
    port = free_port()
    variables = {
        "ARGOSY_PREDICTOR": "conversing:Conversing",
        "ARGOSY_PROGRAM_DIR": str(PREDICTORS),
        "ARGOSY_HOST": "127.0.0.1",
        "ARGOSY_WORKERS": "1",
        "SAGEMAKER_BIND_TO_PORT": str(port),
    }
    command = (sys.executable, "-P", "-m", "argosy.serving", "serve")
    serving = ProcessContainer(Command("argosy", command, variables, tmp_path, port))
    try:
        with streaming(serving) as made:
            with made.stream() as client:
                assert received(client.ask(part("Grüße".encode(), "UTF8"))) == ("Grüße".encode(), "UTF8", "COMPLETE")
                body = bytes(range(256)) * 2048
                client.send(part(body[:1000], "BINARY", "PARTIAL") + part(body[1000:], "BINARY", "COMPLETE"))
                assert received(client.receive()) == (body, "BINARY", "COMPLETE"), "its converse gets whole messages"
                event = client.ask(part(b"/refuse", "UTF8"))
                assert event is not None
                assert event.error[0] == "ModelStreamError"
            with made.stream() as client:
                assert received(client.ask(part(b"once")))[0] == b"once"
                client.end()
                assert client.rest() == []
            assert made.endings(2) == ["the container has closed it: 1008 this is no audio: want 16 kHz", ENDED]
    finally:
        serving.remove()
