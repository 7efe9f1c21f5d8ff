"""Adapters of inference components as the platform asks for them: real processes."""

import json
import os
import signal
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serving.server_process import Reply, ServerProcess, running, wait_until

Folder = Path


@pytest.fixture(scope="module", params=["Adapted", "AdaptedAsync", "AdaptedStream"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    log = tmp_path_factory.mktemp("adapters") / "log"
    with running(f"hosted:{request.param}", log, ARGOSY_WORKERS="2") as server:
        server.wait_loaded(2)
        yield server


@pytest.fixture
def one(tmp_path: Path) -> Iterator[ServerProcess]:
    with running("hosted:Adapted", tmp_path / "log") as server:
        yield server


def adapter(folder: Path, weight: object) -> str:
    (folder / "weight.txt").write_text(str(weight))
    return str(folder)


def post(server: ServerProcess, path: str, told: object, alias: str = "") -> Reply:
    return server.request("POST", path, json.dumps(told).encode(), X_Amzn_SageMaker_Adapter_Alias=alias)


def register(server: ServerProcess, name: str, src: str, alias: str = "") -> Reply:
    return post(server, "/adapters", {"name": name, "src": src, "preload": True, "pin": False}, alias)


def ask(server: ServerProcess, name: str, body: object = None) -> Reply:
    return server.invoke(body or {}, X_Amzn_SageMaker_Adapter_Identifier=name)


def told(reply: Reply) -> dict[str, object]:
    assert reply.status == 200, reply
    found: dict[str, object] = json.loads(reply.body)
    return found


def listed(server: ServerProcess, query: str = "") -> dict[str, object]:
    return told(server.request("GET", "/adapters" + query))


def test_an_adapter_is_loaded_used_listed_and_unloaded_in_all_processes(server: ServerProcess, tmp_path: Path) -> None:
    src = adapter(tmp_path, 2.5)
    assert told(register(server, "half", src)) == {"status": "Adapter half registered"}
    described = {"name": "half", "src": src, "preload": True, "pin": False}
    assert listed(server) == {"adapters": [described]}
    assert told(server.request("GET", "/adapters/half")) == described
    with ThreadPoolExecutor(8) as pool:
        answers = [told(reply) for reply in pool.map(lambda _: ask(server, "half"), range(40))]
    assert {(answer["adapter"], answer["weight"]) for answer in answers} == {("half", 2.5)}
    assert told(server.invoke({}))["weight"] == 1.0
    assert told(server.request("DELETE", "/adapters/half")) == {"status": "Adapter half unregistered"}
    assert server.log.count('{"unloaded": "half"') >= 2
    assert listed(server) == {"adapters": []}
    assert ask(server, "half").status == 404


def test_the_query_does_as_well_as_json(server: ServerProcess, tmp_path: Path) -> None:
    query = urllib.parse.urlencode({"name": "by query", "src": adapter(tmp_path, 3), "pin": "true"})
    assert server.request("POST", f"/adapters?{query}").status == 200
    path = "/adapters/" + urllib.parse.quote("by query")
    assert told(server.request("GET", path))["pin"] is True
    assert told(ask(server, "by query"))["weight"] == 3
    assert server.request("DELETE", path).status == 200


def test_an_alias_names_an_adapter_too(server: ServerProcess, tmp_path: Path) -> None:
    reply = register(server, "id-1", adapter(tmp_path, 4), "summaries")
    assert told(reply) == {"status": "Adapter summaries registered"}
    answer = told(server.invoke({}, X_Amzn_SageMaker_Adapter_Alias="summaries"))
    assert (answer["adapter"], answer["weight"]) == ("id-1", 4)
    both = server.invoke({}, X_Amzn_SageMaker_Adapter_Identifier="id-1", X_Amzn_SageMaker_Adapter_Alias="other")
    assert told(both)["adapter"] == "id-1"
    assert server.invoke({}, X_Amzn_SageMaker_Adapter_Alias="other").status == 404
    assert server.request("DELETE", "/adapters/id-1").status == 200


def test_an_update_loads_from_another_path(server: ServerProcess, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert register(server, "moved", adapter(tmp_path / "a", 5)).status == 200
    assert told(post(server, "/adapters/moved/update", {"pin": True})) == {"status": "Adapter moved updated"}
    assert told(server.request("GET", "/adapters/moved"))["pin"] is True
    assert post(server, "/adapters/moved/update", {"src": adapter(tmp_path / "b", 6)}).status == 200
    assert {told(ask(server, "moved"))["weight"] for _ in range(4)} == {6}
    assert told(server.request("GET", "/adapters/moved"))["src"] == str(tmp_path / "b")
    assert server.request("DELETE", "/adapters/moved").status == 200
    assert post(server, "/adapters/moved/update", {"pin": True}).status == 404


@pytest.mark.parametrize(
    ("weight", "status", "code"),
    [
        ("bad", 400, "decode"),
        ("broken", 500, "predict"),
        ("memory", 507, "out-of-memory"),
        ("no number", 400, "decode"),
    ],
)
def test_what_cannot_be_loaded_is_not_known(
    server: ServerProcess, tmp_path: Path, weight: str, status: int, code: str
) -> None:
    reply = register(server, "secret-name", adapter(tmp_path, weight))
    assert (reply.status, reply.error["code"]) == (status, code)
    assert "secret" not in reply.error["message"]
    assert listed(server) == {"adapters": []}
    assert ask(server, "secret-name").status == 404


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"src": "/tmp"}',
        b'{"name": "x"}',
        b'{"name": "", "src": "/tmp"}',
        b'{"name": "x/y", "src": "/tmp"}',
        b'{"name": "x\\ny", "src": "/tmp"}',
        b'{"name": "x", "src": "tmp"}',
        b'{"name": "x", "src": "/tmp/\\u0000"}',
        b'{"name": "x", "src": "/not-there"}',
        b'{"name": "x", "src": "/' + b"a" * 5000 + b'"}',
        b'{"name": 1, "src": "/tmp"}',
        b'{"name": "x", "src": ["/tmp"]}',
        b'{"name": "x", "src": "/tmp", "pin": "perhaps"}',
    ],
)
def test_what_is_wrong_with_the_request_is_400(server: ServerProcess, body: bytes) -> None:
    reply = server.request("POST", "/adapters", body)
    assert (reply.status, reply.error["code"]) == (400, "decode")


def test_names_are_taken_once_and_unknown_ones_are_404(server: ServerProcess, tmp_path: Path) -> None:
    src = adapter(tmp_path, 1)
    assert register(server, "twice", src).status == 200
    reply = register(server, "twice", src)
    assert (reply.status, reply.error["code"]) == (409, "conflict")
    assert server.request("DELETE", "/adapters/twice").status == 200
    for method, path in (("GET", "/adapters/x"), ("DELETE", "/adapters/x"), ("POST", "/adapters/x/update")):
        reply = server.request(method, path)
        assert (reply.status, reply.error["code"]) == (404, "not-loaded")
    assert server.request("PUT", "/adapters/x").status == 405
    assert server.request("GET", "/adapters/x/update").status == 405
    assert server.request("GET", "/adapters/x/y").status == 404


def test_long_lists_come_page_by_page(server: ServerProcess, tmp_path: Path) -> None:
    names = [f"page-{number}" for number in range(5)]
    for name in names:
        assert register(server, name, adapter(tmp_path, 1)).status == 200
    found, token = [], "0"
    while token:
        some = listed(server, f"?limit=2&next_page_token={token}")
        adapters = some["adapters"]
        assert isinstance(adapters, list)
        found += [described["name"] for described in adapters]
        token = str(some.get("nextPageToken", ""))
    assert found == names
    for query in ("limit=x", "next_page_token=-1", "limit=99999999999"):
        assert server.request("GET", f"/adapters?{query}").status == 400
    for name in names:
        assert server.request("DELETE", f"/adapters/{name}").status == 200


def test_an_adapter_in_use_is_unloaded_after_its_last_answer(server: ServerProcess, tmp_path: Path) -> None:
    assert register(server, "busy", adapter(tmp_path, 7)).status == 200
    begun, until = tmp_path / "begun", tmp_path / "until"
    with ThreadPoolExecutor(2) as pool:
        last = pool.submit(ask, server, "busy", {"do": "wait", "begun": str(begun), "until": str(until)})
        wait_until(begun.exists, 10)
        gone = pool.submit(server.request, "DELETE", "/adapters/busy")
        wait_until(lambda: server.request("GET", "/adapters/busy").status == 404, 10)
        assert register(server, "busy", str(tmp_path)).status == 409
        until.touch()
        assert told(last.result())["weight"] == 7
        assert gone.result().status == 200


def test_a_process_that_starts_later_has_the_adapters(one: ServerProcess, tmp_path: Path) -> None:
    assert register(one, "kept", adapter(tmp_path, 8)).status == 200
    before = told(ask(one, "kept"))["pid"]
    assert isinstance(before, int)
    os.kill(before, signal.SIGKILL)
    wait_until(lambda: ask(one, "kept").status == 200, 20, lambda: one.log)
    after = told(ask(one, "kept"))
    assert (after["weight"], after["pid"] != before) == (8, True)


def test_an_adapter_that_a_later_process_cannot_load_is_dropped(one: ServerProcess, tmp_path: Path) -> None:
    assert register(one, "once", adapter(tmp_path, "once")).status == 200
    os.kill(one.model_pids()[0], signal.SIGKILL)
    wait_until(lambda: '"adapter-dropped"' in one.log, 20, lambda: one.log)
    assert (ask(one, "once").status, one.ping()) == (404, 200)


def test_a_process_that_is_killed_while_it_loads_one_is_out_of_memory(one: ServerProcess, tmp_path: Path) -> None:
    reply = register(one, "huge", adapter(tmp_path, "killed"))
    assert (reply.status, reply.error["code"]) == (507, "out-of-memory")
    one.wait_ready()
    assert told(one.invoke({}))["weight"] == 1.0
    assert ask(one, "huge").status == 404


def test_a_predictor_without_adapters_says_404(tmp_path: Path) -> None:
    with running("EchoFields", tmp_path / "log") as server:
        for method, path in (("GET", "/adapters"), ("POST", "/adapters"), ("DELETE", "/adapters/x")):
            reply = server.request(method, path)
            assert (reply.status, reply.error["code"]) == (404, "not-loaded")
        assert ask(server, "x").status == 404
