"""What becomes of the invocations that a process held when it was lost, and what is said of its end."""

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.processes import children, is_alive
from tests.serving.front import exposition
from tests.serving.raw_client import RawClient
from tests.serving.server_process import ServerProcess, running, wait_until
from tests.serving.watch import watched

ID = "X-Amzn-SageMaker-Inference-Id"
PATHS = pytest.mark.parametrize("path", ["1", "0"], ids=["short path", "plain ASGI"])


def begun(told: Path) -> list[str]:
    """The inference ids of what the predictor began with, in order."""
    lines = told.read_text().splitlines() if told.exists() else []
    return [line.removeprefix("begun ") for line in lines if line.startswith("begun ")]


@PATHS
def test_of_what_a_concurrent_process_held_only_the_culprit_fails(path: str, tmp_path: Path) -> None:
    told, until = tmp_path / "told", tmp_path / "until"
    more = {"filler": "x" * 100_000}  # in the arena, which the first answers must not have written to
    with (
        running("core:Coroutine", tmp_path / "log", ARGOSY_SHORT_PATH=path, TEST_TOLD=str(told)) as server,
        ThreadPoolExecutor(8) as pool,
    ):
        body = {"do": "until", "until": str(until), "more": more}
        names = [f"innocent-{number}" for number in range(5)]
        innocents = [pool.submit(server.invoke, body, X_Amzn_SageMaker_Inference_Id=name) for name in names]
        wait_until(lambda: sorted(begun(told)) == names, 10)
        culprit = pool.submit(server.invoke, {"do": "exit"})
        wait_until(lambda: len(begun(told)) == 7, 10)
        behind = pool.submit(server.invoke, {"do": "nothing"})
        assert [server.ping(), server.ping()] == [200, 200]
        assert begun(told)[5:] == begun(told)[:2], "they are asked again in small groups"
        assert not behind.done(), "and nothing comes between"
        until.touch()
        for name, innocent in zip(names, innocents, strict=True):
            reply = innocent.result()
            assert (reply.status, json.loads(reply.body)) == (200, {"id": name, **more})
        assert culprit.result().status == 500
        assert behind.result().status == 200
        assert sorted(set(begun(told)[5:])) == names
        assert 2 <= server.log.count('"event":"model-process-ended"') <= 3, "the last group is of two"


@PATHS
def test_streams_that_had_begun_end_visibly_and_the_others_are_asked_again(path: str, tmp_path: Path) -> None:
    told, until = tmp_path / "told", tmp_path / "until"
    with (
        running("core:Stream", tmp_path / "log", ARGOSY_SHORT_PATH=path, TEST_TOLD=str(told)) as server,
        ThreadPoolExecutor(2) as pool,
        RawClient(server.port) as client,
    ):
        client.ask({"parts": 2, "wait": str(until)})
        assert client.head()[0] == 200
        assert client.chunk() == b"part 0;"
        innocent = pool.submit(server.invoke, {"parts": 2, "until": str(until)}, X_Amzn_SageMaker_Inference_Id="one")
        wait_until(lambda: begun(told) == ["one"], 10)
        culprit = pool.submit(server.invoke, {"parts": 1, "exit": True})
        with pytest.raises(EOFError):
            list(client.chunks())
        wait_until(lambda: begun(told) == ["one", "one"], 10)
        until.touch()
        assert (innocent.result().status, innocent.result().body) == (200, b"part 0;part 1;")
        assert culprit.result().status == 500


def test_a_stream_that_is_asked_again_has_no_suspect_beside_it(tmp_path: Path) -> None:
    told, until, wait = tmp_path / "told", tmp_path / "until", tmp_path / "wait"
    with (
        running("core:Stream", tmp_path / "log", TEST_TOLD=str(told)) as server,
        ThreadPoolExecutor(1) as pool,
        RawClient(server.port) as client,
    ):
        client.ask({"parts": 2, "until": str(until), "wait": str(wait)}, f"{ID}: one")
        wait_until(lambda: begun(told) == ["one"], 10)
        culprit = pool.submit(server.invoke, {"parts": 1, "exit": True})
        wait_until(lambda: begun(told) == ["one", "one"], 10)
        until.touch()
        assert client.head()[0] == 200
        assert client.chunk() == b"part 0;"
        assert not culprit.done()
        wait.touch()
        assert list(client.chunks()) == [b"part 1;"]
        assert culprit.result().status == 500


def test_a_stream_that_is_asked_again_last_has_company_as_soon_as_it_has_begun(tmp_path: Path) -> None:
    told, kill, until, wait = (tmp_path / name for name in ("told", "kill", "until", "wait"))
    with (
        running("core:Stream", tmp_path / "log", TEST_TOLD=str(told)) as server,
        ThreadPoolExecutor(2) as pool,
        RawClient(server.port) as client,
    ):
        kills = {"parts": 1, "until": str(kill), "exit": True}
        culprit = pool.submit(server.invoke, kills, X_Amzn_SageMaker_Inference_Id="culprit")
        wait_until(lambda: begun(told) == ["culprit"], 10)
        client.ask({"parts": 2, "until": str(until), "wait": str(wait)}, f"{ID}: one")
        wait_until(lambda: begun(told) == ["culprit", "one"], 10)
        kill.touch()
        assert culprit.result().status == 500
        wait_until(lambda: begun(told) == ["culprit", "one", "culprit", "one"], 10)
        beside = pool.submit(server.invoke, {"parts": 1})
        assert [server.ping(), server.ping()] == [200, 200]
        assert not beside.done()
        until.touch()
        assert client.head()[0] == 200
        assert client.chunk() == b"part 0;"
        assert beside.result().status == 200
        wait.touch()
        assert list(client.chunks()) == [b"part 1;"]


def test_a_process_that_is_mostly_held_up_is_replaced_under_traffic(tmp_path: Path) -> None:
    told, never = tmp_path / "told", tmp_path / "never"
    with (
        running(
            "core:Stream", tmp_path / "log", ARGOSY_CONCURRENCY="4", ARGOSY_DEADLINE_S="1", TEST_TOLD=str(told)
        ) as server,
        ThreadPoolExecutor(3) as pool,
    ):
        before = server.model_pids()
        for reply in [pool.submit(server.invoke, {"parts": 1, "until": str(never)}) for _ in range(3)]:
            assert reply.result().status == 503
        wait_until(lambda: server.invoke({"parts": 1}).status == 200 and not set(before) & set(server.model_pids()), 10)
        assert restarts(server) == {"stuck": 1}
        assert statuses(server).keys() == {"200", "503"}
        assert statuses(server)["503"] == 3, "those that were live have been answered"


def test_what_nobody_waits_for_is_not_asked_again(tmp_path: Path) -> None:
    told, until = tmp_path / "told", tmp_path / "until"
    with running("core:Stream", tmp_path / "log", TEST_TOLD=str(told)) as server:
        for name in ("one", "two"):
            with RawClient(server.port) as client:
                client.ask({"parts": -1, "until": str(until)}, f"{ID}: {name}")
                wait_until(lambda name=name: name in begun(told), 10)
        (pid,) = server.model_pids()
        wait_until(lambda: connections(server) == 1, 10)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: statuses(server) == {"499": 2}, 10, lambda: statuses(server))
        until.touch()
        server.wait_ready()
        assert server.invoke({"parts": 1}).status == 200
        assert begun(told) == ["one", "two"]


@PATHS
def test_a_client_that_leaves_is_counted_as_such_in_the_queue_and_in_mid_stream(path: str, tmp_path: Path) -> None:
    told, until = tmp_path / "told", tmp_path / "until"
    with (
        running("core:Returns", tmp_path / "log", ARGOSY_SHORT_PATH=path, TEST_TOLD=str(told)) as server,
        RawClient(server.port) as streaming,
    ):
        streaming.ask({"parts": 2, "wait": str(until)})
        assert streaming.head()[0] == 200
        with RawClient(server.port) as waiting:
            waiting.ask({})
            wait_until(lambda: gauge(server, "argosy_queue_length") == 1, 10)
        wait_until(lambda: statuses(server) == {"499": 1}, 10, lambda: statuses(server))
        streaming.stream.close()
        streaming.socket.close()
        wait_until(lambda: connections(server) == 1, 10)
        until.touch()
        wait_until(lambda: statuses(server) == {"499": 2}, 10, lambda: statuses(server))


def statuses(server: ServerProcess) -> dict[str, float]:
    """How many invocations ended how."""
    family = exposition.read(server.request("GET", "/metrics").body)["argosy_invocations_total"]
    return {labels[0][1]: count for (_, labels), count in family.samples.items() if count}


def gauge(server: ServerProcess, name: str) -> float:
    return exposition.read(server.request("GET", "/metrics").body)[name].value(name)


def connections(server: ServerProcess) -> float:
    """Open ones, that which asks among them."""
    return gauge(server, "argosy_open_connections")


def restarts(server: ServerProcess) -> dict[str, float]:
    """How often each reason was counted, those that never were left out."""
    family = exposition.read(server.request("GET", "/metrics").body)["argosy_model_process_restarts_total"]
    return {labels[0][1]: count for (_, labels), count in family.samples.items() if count}


@pytest.mark.parametrize(
    ("end", "reason"),
    [(signal.SIGKILL, "killed"), (signal.SIGUSR1, "killed"), ("segfault", "crashed"), ("exit", "exited")],
)
def test_why_a_process_ended_is_counted(end: str | signal.Signals, reason: str, tmp_path: Path) -> None:
    with running("drilled:Drilled", tmp_path / "log") as server:
        (pid,) = server.model_pids()
        if isinstance(end, signal.Signals):
            os.kill(pid, end)
        else:
            assert server.invoke({"do": end}).status == 500
        wait_until(lambda: restarts(server) == {reason: 1}, 10, lambda: restarts(server))
        server.wait_ready()
        assert server.model_pids() != [pid]


def test_a_stuck_process_is_counted_as_stuck_and_not_as_killed(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log", ARGOSY_DEADLINE_S="1") as server:
        assert server.invoke({"do": "sleep", "seconds": 60}).status == 503
        wait_until(lambda: restarts(server) == {"stuck": 1}, 10, lambda: restarts(server))


def test_the_end_of_a_process_whose_template_is_gone_is_unknown(tmp_path: Path) -> None:
    with running("Commanded", tmp_path / "log") as server:
        (template,) = children(server.popen.pid)
        (model,) = children(template)
        os.kill(template, signal.SIGKILL)
        wait_until(lambda: children(server.popen.pid) not in ([], [template]), 10)
        os.kill(model, signal.SIGKILL)
        wait_until(lambda: restarts(server) == {"unknown": 1}, 10, lambda: restarts(server))


def test_what_cannot_be_forked_is_tried_again_and_ping_tells_the_truth(tmp_path: Path) -> None:
    full = tmp_path / "full"
    full.touch()
    with running("unforkable:Unforkable", tmp_path / "log", wait=False, TEST_NO_FORK=str(full)) as server:
        wait_until(lambda: server.log.count('"event":"model-process-not-started"') >= 3, 10, lambda: server.log)
        assert (server.ping(), server.model_pids()) == (503, [])
        full.unlink()
        server.wait_ready()
        (template,) = children(server.popen.pid)
        (model,) = server.model_pids()
        full.touch()
        with watched(server) as watch:
            wait_until(lambda: watch.turns == [200], 10)
            os.kill(model, signal.SIGKILL)
            wait_until(lambda: not is_alive(model), 10)
            tries = server.log.count('"event":"model-process-not-started"')
            wait_until(lambda: server.log.count('"event":"model-process-not-started"') >= tries + 6, 20)
            assert server.ping() == 503
            full.unlink()
            server.wait_ready()
            assert server.invoke({}).status == 200
            wait_until(lambda: watch.turns == [200, 503, 200], 10, lambda: str(watch.turns))
        assert children(server.popen.pid) == [template], "the template lives on"
        assert restarts(server) == {"killed": 1}, "what never was has not ended"
