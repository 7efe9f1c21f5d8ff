"""Stateful sessions as a client meets them: real processes."""

import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from argosy.contract import HEADER_SESSION_ID
from argosy.serving.hosting.sessions import MOST
from tests.processes import await_end
from tests.serving.server_process import Reply, ServerProcess, running, wait_until

OPEN = {"requestType": "NEW_SESSION"}
CLOSE = {"requestType": "CLOSE"}
NEW_ID = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*;\sExpires=[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
"""API_runtime_InvokeEndpoint, NewSessionId (read 2026-11-22)."""
TTL = 1200


@pytest.fixture(scope="module", params=["Conversing", "ConversingAsync", "ConversingStream"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("sessions") / "log"
    with running(f"hosted:{request.param}", log, ARGOSY_SESSION_TTL_S=str(TTL), ARGOSY_WORKERS="2") as server:
        server.wait_loaded(2)
        yield server


def ask(server: ServerProcess, body: object, session: str) -> Reply:
    return server.invoke(body, X_Amzn_SageMaker_Session_Id=session)


def told(reply: Reply) -> dict[str, object]:
    assert reply.status == 200, reply
    found: dict[str, object] = json.loads(reply.body)
    return found


def new(server: ServerProcess, body: object = OPEN) -> str:
    reply = ask(server, body, "NEW_SESSION")
    assert reply.status == 200, reply
    return reply.headers["x-amzn-sagemaker-new-session-id"].partition(";")[0]


def test_busy_sessions_do_not_keep_out_who_has_none(tmp_path: Path) -> None:
    with (
        running("hosted:Conversing", tmp_path / "log", ARGOSY_SESSION_TTL_S="60") as server,
        ThreadPoolExecutor(5) as pool,
    ):
        turns: list[str] = []
        is_over = threading.Event()

        def converse(session: str) -> None:
            """One turn after the other, so that one of the sessions always waits."""
            while not is_over.is_set() and len(turns) < 200:
                told(ask(server, {"do": "sleep", "seconds": 0.02}, session))
                turns.append(session)

        busy = [pool.submit(converse, new(server)) for _ in range(4)]
        wait_until(lambda: len(turns) > 8, 10)
        before = len(turns)
        assert server.invoke({}).status == 200
        during = len(turns) - before
        is_over.set()
        for one in busy:
            one.result()
        assert during < 20, "the oldest goes first: those that waited before, and no more"


def test_a_new_session_is_told_under_both_names(server: ServerProcess) -> None:
    before = time.time()
    reply = ask(server, OPEN, "NEW_SESSION")
    value = reply.headers["x-amzn-sagemaker-new-session-id"]
    assert reply.headers == {
        "content-type": "application/json",
        "content-length": str(len(reply.body)),
        "x-amzn-sagemaker-session-id": value,
        "x-amzn-sagemaker-new-session-id": value,
    }
    assert NEW_ID.fullmatch(value)
    assert len(value) <= 256
    expires = time.strptime(value.partition("Expires=")[2], "%Y-%m-%dT%H:%M:%SZ")
    assert before + TTL - 2 <= time.mktime(expires) - time.timezone <= time.time() + TTL + 2
    assert told(reply) == {"sessionId": value.partition(";")[0]}


def test_all_invocations_of_a_session_share_its_state_in_one_process(server: ServerProcess) -> None:
    sessions = [new(server) for _ in range(4)]
    turns = [[told(ask(server, {}, session)) for _ in range(3)] for session in sessions]
    for session, answers in zip(sessions, turns, strict=True):
        assert [answer["turn"] for answer in answers] == [1, 2, 3]
        assert {answer["session"] for answer in answers} == {session}
        assert len({answer["pid"] for answer in answers}) == 1
    assert len({answers[0]["pid"] for answers in turns}) == 2, "they are shared between the processes"


def test_any_other_body_is_predicted_in_the_new_session(server: ServerProcess) -> None:
    first = ask(server, {"a": 1}, "NEW_SESSION")
    session = first.headers["x-amzn-sagemaker-new-session-id"].partition(";")[0]
    assert (told(first)["turn"], told(first)["session"]) == (1, session)
    second = ask(server, {"requestType": "NEW_SESSION", "a": 1}, session)
    assert told(second)["turn"] == 2
    assert "x-amzn-sagemaker-new-session-id" not in second.headers


def test_a_closed_session_is_gone_and_the_predictor_was_told(server: ServerProcess) -> None:
    session = new(server, {})
    reply = ask(server, CLOSE, session)
    assert reply.headers == {
        "content-type": "application/json",
        "content-length": str(len(reply.body)),
        "x-amzn-sagemaker-closed-session-id": session,
    }
    assert told(reply) == {"closedSessionId": session}
    for body in ({}, CLOSE):
        assert (ask(server, body, session).status, ask(server, body, session).error["code"]) == (400, "unknown-session")
    wait_until(lambda: f'{{"closed": "{session}", "turns": 1}}' in server.log, 10, lambda: server.log)


@pytest.mark.parametrize("session", ["a-b", "x" * 256, "NEW_SESSION, NEW_SESSION", "new_session", "é"])
@pytest.mark.parametrize("body", [{}, CLOSE])
def test_an_unknown_session_is_400(server: ServerProcess, session: str, body: object) -> None:
    reply = ask(server, body, session)
    assert (reply.status, reply.error["code"]) == (400, "unknown-session")
    assert session not in reply.error["message"]


def test_there_is_nothing_to_close_in_a_new_session(server: ServerProcess) -> None:
    assert ask(server, CLOSE, "NEW_SESSION").status == 400


def test_without_the_header_field_there_is_no_session(server: ServerProcess) -> None:
    assert told(server.invoke({}))["session"] is None
    assert told(ask(server, {}, ""))["session"] is None


def test_a_refused_invocation_makes_no_session(server: ServerProcess) -> None:
    before = server.log.count('"closed"')
    reply = ask(server, b"{", "NEW_SESSION")
    assert reply.status == 400
    assert not [name for name in reply.headers if "session" in name]
    reply = ask(server, {"do": "refuse"}, "NEW_SESSION")
    assert (reply.status, [name for name in reply.headers if "session" in name]) == (400, [])
    wait_until(lambda: server.log.count('"closed"') > before, 10, lambda: server.log)


def test_a_session_that_is_closed_while_it_is_busy_ends_after_its_last_answer(
    server: ServerProcess, tmp_path: Path
) -> None:
    session = new(server, {})
    begun, until = tmp_path / "begun", tmp_path / "until"
    with ThreadPoolExecutor(1) as pool:
        last = pool.submit(ask, server, {"do": "wait", "begun": str(begun), "until": str(until)}, session)
        wait_until(begun.exists, 10)
        assert ask(server, CLOSE, session).status == 200
        assert ask(server, {}, session).status == 400
        until.touch()
        assert told(last.result())["turn"] == 2
    wait_until(lambda: f'{{"closed": "{session}", "turns": 2}}' in server.log, 10, lambda: server.log)


def test_a_full_queue_of_a_session_is_503_at_once(tmp_path: Path) -> None:
    begun, until = tmp_path / "begun", tmp_path / "until"
    with (
        running("hosted:Conversing", tmp_path / "log", ARGOSY_SESSION_TTL_S=str(TTL), ARGOSY_QUEUE="2") as server,
        ThreadPoolExecutor(6) as pool,
    ):
        session = new(server)
        first = pool.submit(ask, server, {"do": "wait", "begun": str(begun), "until": str(until)}, session)
        wait_until(begun.exists, 10)
        others = [pool.submit(ask, server, {}, session) for _ in range(5)]
        wait_until(lambda: sum(other.done() for other in others) == 3, 10)
        until.touch()
        assert sorted(other.result().status for other in [first, *others]) == [200] * 3 + [503] * 3


def test_an_unused_session_expires(tmp_path: Path) -> None:
    with running("hosted:Conversing", tmp_path / "log", ARGOSY_SESSION_TTL_S="1") as server:
        session = new(server, {})
        wait_until(lambda: f'{{"closed": "{session}", "turns": 1}}' in server.log, 10, lambda: server.log)
        assert ask(server, {}, session).status == 400


def test_no_more_sessions_than_there_may_be(tmp_path: Path) -> None:
    with running("hosted:Conversing", tmp_path / "log", ARGOSY_SESSION_TTL_S="60") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        statuses = []
        for _ in range(MOST + 1):
            connection.request("POST", "/invocations", json.dumps(OPEN), {HEADER_SESSION_ID: "NEW_SESSION"})
            response = connection.getresponse()
            last = response.read()
            statuses.append(response.status)
        connection.close()
        assert statuses == [200] * MOST + [503]
        assert response.headers["retry-after"] == "1"
        assert json.loads(last)["error"]["code"] == "overloaded"
        assert server.invoke({}).status == 200


def test_a_model_process_takes_its_sessions_with_it(tmp_path: Path) -> None:
    with running("hosted:Conversing", tmp_path / "log", ARGOSY_SESSION_TTL_S="60", ARGOSY_WORKERS="2") as server:
        server.wait_loaded(2)
        sessions = [new(server) for _ in range(4)]
        pids = [told(ask(server, {}, session))["pid"] for session in sessions]
        reply = ask(server, {"do": "exit"}, sessions[0])
        assert (reply.status, reply.error["code"]) == (500, "predict")
        for session, pid in zip(sessions, pids, strict=True):
            assert ask(server, {}, session).status == (400 if pid == pids[0] else 200)
        assert server.log.count('"sessions-lost"') == 1, server.log
        assert '"count":2' in server.log
        wait_until(lambda: len(server.model_pids()) == 2 and told(ask(server, {}, "NEW_SESSION")), 10)


def test_a_new_session_needs_a_process_and_disabled_ones_are_refused(tmp_path: Path) -> None:
    with running("hosted:Conversing", tmp_path / "log") as server:
        for session, body in (("NEW_SESSION", OPEN), ("NEW_SESSION", {}), ("a-b", {}), ("a-b", CLOSE)):
            reply = ask(server, body, session)
            assert (reply.status, reply.error["code"]) == (400, "unknown-session")
            assert "not enabled" in reply.error["message"]
        assert server.invoke(CLOSE).status == 200, "without the header field it is the predictor's"
        pids = server.model_pids()
        server.terminate()
        server.popen.wait(20)
        await_end(pids)
