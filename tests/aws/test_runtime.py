"""Invocations are sent once, whatever becomes of them; what breaks off is no good end."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from argosy.aws.call import Call
from argosy.aws.runtime import STREAM, Runtime
from argosy.errors import AwsError, InvalidCallError, ModelError

BODY = {"EndpointName": "iris", "ContentType": "text/csv", "Body": b"1"}


@contextmanager
def service(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Answers every request with these bytes and closes the connection; the paths that were asked for."""
    asked: list[str] = []

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            asked.append(self.path)
            self.connection.sendall(answer)
            self.close_connection = True

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it-is-secret")
        try:
            yield asked
        finally:
            server.shutdown()
            thread.join()


def reply(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@pytest.mark.parametrize("answer", [b"", reply("503 Slow", b"{}"), reply("500 Oops", b"{}")])
def test_nothing_is_sent_twice(answer: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    with service(answer, monkeypatch) as asked:
        with pytest.raises(AwsError):
            Runtime("us-east-1").invoke(Call("sagemaker-runtime", "InvokeEndpoint", "us-east-1", BODY))
        assert asked == ["/endpoints/iris/invocations"]


def test_an_answer_that_is_cut_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(reply("200 OK", b"half", "Content-Type: text/csv", length=8), monkeypatch):
        answer = Runtime("us-east-1").invoke(Call("sagemaker-runtime", "InvokeEndpoint", "us-east-1", BODY))
        assert (answer.status, answer.headers) == (200, {"ContentType": "text/csv"})
        with pytest.raises(AwsError):
            list(answer.parts)


def test_a_stream_that_is_no_stream_of_events_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(reply("200 OK", b"these are no events, but some words"), monkeypatch):
        answer = Runtime("us-east-1").invoke(Call("sagemaker-runtime", STREAM, "us-east-1", BODY))
        with pytest.raises(ModelError, match="broke off"):
            list(answer.parts)


def test_what_the_model_does_not_take_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with service(b"", monkeypatch) as asked:
        wrong = {**BODY, "EndpointName": "a b"}
        with pytest.raises(InvalidCallError):
            Runtime("us-east-1").invoke(Call("sagemaker-runtime", "InvokeEndpoint", "us-east-1", wrong))
        assert asked == []
