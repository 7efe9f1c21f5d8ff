import asyncio
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ContainerError, EngineError, UsageError
from argosy.simulator import health
from argosy.simulator.answers import Place
from argosy.simulator.containers.container import Container, Stop, stop
from argosy.simulator.containers.process import ProcessContainer
from argosy.simulator.hosting import endpoint as endpoint_module
from argosy.simulator.hosting.endpoint import Endpoint, EndpointOptions, endpoint_name
from tests.simulator.conftest import MakeContainer
from tests.simulator.serving_thread import serving

WORDS = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


def fails(container: Container, startup_s: float = 20) -> str:
    with pytest.raises(ContainerError) as error, serving(container, EndpointOptions("demo", startup_s=startup_s)):
        pytest.fail("it served")
    return str(error.value)


def test_a_container_that_ends_fails_the_endpoint_at_once(stand_in: MakeContainer) -> None:
    text = fails(stand_in(mode="crash"))
    assert WORDS in text
    assert "exit code 3" in text
    assert "no such file: model.joblib" in text


def test_a_container_that_is_never_healthy_fails_the_endpoint(stand_in: MakeContainer) -> None:
    container = stand_in(mode="never-ready")
    text = fails(container, startup_s=1.5)
    assert WORDS in text
    assert "/ping answers 503" in text
    assert "stand-in starts" in text


def test_fault_5_a_ping_that_hangs_does_not_hang_the_endpoint(stand_in: MakeContainer) -> None:
    assert "/ping was not answered within 2 s" in fails(stand_in(mode="hanging-ping"), startup_s=1)


def test_fault_5_a_container_in_service_is_watched(stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "STEADY_INTERVAL_S", 0.02)
    container = stand_in()
    with serving(container, EndpointOptions("demo")) as served:
        container.kill()
        container.wait(20)
        await_report(served.reports, "ended with exit code 137")
        assert any("stand-in starts" in line for line in served.reports)


def test_a_container_that_turns_sick_is_reported(stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "STEADY_INTERVAL_S", 0.02)
    container = stand_in(mode="sick")
    with serving(container, EndpointOptions("demo")) as served:
        httpx.post(f"{container.url}/invocations", content=b"x")
        await_report(served.reports, "health check failed (1 in a row): /ping answers 503")
        await_report(served.reports, "unhealthy")


class Unknown(ProcessContainer):
    """Of an engine that does not answer any more."""

    is_lost = False

    def exit_code(self) -> int | None:
        if self.is_lost:
            raise EngineError("`docker container inspect` did not end")
        return super().exit_code()


def test_an_engine_that_fails_is_reported_and_the_watch_goes_on(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STEADY_INTERVAL_S", 0.02)
    container = stand_in()
    container.__class__ = Unknown
    assert isinstance(container, Unknown)
    with serving(container, EndpointOptions("demo")) as served:
        container.is_lost = True
        container.kill()
        await_report(served.reports, "whether the container still runs is not known: `docker container inspect`")
        container.is_lost = False
        await_report(served.reports, "ended with exit code 137")


def test_a_watch_that_broke_does_not_keep_the_container(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "STEADY_INTERVAL_S", 0.02)
    container = stand_in(mode="sick")

    async def break_and_stop() -> None:
        broken = asyncio.Event()

        def report(_line: str) -> None:
            broken.set()
            raise BrokenPipeError

        endpoint = Endpoint(container, EndpointOptions("demo"), report)
        await endpoint.start()
        await endpoint.invoke({}, b"x")
        await broken.wait()
        with pytest.raises(BrokenPipeError):
            await endpoint.stop()

    asyncio.run(break_and_stop())
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{container.url}/ping")


@pytest.mark.parametrize(("mode", "exit_code", "killed"), [("ready", 0, False), ("deaf", 137, True)])
def test_fault_6_the_container_gets_sigterm_and_then_sigkill(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch, mode: str, exit_code: int, killed: bool
) -> None:
    container = stand_in(mode=mode)
    monkeypatch.setattr(endpoint_module, "stop", lambda one: stop(one, grace_s=0.5 if killed else 20))

    async def start_and_stop() -> Stop | None:
        endpoint = Endpoint(container, EndpointOptions("demo"), print)
        await endpoint.start()
        return await endpoint.stop()

    stopped = asyncio.run(start_and_stop())
    assert stopped is not None
    assert (stopped.exit_code, stopped.killed) == (exit_code, killed)
    assert "stand-in starts" in container.logs()


def await_report(reports: list[str], part: str) -> None:
    deadline = time.monotonic() + 20
    while not any(part in line for line in reports):
        assert time.monotonic() < deadline, reports
        time.sleep(0.02)


@given(st.text())
def test_every_text_becomes_a_name_that_an_endpoint_may_have(text: str) -> None:
    assert EndpointOptions(endpoint_name(text)).name


@pytest.mark.parametrize("name", ["", "a_b", "-a", "a-", "a" * 64])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        EndpointOptions(name)


def test_the_longest_name_is_allowed() -> None:
    assert len(EndpointOptions("a" * 63).name) == 63
    assert Place("a").log_group == "/aws/sagemaker/Endpoints/a"
