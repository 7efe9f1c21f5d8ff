"""The server as a client meets it: real processes, each test over the short path and over plain ASGI."""

import http.client
import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from tests.serving.server_process import ServerProcess, running

Start = Callable[..., AbstractContextManager[ServerProcess]]


@pytest.fixture(params=["short path", "plain ASGI"])
def path_choice(request: pytest.FixtureRequest) -> str:
    return "1" if request.param == "short path" else "0"


@pytest.fixture
def start(path_choice: str, tmp_path: Path) -> Start:
    return lambda predictor, **kw: running(predictor, tmp_path / "log", ARGOSY_SHORT_PATH=path_choice, **kw)


@pytest.fixture(scope="module", params=["1", "0"], ids=["short path", "plain ASGI"])
def row_sum(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("server") / "log"
    with running("RowSum", log, ARGOSY_SHORT_PATH=request.param, ARGOSY_MAX_BODY_MB="2") as server:
        yield server


@pytest.fixture(scope="module", params=["1", "0"], ids=["short path", "plain ASGI"])
def echo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("server") / "log"
    with running("EchoBytes", log, ARGOSY_SHORT_PATH=request.param) as server:
        yield server


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_ping_is_200_with_an_empty_body(row_sum: ServerProcess, method: str) -> None:
    reply = row_sum.request(method, "/ping")
    assert (reply.status, reply.body) == (200, b"")


@pytest.mark.parametrize(
    ("content_type", "body", "accept", "want_type", "want"),
    [
        ("application/json", b"[[1, 2], [3, 4]]", "application/json", "application/json", b"[3.0,7.0]"),
        ("application/json", b"[1, 2]", "*/*", "application/json", b"[3.0]"),
        ("application/json", b'{"instances": [[1, 2]]}', "application/json", "application/json", b"[3.0]"),
        ("text/csv", b"1,2\n3,4\n", "text/csv", "text/csv", b"3.0\n7.0\n"),
        ("text/csv; charset=utf-8", b"1,2\r\n3,4", "*/*", "text/csv", b"3.0\n7.0\n"),
        ("TEXT/CSV; header=present", b"a,b\n1,2\n", "text/csv", "text/csv", b"3.0\n"),
        ("text/csv", b"1,2\n", "application/json;q=0.9, text/csv;q=0.1", "application/json", b"[3.0]"),
        ("text/csv", b"1,2\n", "image/png, application/*", "application/json", b"[3.0]"),
    ],
)
def test_bodies_are_decoded_by_content_type_and_encoded_by_accept(
    row_sum: ServerProcess, content_type: str, body: bytes, accept: str, want_type: str, want: bytes
) -> None:
    reply = row_sum.request("POST", "/invocations", body, Content_Type=content_type, Accept=accept)
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, want_type, want)


def test_without_content_type_and_accept_json_is_meant(row_sum: ServerProcess) -> None:
    reply = row_sum.request("POST", "/invocations", b"[[1, 2]]")
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "application/json", b"[3.0]")


@pytest.mark.parametrize(
    ("content_type", "accept", "body", "status", "code"),
    [
        ("application/json", "*/*", b"[[1, 2", 400, "decode"),
        ("application/json", "*/*", b"", 400, "decode"),
        ("application/json", "*/*", b'"text"', 400, "decode"),
        ("application/json", "*/*", b"[[1, 2], [3]]", 400, "decode"),
        ("application/json", "*/*", b'[[1, "2"]]', 400, "decode"),
        ("application/json", "*/*", b"[[1, true]]", 400, "decode"),
        ("text/csv", "*/*", b"1,x\n", 400, "decode"),
        ("text/csv", "*/*", b"1,2\n3\n", 400, "decode"),
        ("text/csv", "*/*", b"\xff\xfe", 400, "decode"),
        ("text/csv; charset=klingon", "*/*", b"1,2\n", 415, "unsupported-media-type"),
        ("text/xml", "*/*", b"<a/>", 415, "unsupported-media-type"),
        ("nonsense", "*/*", b"1", 415, "unsupported-media-type"),
        ("application/json", "image/png", b"[[1, 2]]", 406, "not-acceptable"),
        ("application/json", "application/json;q=0, text/csv;q=0, text/plain;q=0", b"[[1]]", 406, "not-acceptable"),
    ],
)
def test_what_the_client_does_wrong_is_told_with_its_status(
    row_sum: ServerProcess, content_type: str, accept: str, body: bytes, status: int, code: str
) -> None:
    reply = row_sum.request(
        "POST",
        "/invocations",
        body,
        Content_Type=content_type,
        Accept=accept,
        X_Amzn_SageMaker_Inference_Id="order-66",
    )
    assert (reply.status, reply.error["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/json"
    assert reply.error["inference_id"] == "order-66"
    assert "Traceback" not in reply.body.decode()


def test_an_unsupported_media_type_is_told_with_the_supported_ones(row_sum: ServerProcess) -> None:
    message = row_sum.request("POST", "/invocations", b"<a/>", Content_Type="text/xml").error["message"]
    assert "text/xml" in message
    assert "application/json" in message
    assert "text/csv" in message


def test_a_declared_body_over_the_limit_is_413_and_the_client_reads_why(row_sum: ServerProcess) -> None:
    body = b"1," * (1024 * 1024) + b"1,1\n"
    reply = row_sum.request("POST", "/invocations", body, Content_Type="text/csv")
    assert (reply.status, reply.error["code"]) == (413, "body-too-large")
    assert row_sum.ping() == 200


def test_a_chunked_body_over_the_limit_is_413(row_sum: ServerProcess) -> None:
    chunks = (b"1," * 50_000 for _ in range(30))
    reply = row_sum.request("POST", "/invocations", chunks, Content_Type="text/csv", Transfer_Encoding="chunked")
    assert reply.status == 413


def test_a_body_of_exactly_the_limit_is_taken(row_sum: ServerProcess) -> None:
    body = b"1," * (1024 * 1024 - 1) + b"1\n"
    assert len(body) == 2 * 2**20
    reply = row_sum.request("POST", "/invocations", body, Content_Type="text/csv", Accept="text/csv")
    assert (reply.status, reply.body) == (200, b"1048576.0\n")


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 1_000_000, 30_000_000])
def test_bytes_come_back_as_they_went(echo: ServerProcess, size: int) -> None:
    body = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8).tobytes()
    reply = echo.request("POST", "/invocations", body, Content_Type="image/x-raw")
    assert (reply.status, reply.headers["content-type"], reply.body) == (200, "image/x-raw", body)


@pytest.mark.parametrize("path", ["1", "0"])
def test_a_body_that_is_only_lent_comes_back_too(path: str, tmp_path: Path) -> None:
    with running("EchoView", tmp_path / "log", ARGOSY_SHORT_PATH=path) as server:
        for size in (0, 1, 65_536, 3_000_000):
            body = np.random.default_rng(size).integers(128, 256, size, dtype=np.uint8).tobytes()
            assert server.request("POST", "/invocations", body).body == body
            assert server.request("POST", "/invocations", b"!" + body).body == body


def test_a_chunked_body_is_taken(echo: ServerProcess) -> None:
    chunks = (bytes([number]) * 10_000 for number in range(20))
    reply = echo.request("POST", "/invocations", chunks, Content_Type="text/csv", Transfer_Encoding="chunked")
    assert reply.body == b"".join(bytes([number]) * 10_000 for number in range(20))


def test_requests_sent_at_once_on_one_connection_are_answered_in_order(echo: ServerProcess) -> None:
    def message(method: str, path: str, body: bytes, more: str = "") -> bytes:
        head = f"{method} {path} HTTP/1.1\r\nHost: model.aws.local:8080\r\nContent-Length: {len(body)}\r\n{more}\r\n"
        return head.encode() + body

    wants = [
        (message("POST", "/invocations", b"first"), b"first"),
        (message("GET", "/ping", b""), b""),
        (message("GET", "/execution-parameters", b""), b"MaxConcurrentTransforms"),
        (message("POST", "/invocations", b"x" * 70_000), b"x" * 70_000),
        (message("GET", "/nowhere", b""), b"not-found"),
        (message("POST", "/invocations", b"last", "Expect: 100-continue\r\n"), b"last"),
    ]
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
        connection.sendall(b"".join(sent for sent, _ in wants))
        with connection.makefile("rb") as answers:
            for _, want in wants:
                assert want in read_answer(answers)


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Content-Encoding: br\r\nContent-Length: 2\r\n", 415),
        ("Content-Encoding: gzip\r\nContent-Length: 2\r\n", 400),
        (f"Accept: {'a' * 20_000}\r\nContent-Length: 2\r\n", 431),
        (f"Content-Type: a/{'b' * 30_000}\r\nAccept: {'a' * 30_000}\r\nContent-Length: 2\r\n", 431),
    ],
)
def test_headers_that_cannot_be_honoured_are_refused(echo: ServerProcess, more: str, status: int) -> None:
    before = echo.model_pids()
    body = b"2\r\nhi\r\n0\r\n\r\n" if "chunked" in more else b"hi"
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
        connection.sendall(f"POST /invocations HTTP/1.1\r\nHost: x\r\n{more}\r\n".encode() + body)
        assert connection.recv(100).startswith(f"HTTP/1.1 {status} ".encode())
    assert echo.request("POST", "/invocations", b"next", Content_Type="text/plain").body == b"next"
    assert echo.model_pids() == before


def test_trailers_of_a_chunked_body_are_not_headers(tmp_path: Path) -> None:
    head = b"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        running("EchoBytes", tmp_path / "log") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
    ):
        connection.sendall(head + b"2\r\nhi\r\n0\r\nAccept: image/png\r\nContent-Type: image/png\r\n\r\n")
        with connection.makefile("rb") as stream:
            assert b" 200 " in stream.readline()
            assert http.client.parse_headers(stream)["content-type"] == "text/csv"


def test_a_health_check_may_carry_a_body(echo: ServerProcess) -> None:
    for _ in range(3):
        assert echo.request("GET", "/ping", b"x" * 200_000).status == 200


@pytest.mark.parametrize(
    "asked",
    [("POST /invocations",) * 2, ("GET /metrics",) * 2, ("POST /invocations", "GET /metrics")],
    ids=["invocations", "metrics", "both"],
)
@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00junk\r\n\r\n",
        b"POST /invocations HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /invocations?x=1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
    ids=["junk", "broken body", "broken body on the long way"],
)
def test_what_is_due_is_answered_before_garbage(start: Start, asked: tuple[str, str], garbage: bytes) -> None:
    """In the order of the requests, one answer for each, and the 400 is the last word; on the ASGI way two wait."""
    body = b'{"do": "sleep", "seconds": 0.3}'
    head = f"HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with (
        start("Commanded") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
    ):
        connection.sendall(b"".join(b"%b %b%b" % (line.encode(), head, body) for line in asked) + garbage)
        with connection.makefile("rb") as answers:
            for line in asked:
                assert (b"sleep" if "invocations" in line else b"argosy_") in read_answer(answers)
            assert answers.readline() == b"HTTP/1.1 400 Bad Request\r\n"
            assert http.client.parse_headers(answers)["content-length"]
            assert b"HTTP/1.1" not in answers.read()


@pytest.mark.parametrize("path", ["/invocations", "/invocations?x=1"])
def test_a_refused_body_that_then_breaks_gets_no_second_answer(start: Start, path: str) -> None:
    with (
        start("EchoBytes", ARGOSY_MAX_BODY_MB="1") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
        connection.makefile("rb") as stream,
    ):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        connection.sendall(head + b"%x\r\n%b" % (2**21, b"x" * 2**21))
        assert stream.readline().startswith(b"HTTP/1.1 413 ")
        connection.sendall(b"\r\nzz\r\n")
        assert b"HTTP/1.1" not in stream.read()


def read_answer(stream: BinaryIO) -> bytes:
    """The body of the next answer on a connection that carries several."""
    status = stream.readline()
    headers = http.client.parse_headers(stream)
    if b" 100 " in status:
        return read_answer(stream)
    return stream.read(int(headers["content-length"]))


def test_a_connection_serves_many_requests(echo: ServerProcess) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", echo.port, timeout=10)
    for number in range(200):
        connection.request("POST", "/invocations", b"%d" % number, {"Content-Type": "text/plain"})
        assert connection.getresponse().read() == b"%d" % number
    connection.close()


def test_http_1_0_and_connection_close_end_the_connection(echo: ServerProcess) -> None:
    for head in (b"POST /invocations HTTP/1.0\r\n", b"POST /invocations HTTP/1.1\r\nConnection: close\r\n"):
        with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
            connection.sendall(head + b"Host: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi")
            answer = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert answer.endswith(b"hi")


@pytest.mark.parametrize(
    "garbage", [b"\x00\x01\x02\r\n\r\n", b"GET\r\n\r\n", b"POST /invocations HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
def test_garbage_on_the_socket_hurts_nobody(echo: ServerProcess, garbage: bytes) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
        connection.sendall(garbage)
        assert connection.recv(100).startswith(b"HTTP/1.1 400")
    assert echo.ping() == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/invocations", 405), ("DELETE", "/ping", 405), ("GET", "/", 404), ("POST", "/invocations/x", 404)],
)
def test_other_paths_and_methods_are_refused(echo: ServerProcess, method: str, path: str, status: int) -> None:
    reply = echo.request(method, path)
    assert reply.status == status
    assert reply.error["code"]


def test_execution_parameters_keep_the_product_under_100(start: Start) -> None:
    with start("EchoBytes", ARGOSY_WORKERS="3") as server:
        parameters = json.loads(server.request("GET", "/execution-parameters").body)
    assert parameters == {"MaxConcurrentTransforms": 3, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}


@pytest.mark.parametrize(
    ("predictor", "content_type", "body", "want"),
    [
        ("EchoText", "text/plain; charset=latin-1", b"caf\xe9", "café".encode()),
        ("EchoText", "application/json", b'"as it is"', b'"\\"as it is\\""'),
        ("EchoList", "application/json", b'[1, "a", null]', b'[1,"a",null]'),
        ("EchoList", "text/csv", b'1,a\n2,"b,c"\n', b'1.0,a\n2.0,"b,c"\n'),
        ("EchoFields", "application/json", b'{"a": [1]}', b'{"a":[1]}'),
    ],
)
def test_the_annotation_chooses_what_predict_is_given(
    start: Start, predictor: str, content_type: str, body: bytes, want: bytes
) -> None:
    with start(predictor) as server:
        reply = server.request("POST", "/invocations", body, Content_Type=content_type)
    assert (reply.status, reply.body) == (200, want)


def test_a_dict_predictor_takes_no_csv(start: Start) -> None:
    with start("EchoFields") as server:
        assert server.request("POST", "/invocations", b"1,2\n", Content_Type="text/csv").status == 415
        assert server.invoke([1]).status == 400


def test_the_predictors_own_errors_are_500_without_its_words(start: Start) -> None:
    with start("Commanded") as server:
        pids = server.model_pids()
        reply = server.invoke({"do": "raise"}, X_Amzn_SageMaker_Inference_Id="id-1")
        assert (reply.status, reply.error["code"]) == (500, "predict")
        assert b"secret" not in reply.body
        assert server.invoke({"do": "sys-exit"}).status == 500
        assert server.invoke({"do": "unencodable"}).status == 500
        assert server.invoke({"do": "refuse"}).status == 400
        assert server.invoke({"do": "raise-surrogate"}).status == 500
        assert server.invoke({"do": "refuse-surrogate"}).status == 400
        assert server.model_pids() == pids
        assert server.invoke({"do": "nothing"}).status == 200
        assert "the weights are in /secret/place" in server.log
        assert "id-1" in server.log


def test_the_log_can_be_kept_free_of_what_the_predictor_says(start: Start) -> None:
    with start("Commanded", ARGOSY_LOG_EXCEPTIONS="none") as server:
        assert server.invoke({"do": "raise"}, X_Amzn_SageMaker_Inference_Id="id-1").status == 500
        assert '"error":"RuntimeError"' in server.log
        assert "predictors.py" in server.log
        assert server.log.count("/secret/place") == 1, "the source line that raised it, and no more"


def test_artifacts_are_read_from_the_model_dir(start: Start, tmp_path: Path) -> None:
    (tmp_path / "answer.txt").write_text("42")
    with start("ReadsArtifacts", ARGOSY_MODEL_DIR=str(tmp_path)) as server:
        assert server.invoke([]).body == b'"42"'


@pytest.mark.parametrize("short_path", ["1", "0"])
def test_an_answer_that_no_frame_can_carry_is_500_with_words(tmp_path: Path, short_path: str) -> None:
    with running("Huge", tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server:
        before = server.model_pids()
        reply = server.invoke(b"4294967296", Content_Type="text/plain", X_Amzn_SageMaker_Inference_Id="call-17")
        assert (reply.status, reply.error["code"], reply.error["inference_id"]) == (500, "predict", "call-17")
        assert reply.error["message"].startswith("the answer, or a part of it, is too large: got 4294967296 bytes")
        assert server.invoke(b"1000", Content_Type="text/plain").body == bytes(1000)
        assert server.model_pids() == before
