"""The multi-model API as SageMaker speaks it: real processes."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes import await_end, is_alive
from tests.serving.server_process import Reply, ServerProcess, running, wait_until


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("models") / "log"
    with running("hosted:OneOfMany", log, SAGEMAKER_MULTI_MODEL="true") as server:
        yield server


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ServerProcess]:
    with running("hosted:OneOfMany", tmp_path / "log", SAGEMAKER_MULTI_MODEL="true") as server:
        yield server


def folder(base: Path, text: str) -> str:
    made = base / f"{text}-model"
    made.mkdir()
    (made / "text").write_text(text)
    return str(made)


def load(server: ServerProcess, name: str, url: str, target: str = "") -> Reply:
    told = json.dumps({"model_name": name, "url": url}).encode()
    return server.request("POST", "/models", told, X_Amzn_SageMaker_Target_Model=target)


def unload(server: ServerProcess, name: str) -> Reply:
    return server.request("DELETE", f"/models/{name}")


def invoke(server: ServerProcess, name: str, body: object = None) -> Reply:
    text = json.dumps(body or {}).encode()
    return server.request("POST", f"/models/{name}/invoke", text, Content_Type="application/json")


def told(reply: Reply) -> dict[str, object]:
    assert reply.status == 200, reply
    found: dict[str, object] = json.loads(reply.body)
    return found


def pid_of(server: ServerProcess, name: str) -> int:
    pid = told(invoke(server, name))["pid"]
    assert isinstance(pid, int)
    return pid


def listed(server: ServerProcess, query: str = "") -> dict[str, object]:
    return told(server.request("GET", "/models" + query))


def test_a_model_is_loaded_described_invoked_and_unloaded(server: ServerProcess, tmp_path: Path) -> None:
    assert server.ping() == 200, "without any model"
    assert listed(server) == {"models": []}
    assert "/models/{model_name}/invoke" in json.loads(server.request("GET", "/openapi.json").body)["paths"]
    url = folder(tmp_path, "one")
    described = {"modelName": "abc123", "modelUrl": url}
    reply = load(server, "abc123", url)
    assert (told(reply), reply.headers["content-type"]) == (described, "application/json")
    assert listed(server) == {"models": [described]}
    assert told(server.request("GET", "/models/abc123")) == described
    assert told(invoke(server, "abc123"))["text"] == "one"
    pid = pid_of(server, "abc123")
    assert unload(server, "abc123").status == 200
    assert not is_alive(pid), "its memory is free when the answer comes"
    assert listed(server) == {"models": []}
    for reply in (server.request("GET", "/models/abc123"), invoke(server, "abc123"), unload(server, "abc123")):
        assert (reply.status, reply.error["code"]) == (404, "not-loaded")
    assert server.ping() == 200


def test_models_have_their_own_processes_and_are_loaded_once(server: ServerProcess, tmp_path: Path) -> None:
    for name in ("x", "y"):
        assert load(server, name, folder(tmp_path, name)).status == 200
    assert [told(invoke(server, name))["text"] for name in ("x", "y", "x")] == ["x", "y", "x"]
    assert pid_of(server, "x") != pid_of(server, "y")
    reply = load(server, "x", str(tmp_path / "y-model"))
    assert (reply.status, reply.error["code"]) == (409, "conflict")
    metrics = server.request("GET", "/metrics").body.decode()
    assert 'argosy_model_processes{state="idle"} 2\n' in metrics
    page = listed(server, "?limit=1")
    rest = listed(server, f"?next_page_token={page['nextPageToken']}")
    assert (page["models"], rest) == (
        [{"modelName": "x", "modelUrl": str(tmp_path / "x-model")}],
        {"models": [{"modelName": "y", "modelUrl": str(tmp_path / "y-model")}]},
    )
    assert [unload(server, name).status for name in ("x", "y")] == [200, 200]


def test_a_custom_attribute_and_an_error_go_through_like_in_invocations(server: ServerProcess, tmp_path: Path) -> None:
    assert load(server, "plain", folder(tmp_path, "plain")).status == 200
    reply = server.request("POST", "/models/plain/invoke", b"{", Content_Type="application/json")
    assert (reply.status, reply.error["code"]) == (400, "decode")
    reply = server.request("POST", "/models/plain/invoke", b"{}", Content_Type="text/xml")
    assert reply.status == 415
    assert invoke(server, "plain", {"do": "memory"}).status == 507
    assert invoke(server, "plain", {"do": "exit"}).status == 500
    wait_until(lambda: invoke(server, "plain").status == 200, 20)
    assert unload(server, "plain").status == 200


@pytest.mark.parametrize(
    ("text", "status", "code"),
    [
        ("memory", 507, "out-of-memory"),
        ("killed", 507, "out-of-memory"),
        ("broken", 500, "load"),
        ("exit", 500, "load"),
    ],
)
def test_what_cannot_be_loaded_leaves_nothing_behind(
    server: ServerProcess, tmp_path: Path, text: str, status: int, code: str
) -> None:
    url = folder(tmp_path, text)
    for _ in range(2):
        reply = load(server, "secret-name", url)
        assert (reply.status, reply.error["code"]) == (status, code)
        assert "secret" not in reply.error["message"]
        assert "\n" not in reply.error["message"]
    assert (listed(server), server.ping()) == ({"models": []}, 200)
    (Path(url) / "text").write_text("mended")
    assert load(server, "secret-name", url).status == 200
    assert unload(server, "secret-name").status == 200
    assert server.model_pids() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"url": "/tmp"}',
        b'{"model_name": "x"}',
        b'{"model_name": "", "url": "/tmp"}',
        b'{"model_name": "a/b", "url": "/tmp"}',
        b'{"model_name": 1, "url": "/tmp"}',
        b'{"model_name": "x", "url": "tmp"}',
        b'{"model_name": "x", "url": "/not-there"}',
        b'{"model_name": "x", "url": "/tmp/\\u0000"}',
        b'{"model_name": "x", "url": "/' + b"a" * 5000 + b'"}',
        b'{"model_name": "x", "url": "/etc/hostname"}',
    ],
)
def test_what_is_wrong_with_the_request_is_400(server: ServerProcess, body: bytes) -> None:
    reply = server.request("POST", "/models", body)
    assert (reply.status, reply.error["code"]) == (400, "decode")


def test_other_methods_and_paths(server: ServerProcess) -> None:
    assert server.request("PUT", "/models").status == 405
    assert server.request("GET", "/models/x/invoke").headers["allow"] == "POST"
    assert server.request("POST", "/models/x").headers["allow"] == "GET, DELETE"
    assert server.request("GET", "/models/x/y").status == 404
    assert server.request("GET", "/models/").status == 404
    assert server.request("GET", "/adapters").status == 404


def test_invocations_take_the_target_model(server: ServerProcess, tmp_path: Path) -> None:
    assert load(server, "hash", folder(tmp_path, "aimed"), "models/a.tar.gz").status == 200
    for target in ("hash", "models/a.tar.gz"):
        assert told(server.invoke({}, X_Amzn_SageMaker_Target_Model=target))["text"] == "aimed"
    assert server.invoke({}, X_Amzn_SageMaker_Target_Model="b.tar.gz").status == 404
    assert server.invoke({}).status == 404
    assert unload(server, "hash").status == 200


def test_a_model_is_not_there_while_it_loads_and_can_be_given_up(server: ServerProcess, tmp_path: Path) -> None:
    url = folder(tmp_path, "wait")
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load, server, "slow", url)
        wait_until((Path(url) / "begun").exists, 20)
        assert load(server, "slow", url).status == 409
        assert listed(server) == {"models": []}
        assert invoke(server, "slow").status == 404
        assert server.ping() == 200
        assert unload(server, "slow").status == 200
        assert (loading.result().status, loading.result().error["code"]) == (500, "load")
    wait_until(lambda: server.model_pids() == [], 20)


def test_each_model_has_its_sessions(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running("hosted:Conversing", log, SAGEMAKER_MULTI_MODEL="true", ARGOSY_SESSION_TTL_S="60") as server:
        for name in ("a", "b"):
            assert load(server, name, folder(tmp_path, name)).status == 200
        reply = server.request("POST", "/models/a/invoke", b"{}", X_Amzn_SageMaker_Session_Id="NEW_SESSION")
        session = reply.headers["x-amzn-sagemaker-new-session-id"].partition(";")[0]
        statuses = [
            server.request("POST", f"/models/{name}/invoke", b"{}", X_Amzn_SageMaker_Session_Id=session).status
            for name in ("a", "b")
        ]
        assert statuses == [200, 400]


def test_unloading_waits_for_the_last_answer(server: ServerProcess, tmp_path: Path) -> None:
    assert load(server, "busy", folder(tmp_path, "busy")).status == 200
    begun, until = tmp_path / "begun", tmp_path / "until"
    with ThreadPoolExecutor(2) as pool:
        last = pool.submit(invoke, server, "busy", {"do": "wait", "begun": str(begun), "until": str(until)})
        wait_until(begun.exists, 10)
        gone = pool.submit(unload, server, "busy")
        wait_until(lambda: server.request("GET", "/models/busy").status == 404, 10)
        until.touch()
        assert (last.result().status, gone.result().status) == (200, 200)


def test_a_model_that_cannot_come_back_is_forgotten(own: ServerProcess, tmp_path: Path) -> None:
    assert load(own, "once", folder(tmp_path, "once")).status == 200
    os.kill(pid_of(own, "once"), signal.SIGKILL)
    wait_until(lambda: '"model-lost"' in own.log, 30, lambda: own.log)
    wait_until(lambda: own.request("GET", "/models/once").status == 404, 10)
    assert (own.ping(), listed(own)) == (200, {"models": []})


def test_sigterm_answers_what_all_models_have_taken(own: ServerProcess, tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        for name in ("a", "b"):
            assert load(own, name, folder(tmp_path, name)).status == 200
        until = tmp_path / "until"
        last = [
            pool.submit(invoke, own, name, {"do": "wait", "begun": str(tmp_path / name), "until": str(until)})
            for name in ("a", "b")
        ]
        wait_until(lambda: (tmp_path / "a").exists() and (tmp_path / "b").exists(), 10)
        pids = own.model_pids()
        own.terminate()
        wait_until(lambda: own.ping() == 503, 10)
        assert load(own, "c", folder(tmp_path, "c")).status == 503
        assert invoke(own, "a").status == 503
        until.touch()
        assert [answer.result().status for answer in last] == [200, 200]
    assert own.popen.wait(20) == 0
    await_end(pids)


def test_sigterm_gives_up_what_is_loading(own: ServerProcess, tmp_path: Path) -> None:
    url = folder(tmp_path, "wait")
    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load, own, "slow", url)
        wait_until((Path(url) / "begun").exists, 20)
        own.terminate()
        assert own.popen.wait(20) == 0
        assert loading.result().status == 503


def test_a_server_without_a_model_ends_at_once(own: ServerProcess) -> None:
    own.terminate()
    assert own.popen.wait(20) == 0


def test_a_predictor_that_cannot_be_imported_ends_the_server(tmp_path: Path) -> None:
    with running("not_there:Any", tmp_path / "log", wait=False, SAGEMAKER_MULTI_MODEL="true") as server:
        assert server.popen.wait(30) == 1
        assert "`not_there` cannot be imported" in server.log.splitlines()[-1]
