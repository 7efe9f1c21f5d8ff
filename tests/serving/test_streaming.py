"""Streamed answers as a client meets them, over the short path and over plain ASGI."""

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import is_alive
from tests.serving.front import exposition
from tests.serving.raw_client import RawClient, request
from tests.serving.server_process import Reply, ServerProcess, running, wait_until

PATHS = ("1", "0")
STREAMS = ("Stream", "AsyncStream", "Returns", "ReturnsAsync", "Coroutine")
ID = "X-Amzn-SageMaker-Inference-Id"

Serve = Callable[..., ServerProcess]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """A server for a predictor and a path, started once."""
    folder = tmp_path_factory.mktemp("streams")
    started: dict[tuple[str, str], ServerProcess] = {}
    with ExitStack() as stack:

        def server(predictor: str, path: str) -> ServerProcess:
            if (predictor, path) not in started:
                name = folder / f"{predictor}-{path}"
                started[predictor, path] = stack.enter_context(
                    running(f"core:{predictor}", name, ARGOSY_SHORT_PATH=path, TEST_TOLD=f"{name}.told")
                )
            return started[predictor, path]

        yield server


def closed(server: ServerProcess) -> list[str]:
    """The inference ids of the generators that were closed or came to their end."""
    told = Path(f"{server.log_file}.told")
    lines = told.read_text().splitlines() if told.exists() else []
    return [line.removeprefix("closed ") for line in lines if line.startswith("closed ")]


both = pytest.mark.parametrize("path", PATHS, ids=["short path", "plain ASGI"])
every = pytest.mark.parametrize(
    ("predictor", "path"),
    [*((stream, "1") for stream in STREAMS), ("Stream", "0"), ("AsyncStream", "0")],
    ids=lambda value: {"1": "short path", "0": "plain ASGI"}.get(value, value),
)
some = pytest.mark.parametrize(
    ("predictor", "path"), [("Stream", "0"), ("Stream", "1"), ("AsyncStream", "1"), ("Returns", "1")]
)


@every
def test_a_part_arrives_before_the_next_is_made(serve: Serve, predictor: str, path: str, tmp_path: Path) -> None:
    server = serve(predictor, path)
    with RawClient(server.port) as client:
        client.ask({"parts": 3, "wait": str(tmp_path / "go")}, f"{ID}: one")
        status, fields = client.head()
        assert (status, fields["content-type"]) == (200, "text/plain")
        assert fields["transfer-encoding"] == "chunked"
        assert fields["x-amzn-sagemaker-custom-attributes"] == "id=one"
        assert client.chunk() == b"part 0;"
        (tmp_path / "go").touch()
        assert b"".join(client.chunks()) == b"part 1;part 2;"
        client.ask({"parts": 1})
        assert client.head()[0] == 200
        assert list(client.chunks()) == [b"part 0;"]


LINES = b'{"n":0}\n{"n":1}\n'
TEXTS = b'"part 0;"\n"part 1;"\n'
EVENTS = b'data: {"n":0}\n\ndata: {"n":1}\n\n'


@both
@pytest.mark.parametrize(
    ("kind", "accept", "content_type", "body"),
    [
        ("text", None, "text/plain", b"part 0;part 1;"),
        ("text", "*/*", "text/plain", b"part 0;part 1;"),
        ("text", "text/event-stream", "text/event-stream", b"data: part 0;\n\ndata: part 1;\n\n"),
        ("text", "application/jsonlines", "application/jsonlines", TEXTS),
        ("text", "application/x-ndjson", "application/x-ndjson", TEXTS),
        ("text", "application/json", "application/json", b'["part 0;","part 1;"]'),
        ("text", "application/json;q=0.1, text/event-stream;q=0.2", "text/event-stream", None),
        ("bytes", None, "application/octet-stream", b"\x00\x01"),
        ("bytes", "text/plain", "text/plain", b"\x00\x01"),
        ("json", None, "application/jsonlines", LINES),
        ("json", "text/event-stream", "text/event-stream", EVENTS),
        ("json", "application/json, text/event-stream", "text/event-stream", EVENTS),
    ],
)
def test_accept_chooses_the_form(
    serve: Serve, path: str, kind: str, accept: str | None, content_type: str, body: bytes | None
) -> None:
    body_in = {"parts": 2, "kind": kind}
    reply = serve("Stream", path).invoke(body_in, Accept=accept) if accept else serve("Stream", path).invoke(body_in)
    assert (reply.status, reply.headers["content-type"]) == (200, content_type)
    assert body is None or reply.body == body
    assert ("content-length" in reply.headers) == (content_type == "application/json")


@some
@pytest.mark.parametrize(
    ("body", "accept", "status"),
    [
        ({"parts": 1, "refuse": True}, "*/*", 400),
        ({"parts": 0, "raise": True}, "text/event-stream", 500),
        ({"parts": 2, "raise": True}, "application/json", 500),
        ({"parts": 1, "kind": "object"}, "text/event-stream", 500),
        ({"parts": 1, "kind": "json"}, "text/plain", 406),
        ({"parts": 1, "kind": "bytes"}, "application/json", 406),
        ({"parts": 0}, "image/png", 406),
        ({"parts": 0}, "text/plain", 200),
        ({"parts": 0}, "*/*", 200),
        ({"parts": 0}, "text/event-stream", 200),
    ],
)
def test_what_goes_wrong_before_the_first_part_has_its_status(
    serve: Serve, predictor: str, path: str, body: object, accept: str, status: int
) -> None:
    reply = serve(predictor, path).invoke(body, Accept=accept, X_Amzn_SageMaker_Inference_Id="id-1")
    assert reply.status == status
    assert b"secret" not in reply.body
    if status != 200:
        assert reply.error["inference_id"] == "id-1"
    if status in (400, 500):  # the predictor was asked, and has said so before it failed
        assert reply.headers["x-amzn-sagemaker-custom-attributes"] == "id=id-1"


@some
@pytest.mark.parametrize(
    ("accept", "last"),
    [
        ("text/event-stream", b'event: error\ndata: {"error":{"code":"predict"'),
        ("application/jsonlines", b'{"error":{"code":"predict"'),
        ("text/plain", b"part 1;"),
    ],
)
def test_what_goes_wrong_later_ends_the_stream_visibly(
    serve: Serve, predictor: str, path: str, accept: str, last: bytes
) -> None:
    server = serve(predictor, path)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    fields = {"Content-Type": "application/json", "Accept": accept}
    connection.request("POST", "/invocations", json.dumps({"parts": 2, "raise": True}), fields)
    with pytest.raises(http.client.IncompleteRead) as broken:
        connection.getresponse().read()
    assert last in broken.value.partial
    assert b"secret" not in broken.value.partial
    connection.close()
    assert server.invoke({"parts": 1}).status == 200


@some
def test_a_part_that_no_frame_can_carry_ends_the_stream_visibly(serve: Serve, predictor: str, path: str) -> None:
    server = serve(predictor, path)
    before = server.model_pids()
    with RawClient(server.port) as client:
        client.ask({"parts": 2, "kind": "huge"})
        assert client.head()[0] == 200
        assert client.chunk()
        with pytest.raises(EOFError):
            list(client.chunks())
    assert server.invoke({"parts": 1}).status == 200
    assert server.model_pids() == before


@every
def test_a_client_that_leaves_ends_the_generator(serve: Serve, predictor: str, path: str) -> None:
    server = serve(predictor, path)
    before = server.model_pids()
    for number in range(3):
        with RawClient(server.port) as client:
            client.ask({"parts": -1, "seconds": 0.002}, f"{ID}: left-{path}-{number}")
            assert client.head()[0] == 200
            assert client.chunk()
    wait_until(lambda: {f"left-{path}-{n}" for n in range(3)} <= set(closed(server)), 10, lambda: closed(server))
    assert server.invoke({"parts": 1}).status == 200
    assert server.model_pids() == before


@both
def test_a_client_that_leaves_interrupts_an_async_generator_that_awaits(serve: Serve, path: str) -> None:
    server = serve("AsyncStream", path)
    with RawClient(server.port) as client:
        client.ask({"parts": -1, "pause": 60}, f"{ID}: awaits-{path}")
        assert client.head()[0] == 200
        assert client.chunk()
    wait_until(lambda: f"awaits-{path}" in closed(server), 10)
    assert server.invoke({"parts": 1}).status == 200
    told = [json.loads(line) for line in server.log.splitlines() if f'"awaits-{path}"' in line]
    assert all(line.get("status") == 499 for line in told), "the interruption is no error"


@pytest.mark.parametrize(("predictor", "path"), [("Stream", "0"), ("Stream", "1"), ("Returns", "1")])
def test_a_client_that_leaves_before_the_first_part_ends_the_generator_too(
    serve: Serve, predictor: str, path: str
) -> None:
    server = serve(predictor, path)
    with RawClient(server.port) as client:
        client.ask({"parts": -1, "seconds": 0.3}, f"{ID}: early-{path}")
        wait_until(lambda: b'state="busy"} 1' in server.request("GET", "/metrics").body, 5)
    wait_until(lambda: f"early-{path}" in closed(server), 10)


@pytest.mark.parametrize("cling", [False, True], ids=["interrupted", "clinging"])
@pytest.mark.parametrize(("predictor", "path"), [("Coroutine", "1"), ("Coroutine", "0"), ("ReturnsCoroutine", "1")])
def test_a_client_that_leaves_interrupts_a_coroutine_and_its_place_is_free(
    predictor: str, path: str, cling: bool, tmp_path: Path
) -> None:
    told = tmp_path / "log.told"
    with running(
        f"core:{predictor}",
        tmp_path / "log",
        ARGOSY_SHORT_PATH=path,
        ARGOSY_CONCURRENCY="1",
        TEST_TOLD=str(told),
    ) as server:
        before = server.model_pids()
        with RawClient(server.port) as client:
            client.ask({"do": "wait", "cling": cling}, f"{ID}: left", "Accept: image/png, application/json")
            wait_until(lambda: told.exists() and "begun left" in told.read_text(), 10)
        wait_until(lambda: closed(server) == ["left"], 10)
        assert server.invoke({"do": "nothing"}).status == 200, "there is one place, and it is free"
        counts = exposition.read(server.request("GET", "/metrics").body)["argosy_invocations_total"]
        assert counts.value("argosy_invocations_total", status="499") == 1
        assert counts.value("argosy_invocations_total", status="200") == 1
        assert server.model_pids() == before
        assert "predictor-raised" not in server.log, "the interruption is no error"


def test_a_coroutine_that_is_too_late_is_interrupted_and_its_place_is_free(tmp_path: Path) -> None:
    told = str(tmp_path / "log.told")
    with running(
        "core:Coroutine", tmp_path / "log", ARGOSY_DEADLINE_S="1", ARGOSY_CONCURRENCY="1", TEST_TOLD=told
    ) as server:
        before = server.model_pids()
        reply = server.invoke({"do": "wait"}, X_Amzn_SageMaker_Inference_Id="late")
        assert (reply.status, reply.error["code"]) == (503, "deadline-exceeded")
        assert server.invoke({"do": "nothing"}).status == 200
        assert closed(server) == ["late"]
        assert server.model_pids() == before
        assert "stuck" not in server.log


@every
def test_a_client_that_reads_nothing_makes_the_generator_wait(serve: Serve, predictor: str, path: str) -> None:
    server = serve(predictor, path)
    with RawClient(server.port, 4096) as client:
        # The second stream of the connection may not pile up behind the first.
        begun = 1 if path == "0" or predictor.startswith("Returns") else 2
        endless = {"parts": -1, "kind": "bytes", "size": 20_000}
        client.socket.sendall(request(endless, f"{ID}: slow-{path}") * 2)
        assert client.head()[0] == 200
        time.sleep(0.2)  # the time in which an endless generator would make hundreds of megabytes
        assert pss_mb(server.popen.pid) < 100
        if predictor not in ("Returns", "ReturnsAsync"):
            assert server.invoke({"parts": 1}).status == 200
    wait_until(lambda: closed(server).count(f"slow-{path}") == begun, 10)
    wait_until(lambda: server.invoke({"parts": 1}).status == 200, 10)
    assert pss_mb(server.popen.pid) < 100


def pss_mb(pid: int) -> float:
    fields = dict(line.split(":") for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:])
    return int(fields["Pss"].split()[0]) / 1024


@both
def test_a_slow_client_gets_everything_in_the_end(serve: Serve, path: str) -> None:
    server = serve("Stream", path)
    with RawClient(server.port, 4096) as client:
        client.ask({"parts": 400, "kind": "bytes", "size": 5000})
        assert client.head()[0] == 200
        time.sleep(0.1)  # slow on purpose
        whole = b"".join(client.chunks())
    assert whole == b"".join(bytes([number % 256]) * 5000 for number in range(400))


@some
def test_what_is_asked_behind_a_stream_is_answered_behind_it(serve: Serve, predictor: str, path: str) -> None:
    server = serve(predictor, path)
    with RawClient(server.port) as client:
        sizes = [3, 1, 0, 40, 2]
        for size in sizes:
            client.ask({"parts": size}, "Accept: text/event-stream", f"{ID}: n{size}")
        client.socket.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
        client.ask({"parts": 2}, "Accept: application/json")
        for size in sizes:
            status, fields = client.head()
            assert status == 200
            if "content-length" in fields:
                assert (size, fields["content-length"]) == (0, "0")
                continue
            assert fields["x-amzn-sagemaker-custom-attributes"] == f"id=n{size}"
            text = b"".join(client.chunks())
            assert text == b"".join(b"data: part %d;\n\n" % number for number in range(size))
        assert client.head()[0] == 200
        _, fields = client.head()
        assert client.stream.read(int(fields["content-length"])) == b'["part 0;","part 1;"]'


@both
@pytest.mark.parametrize("predictor", ["Stream", "AsyncStream"])
def test_64_streams_at_once(serve: Serve, predictor: str, path: str, tmp_path: Path) -> None:
    server = serve(predictor, path)
    seconds = {"seconds": 0.001} if predictor == "AsyncStream" else {"wait": str(tmp_path / "go")}
    clients = [RawClient(server.port) for _ in range(64)]
    for client in clients:
        client.ask({"parts": 5, **seconds})
    for client in clients:
        assert client.head()[0] == 200
        assert client.chunk() == b"part 0;"
    (tmp_path / "go").touch()
    for client in clients:
        with client:
            assert b"".join(client.chunks()) == b"part 1;part 2;part 3;part 4;"


@both
def test_a_connection_that_closes_ends_behind_its_stream(serve: Serve, path: str) -> None:
    with RawClient(serve("Stream", path).port) as client:
        client.ask({"parts": 2}, "Connection: close")
        assert client.head()[0] == 200
        assert list(client.chunks()) == [b"part 0;", b"part 1;"]
        assert client.stream.read() == b""


def test_coroutines_run_beside_each_other(serve: Serve) -> None:
    server = serve("Coroutine", "1")
    with ThreadPoolExecutor(2) as pool:
        first, second = (
            pool.submit(server.invoke, {"do": "meet"}, X_Amzn_SageMaker_Inference_Id=name) for name in ("a", "b")
        )
        assert [first.result().body, second.result().body] == [b'{"id":"a"}', b'{"id":"b"}']


@both
def test_what_a_coroutine_raises_is_500(serve: Serve, path: str) -> None:
    server = serve("Coroutine", path)
    assert server.invoke({"do": "raise"}).status == 500
    assert server.invoke({"do": "cancel"}, timeout=5).status == 500
    assert server.invoke({"do": "nothing"}).status == 200


@both
def test_sigterm_lets_streams_come_to_their_end(path: str, tmp_path: Path) -> None:
    with (
        running("core:Stream", tmp_path / "log", ARGOSY_SHORT_PATH=path) as server,
        RawClient(server.port) as client,
    ):
        client.ask({"parts": 3, "wait": str(tmp_path / "go")})
        assert client.head()[0] == 200
        assert client.chunk() == b"part 0;"
        server.terminate()
        wait_until(lambda: '"event":"draining"' in server.log, 10)
        (tmp_path / "go").touch()
        assert list(client.chunks()) == [b"part 1;", b"part 2;"]
        assert server.popen.wait(20) == 0


@pytest.mark.parametrize(("predictor", "path"), [("Stream", "0"), ("Returns", "1")])
def test_a_stream_has_a_deadline_and_its_process_lives_on(predictor: str, path: str, tmp_path: Path) -> None:
    with running(
        f"core:{predictor}",
        tmp_path / "log",
        ARGOSY_SHORT_PATH=path,
        ARGOSY_STREAM_DEADLINE_S="1",
        ARGOSY_DEADLINE_S="1",
        TEST_TOLD=str(tmp_path / "log.told"),
    ) as server:
        before = server.model_pids()
        with RawClient(server.port) as client:
            client.ask({"parts": -1, "seconds": 0.02}, f"{ID}: late")
            assert client.head()[0] == 200
            with pytest.raises(EOFError):
                list(client.chunks())
        wait_until(lambda: "late" in closed(server), 5)
        assert server.invoke({"parts": 1}).status == 200
        assert server.model_pids() == before
        assert "stuck" not in server.log


@pytest.mark.parametrize(
    ("predictor", "blocks", "quick"),
    [
        ("Coroutine", {"do": "block", "seconds": 60}, {"do": "nothing"}),
        ("Stream", {"parts": 1, "lock": 60}, {"parts": 1}),
    ],
)
def test_a_process_that_is_held_up_is_replaced_while_others_trickle_in(
    predictor: str, blocks: object, quick: object, tmp_path: Path
) -> None:
    with (
        running(f"core:{predictor}", tmp_path / "log", ARGOSY_DEADLINE_S="1") as server,
        ThreadPoolExecutor(33) as pool,
    ):
        (before,) = server.model_pids()
        culprit = pool.submit(server.invoke, blocks)
        others: list[Future[Reply]] = []

        def is_replaced() -> bool:
            if len(others) < 30:  # never as many as the process has places
                others.append(pool.submit(server.invoke, quick))
            time.sleep(0.2)  # a trickle
            return server.model_pids() not in ([], [before])

        wait_until(is_replaced, 6, lambda: server.log)
        reply = culprit.result()
        assert (reply.status, reply.error["code"]) == (503, "deadline-exceeded")
        assert {other.result().status for other in others} <= {200, 503}
        wait_until(lambda: server.invoke(quick).status == 200, 10)
        assert server.log.count('"event":"stuck"') == 1
        assert not is_alive(before)


def test_a_process_that_is_busy_for_many_deadlines_is_not_stuck(tmp_path: Path) -> None:
    with running("core:Coroutine", tmp_path / "log", ARGOSY_DEADLINE_S="1") as server:
        before = server.model_pids()
        for _ in range(5):
            assert server.invoke({"do": "sleep", "seconds": 0.7}).status == 200
        assert server.model_pids() == before
        assert "stuck" not in server.log


@pytest.mark.parametrize("predictor", ["Stream", "Returns"])
def test_no_paused_stream_outlives_a_front_that_is_killed(predictor: str, tmp_path: Path) -> None:
    with running(f"core:{predictor}", tmp_path / "log") as server, RawClient(server.port, 4096) as client:
        client.ask({"parts": -1, "kind": "bytes", "size": 20_000})
        assert client.head()[0] == 200
        time.sleep(0.1)  # by then it waits for this client
        (model,) = server.model_pids()
        server.popen.kill()
        wait_until(lambda: not is_alive(model), 10)
