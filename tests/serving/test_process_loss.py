"""What becomes of the invocations that a process held when it was lost, and what is said of its end."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serving.raw_client import RawClient
from tests.serving.server_process import running, wait_until

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
        wait_until(lambda: len(begun(told)) == 6, 10)
        behind = pool.submit(server.invoke, {"do": "nothing"})
        assert [server.ping(), server.ping()] == [200, 200]
        assert len(begun(told)) == 6, "they are asked again one by one"
        assert not behind.done(), "and nothing comes between"
        until.touch()
        for name, innocent in zip(names, innocents, strict=True):
            reply = innocent.result()
            assert (reply.status, json.loads(reply.body)) == (200, {"id": name, **more})
        assert culprit.result().status == 500
        assert behind.result().status == 200
        assert sorted(begun(told)[5:]) == names
        assert server.log.count('"event":"model-process-ended"') == 2


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


def test_a_stream_that_has_begun_again_lets_others_in_beside_it(tmp_path: Path) -> None:
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
        assert culprit.result().status == 500, "it was asked again beside the stream"
        with pytest.raises(EOFError):
            list(client.chunks())
