"""Conversations over WebSocket: a real server, a real client, one message in and one message out."""

import asyncio
import json
import os
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.serving import frames
from argosy.serving.frames import PIECE, FrameReader, PieceKind
from argosy.serving.front import bidirectional
from argosy.serving.front.asgi import Message
from argosy.serving.model.window import MESSAGES
from argosy.serving.pool.model_link import LinkOwner, ModelLink
from argosy.serving.pool.pool import Pool
from tests.serving.front import exposition
from tests.serving.server_process import Reply, ServerProcess, running, wait_until
from tests.serving.web_socket_client import PATH, Closed, RefusedError, WebSocketClient

KINDS = ("Conversing", "ConversingAsync", "ConversingParts")
HANDSHAKE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec_WebSocket_Version": "13",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("bidirectional") / "log"
    with running("conversing:Conversing", log, ARGOSY_MAX_BODY_MB="2") as server:
        yield server


@pytest.fixture(scope="module", autouse=True)
def clinging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Left by its client before the first test of this file and judged after the last: nobody waits for it."""
    with running("conversing:Clinging", tmp_path_factory.mktemp("clinging") / "log") as server:
        client = WebSocketClient(server.port)
        assert client.receive() == "again"
        client.vanish()
        with WebSocketClient(server.port) as other:
            assert other.receive() == "again", "it holds up nobody"
        assert server.invoke({}).status == 200
        yield server


@pytest.fixture(scope="module", autouse=True)
def stopping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, WebSocketClient]]:
    """Told to stop before the first test, in the midst of a conversation, and judged after the last."""
    log = tmp_path_factory.mktemp("stopping") / "log"
    with running("conversing:Conversing", log) as server, WebSocketClient(server.port, timeout=60) as client:
        assert client.ask("before") == "before"
        server.terminate()
        yield server, client


def upgraded(server: ServerProcess, path: str, **headers: str) -> Reply:
    """A request for an upgrade that is answered otherwise."""
    return server.request("GET", path, None, 30, **{**HANDSHAKE, **headers})


def endings(server: ServerProcess) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    return [line for line in lines if line["event"] == "conversation"]


@given(st.sampled_from(PieceKind), st.integers(0, 2**32 - 1), st.binary(max_size=200))
def test_a_piece_survives_the_link(kind: PieceKind, number: int, body: bytes) -> None:
    ((count, payload),) = FrameReader().feed(frames.pack_piece(kind, number, body))
    assert count & PIECE
    assert frames.unpack_piece(count, payload) == (kind, number, body)


@given(st.integers(1000, 4999), st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_reason_is_cut_to_what_a_close_frame_holds(code: int, reason: str) -> None:
    told = frames.pack_close(code, reason)
    assert len(told) <= 125
    found, kept = frames.unpack_close(told)
    assert (found, reason.startswith(kept)) == (code, True)
    assert kept == reason or len(told) > 125 - 4


def test_what_takes_longer_than_the_platform_allows_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bidirectional, "LONGEST_S", 0.01)
    sent: list[Message] = []

    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def send(message: Message) -> None:
        sent.append(message)

    async def hold() -> bidirectional.Ending:
        link = ModelLink(cast("LinkOwner", None), 1, 0)
        return await bidirectional.Conversation(link, b"\n").hold(receive, send)

    ending = asyncio.run(hold())
    assert ending.code == 1008
    assert sent == [
        {"type": "websocket.accept"},
        {"type": "websocket.close", "code": 1008, "reason": "the conversation took longer than 0.01 s"},
    ]


def test_an_upgrade_of_another_path_is_404_whoever_lets_it_through() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    route = bidirectional.Bidirectional(cast("Pool", None), 1)
    asyncio.run(route.converse({"path": "/elsewhere", "headers": []}, receive, send))
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent[0]["status"] == 404


@pytest.mark.parametrize("kind", KINDS)
def test_text_and_binary_come_back_as_they_are_beside_invocations(kind: str, tmp_path: Path) -> None:
    with running(f"conversing:{kind}", tmp_path / "log") as server, WebSocketClient(server.port) as client:
        assert client.ask("grüße 🎷") == "grüße 🎷"
        assert server.invoke({"a": 1}).status == 200
        assert client.ask(bytes(range(256))) == bytes(range(256))
        assert client.ask("") == ""
        assert client.ask(b"") == b""
        assert server.invoke({"a": 2}).status == 200
        assert client.close().code == 1000


@pytest.mark.parametrize("kind", KINDS)
def test_messages_larger_than_what_a_socket_holds_are_whole(kind: str, tmp_path: Path) -> None:
    with running(f"conversing:{kind}", tmp_path / "log") as server, WebSocketClient(server.port) as client:
        client.send("/flood 3 16000000")
        for number in range(3):
            assert client.receive() == number.to_bytes(4, "big") * 4_000_000


def test_frames_of_one_message_are_one_item_and_pings_are_answered(server: ServerProcess) -> None:
    with WebSocketClient(server.port) as client:
        client.send_parts([b"a" * 70_000, b"", b"b" * 70_000])
        assert client.receive() == b"a" * 70_000 + b"b" * 70_000
        client.send_parts(["ein", " ", "satz"])
        assert client.receive() == "ein satz"
        assert client.pongs == [b"between", b"between"]


def test_the_order_is_kept(server: ServerProcess) -> None:
    messages: list[str | bytes] = [str(i) if i % 3 else str(i).encode() for i in range(5 * MESSAGES)]
    with WebSocketClient(server.port) as client:
        for message in messages:
            client.send(message)
        assert [client.receive() for _ in messages] == messages


def test_a_message_may_be_as_large_as_a_body_and_no_larger(server: ServerProcess) -> None:
    limit = 2 * 1024 * 1024
    with WebSocketClient(server.port) as client:
        for size in (1_000_000, limit):
            assert client.ask(b"x" * size) == b"x" * size
        client.send(b"x" * (limit + 1))
        assert client.receive() == Closed(1009, f"a message may have at most {limit} bytes")
    with WebSocketClient(server.port) as client:
        client.send_parts(["x" * limit, "x" * limit])
        assert client.receive_close().code == 1009


def test_the_predictor_is_told_what_the_upgrade_said(server: ServerProcess) -> None:
    with WebSocketClient(
        server.port,
        PATH + "?language=de&model=large",
        X_Amzn_SageMaker_Inference_Id="call-17",
        X_Amzn_SageMaker_Custom_Attributes="trace=yes",
    ) as client:
        found = client.ask("/told")
        assert isinstance(found, str)
        assert json.loads(found) == ["call-17", "trace=yes", "language=de&model=large"]
        client.close()
    wait_until(lambda: any(line["inference_id"] == "call-17" for line in endings(server)), 10)
    line = next(line for line in endings(server) if line["inference_id"] == "call-17")
    counts = (line["code"], line["messages_in"], line["bytes_in"], line["messages_out"], line["bytes_out"])
    assert counts == (1000, 1, len("/told"), 1, len(found))


def test_fifty_conversations_at_once_beside_invocations(tmp_path: Path) -> None:
    with running("conversing:Conversing", tmp_path / "log", ARGOSY_WORKERS="2") as server, ExitStack() as stack:
        wait_until(lambda: b'argosy_model_processes{state="loading"} 0' in metrics(server), 30)
        clients = [stack.enter_context(WebSocketClient(server.port)) for _ in range(50)]
        found = [client.ask("/pid") for client in clients]
        assert sorted(found.count(pid) for pid in set(found)) == [25, 25], "the least loaded process takes the next"
        assert b"argosy_conversations 50\n" in metrics(server)
        with ThreadPoolExecutor(1) as pool:
            replies = pool.submit(lambda: [server.invoke({"n": n}).status for n in range(20)])
            for turn in range(20):
                for number, client in enumerate(clients):
                    client.send(f"{number} {turn}")
                answers = [client.receive() for client in clients]
                assert answers == [f"{number} {turn}" for number in range(50)]
            assert replies.result() == [200] * 20
        for client in clients:
            assert client.close().code == 1000
        wait_until(lambda: b"argosy_conversations 0\n" in metrics(server), 10)
        families = exposition.read(metrics(server))
        assert families["argosy_conversations_total"].value("argosy_conversations_total", code="1000") == 50


def metrics(server: ServerProcess) -> bytes:
    return server.request("GET", "/metrics").body


def test_a_conversation_goes_on_while_predict_works(server: ServerProcess, tmp_path: Path) -> None:
    with WebSocketClient(server.port) as client, ThreadPoolExecutor(1) as pool:
        pid = server.invoke({}).body
        assert client.ask("first") == "first"
        slow = pool.submit(server.invoke, {"seconds": 3})
        for turn in range(200):
            assert client.ask(str(turn)) == str(turn)
        assert not slow.done()
        assert slow.result().status == 200
        assert pid


def test_the_generators_end_closes_with_1000(tmp_path: Path) -> None:
    with running("conversing:Ending", tmp_path / "log") as server, WebSocketClient(server.port) as client:
        client.send("one")
        client.send("two")
        assert client.receive() == "one"
        assert client.receive() == Closed(1000, "")


@pytest.mark.parametrize("is_rude", [False, True], ids=["closes", "vanishes"])
def test_a_client_that_leaves_ends_the_generator(is_rude: bool, tmp_path: Path) -> None:
    with running("conversing:Conversing", tmp_path / "log") as server:
        with WebSocketClient(server.port) as client:
            assert client.ask("here") == "here"
            if is_rude:
                client.vanish()
            else:
                assert client.close() == Closed(1000, "done")
        wait_until(lambda: "the client has left\nthe generator is closed\n" in server.log, 10)
        wait_until(lambda: b"argosy_conversations 0\n" in metrics(server), 10)
        assert server.invoke({}).status == 200


@pytest.mark.parametrize(
    ("word", "code", "reason"),
    [
        ("/raise", 1011, "the predictor raised `RuntimeError`"),
        ("/cancelled", 1011, "the predictor raised `CancelledError`"),
        ("/number", 1011, "a message is neither text nor bytes"),
        ("/huge", 1011, "the answer, or a part of it, is too large: got 4294967296 bytes"),
        ("/surrogate", 1011, "the predictor raised `UnicodeEncodeError`"),
        ("/refuse", 1008, "this is no audio: want 16 kHz"),
    ],
)
def test_what_the_predictor_raises_is_a_code_and_no_story(
    word: str, code: int, reason: str, server: ServerProcess
) -> None:
    with WebSocketClient(server.port) as client, WebSocketClient(server.port) as other:
        found = client.ask(word)
        assert isinstance(found, Closed)
        assert (found.code, found.reason.startswith(reason)) == (code, True), found
        assert "secret" not in found.reason
        assert other.ask("still here") == "still here"
    if word == "/raise":
        assert "RuntimeError: the weights are in /secret/place" in server.log


def test_an_invocation_beside_a_conversation_that_kills_is_asked_again(tmp_path: Path) -> None:
    until = tmp_path / "until"
    with (
        running("conversing:ConversingAsync", tmp_path / "log") as server,
        WebSocketClient(server.port) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        invoked = pool.submit(server.invoke, {"until": str(until)})
        wait_until(lambda: server.log.count("an invocation waits") == 1, 10)
        client.send("/exit")
        wait_until(lambda: server.log.count("an invocation waits") == 2, 10)
        until.touch()
        assert invoked.result().status == 200


@pytest.mark.parametrize("is_killed", [True, False], ids=["kill -9", "exit"])
def test_a_process_that_dies_closes_its_conversations_with_1011(is_killed: bool, tmp_path: Path) -> None:
    with (
        running("conversing:Conversing", tmp_path / "log") as server,
        WebSocketClient(server.port) as client,
        WebSocketClient(server.port) as other,
    ):
        assert client.ask("before") == "before"
        if is_killed:
            os.kill(server.model_pids()[0], signal.SIGKILL)
        else:
            client.send("/exit")
        for each in (client, other):
            assert each.receive() == Closed(1011, "the model process ended")
        server.wait_ready()
        with WebSocketClient(server.port) as next_one:
            assert next_one.ask("after") == "after"


@pytest.mark.parametrize("kind", KINDS)
def test_a_process_whose_conversations_are_held_up_is_replaced(kind: str, tmp_path: Path) -> None:
    with (
        running(f"conversing:{kind}", tmp_path / "log", ARGOSY_DEADLINE_S="1") as server,
        WebSocketClient(server.port) as client,
        WebSocketClient(server.port) as other,
    ):
        assert [client.ask("before"), other.ask("before")] == ["before", "before"]
        client.send("/block")
        for each in (client, other):
            assert each.receive() == Closed(1011, "the model process ended")
        server.wait_ready()
        with WebSocketClient(server.port) as next_one:
            assert next_one.ask("after") == "after"
        assert server.invoke({}).status == 200
        assert server.log.count('"event":"stuck"') == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_conversation_of_many_deadlines_is_not_stuck(kind: str, tmp_path: Path) -> None:
    with (
        running(f"conversing:{kind}", tmp_path / "log", ARGOSY_DEADLINE_S="1") as server,
        WebSocketClient(server.port) as client,
    ):
        for number in range(5):
            assert client.ask(str(number)) == str(number)
            assert server.invoke({"seconds": 0.7}).status == 200
        assert client.close().code == 1000
        assert "stuck" not in server.log


def test_sigterm_lets_conversations_come_to_their_end(tmp_path: Path) -> None:
    with running("conversing:Conversing", tmp_path / "log") as server, WebSocketClient(server.port) as client:
        assert client.ask("before") == "before"
        server.terminate()
        wait_until(lambda: server.ping() == 503, 10)
        with pytest.raises(RefusedError) as refused:
            WebSocketClient(server.port)
        assert refused.value.status == 503
        assert client.ask("after") == "after"
        assert client.close().code == 1000
        assert server.popen.wait(10) == 0


def test_not_ready_is_503_before_the_upgrade(tmp_path: Path) -> None:
    with running("SlowLoad", tmp_path / "log", wait=False, TEST_LOAD_SECONDS="30") as server:
        wait_until(lambda: can_connect(server.port), 20)
        with pytest.raises(RefusedError) as refused:
            WebSocketClient(server.port)
        assert (refused.value.status, json.loads(refused.value.body)["error"]["code"]) == (503, "unavailable")
        assert server.request("GET", PATH).status == 503


def can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("short_path", ["1", "0"])
def test_without_converse_there_is_no_such_path(short_path: str, tmp_path: Path) -> None:
    with running("EchoText", tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server:
        with pytest.raises(RefusedError) as refused:
            WebSocketClient(server.port)
        assert refused.value.status == 404
        assert server.request("GET", PATH).status == 404
        assert server.request("POST", PATH).status == 405


@pytest.mark.parametrize("short_path", ["1", "0"])
def test_only_an_upgrade_of_this_path_is_one(short_path: str, tmp_path: Path) -> None:
    with running("conversing:Conversing", tmp_path / "log", ARGOSY_SHORT_PATH=short_path) as server:
        plain = server.request("GET", PATH)
        assert (plain.status, plain.headers["upgrade"]) == (426, "websocket")
        assert upgraded(server, "/ping").status == 200
        assert upgraded(server, "/elsewhere").status == 404
        assert upgraded(server, PATH, Sec_WebSocket_Version="8").status == 426
        assert server.request("POST", PATH, b"body", Connection="Upgrade", Upgrade="websocket").status == 405
        long = {f"X_Amzn_SageMaker_{name}": "x" * 10_000 for name in ("Custom_Attributes", "Inference_Id")}
        assert upgraded(server, PATH, **long).status == 431
        with WebSocketClient(server.port) as client:
            assert client.ask("hello") == "hello"


def test_one_more_than_there_may_be_is_refused_until_one_ends(tmp_path: Path) -> None:
    with running("conversing:Conversing", tmp_path / "log", ARGOSY_CONCURRENCY="1") as server:
        with WebSocketClient(server.port) as client:
            assert client.ask("first") == "first"
            with pytest.raises(RefusedError) as refused:
                WebSocketClient(server.port)
            assert (refused.value.status, json.loads(refused.value.body)["error"]["code"]) == (503, "overloaded")
            client.close()
        wait_until(lambda: b"argosy_conversations 0\n" in metrics(server), 10)
        with WebSocketClient(server.port) as client:
            assert client.ask("second") == "second"


def test_without_the_library_all_else_works(tmp_path: Path) -> None:
    """A finder that knows no `wsproto`, in all processes of the server."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import sys\nsys.modules['wsproto'] = None\n")
    command = ("env", f"PYTHONPATH={site}")
    with running("conversing:Conversing", tmp_path / "log", under=command) as server:
        assert server.invoke({"a": 1}).status == 200
        assert server.request("GET", PATH).status == 501
        assert upgraded(server, PATH).status == 501
        assert '"no-conversations"' in server.log
        assert "Traceback" not in server.log


def test_a_converse_that_is_no_generator_is_a_load_error(tmp_path: Path) -> None:
    with running("conversing:NotAGenerator", tmp_path / "log", wait=False) as server:
        assert server.popen.wait(30) == 1
        assert "`converse` is not an async generator method" in server.log


def test_a_slow_reader_pauses_the_generator(server: ServerProcess) -> None:
    count, size = 1000, 65_536
    with WebSocketClient(server.port) as client:
        client.send(f"/flood {count} {size}")
        seen = [0]
        wait_until(lambda: is_still(server, seen), 30)
        assert 0 < seen[-1] < count // 2
        with WebSocketClient(server.port) as other:
            assert other.ask("others go on") == "others go on"
        for number in range(count):
            assert client.receive() == number.to_bytes(4, "big") * (size // 4)


def is_still(server: ServerProcess, seen: list[int]) -> bool:
    """Whether the generator has yielded nothing more for ten looks."""
    seen.append(json.loads(server.invoke({}).body)["yielded"])
    return seen[-1] > 0 and len(seen) > 10 and len(set(seen[-10:])) == 1


def test_a_slow_predictor_pauses_the_client(server: ServerProcess, tmp_path: Path) -> None:
    message = b"x" * 65_536
    with WebSocketClient(server.port) as client:
        client.send(f"/until {tmp_path / 'there'}")
        sent = count_until_blocked(client, message, 2000)
        assert 0 < sent < 2000, "the server reads on without end"
        (tmp_path / "there").touch()
        assert client.receive() == "it is there"
        for _ in range(sent):
            assert client.receive() == message


def count_until_blocked(client: WebSocketClient, message: bytes, most: int) -> int:
    """Send until the server takes no more; the message that was begun then stays without its end."""
    client.socket.settimeout(1)
    sent = 0
    with suppress(TimeoutError):
        while sent < most:
            client.send(message)
            sent += 1
    client.socket.settimeout(30)
    return sent


def test_a_generator_that_never_ends_is_cut_off(clinging: ServerProcess) -> None:
    wait_until(lambda: "the generator is closed" in clinging.log, 20)
    wait_until(lambda: b"argosy_conversations 0\n" in metrics(clinging), 10)
    assert clinging.invoke({}).status == 200


def test_what_goes_on_for_too_long_after_sigterm_is_closed_with_1001(
    stopping: tuple[ServerProcess, WebSocketClient],
) -> None:
    server, client = stopping
    assert client.receive_close() == Closed(1001, "the server is stopping")
    assert server.popen.wait(5) == 0


def test_a_task_that_reads_on_when_its_conversation_is_over_disturbs_nobody(tmp_path: Path) -> None:
    with running("conversing:Reading", tmp_path / "log") as server:
        pid = json.loads(server.invoke({}).body)["pid"]
        with WebSocketClient(server.port) as client:
            for number in range(3):
                client.send(str(number))
            assert client.receive() == "it has begun"
            assert client.receive_close() == Closed(1000, "")
        wait_until(lambda: "all is read" in server.log, 10, lambda: server.log)
        assert json.loads(server.invoke({}).body)["pid"] == pid
