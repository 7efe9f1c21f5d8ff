import asyncio
import itertools
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any

import boto3
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ContainerError, EngineError, UsageError
from argosy.simulator.answers import Place
from argosy.simulator.containers.container import Stop, stop
from argosy.simulator.containers.process import ProcessContainer, is_free
from argosy.simulator.health import HealthChecks
from argosy.simulator.hosting import single
from argosy.simulator.hosting.backend import Backend, MakeBackend, Request
from argosy.simulator.hosting.definition import (
    EndpointDefinition,
    Model,
    ProductionVariant,
    RoutingStrategy,
    Serverless,
    endpoint_name,
)
from argosy.simulator.hosting.endpoint import Endpoint, HostingOptions
from argosy.simulator.hosting.single import SingleContainer
from tests.simulator.conftest import MakeContainer
from tests.simulator.serving_thread import MODEL, demo, only, serving

WORDS = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)


OFTEN = HostingOptions(HealthChecks(interval_s=0.02), seed=1)


def fails(container: ProcessContainer, startup_s: float = 20) -> str:
    with pytest.raises(ContainerError) as error, serving(container, demo(startup_s)):
        pytest.fail("it served")
    return str(error.value)


def request(**headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(named, b"x", "us-east-1", "demo")


def each(stand_in: MakeContainer, made: list[ProcessContainer], **settings: str) -> MakeBackend:
    """Every instance runs a stand-in of its own, numbered in a header field."""
    lock = threading.Lock()

    def make(model: Model, variant: ProductionVariant) -> Backend:
        def open_one() -> ProcessContainer:
            with lock:  # instances start at the same time
                numbered = f'{{"X-Amzn-SageMaker-Custom-Attributes": "{len(made)}"}}'
                made.append(stand_in(headers=numbered, **settings))
                return made[-1]

        return SingleContainer(open_one, variant)

    return make


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


def test_fault_5_a_container_that_ended_is_replaced(stand_in: MakeContainer) -> None:
    made: list[ProcessContainer] = []
    with serving(each(stand_in, made), demo(), OFTEN) as served:
        made[0].kill()
        await_report(served.reports, "in service again after")
        assert any("AllTraffic: ended with exit code 137" in line for line in served.reports)
        assert any("stand-in starts" in line for line in served.reports)
        assert invoked(served.url)["CustomAttributes"] == "1"
    assert len(made) == 2


def test_a_container_that_turns_sick_is_replaced_after_three_failed_checks(stand_in: MakeContainer) -> None:
    made: list[ProcessContainer] = []
    with serving(each(stand_in, made, mode="sick"), demo(), OFTEN) as served:
        httpx.post(f"{made[0].url}/invocations", content=b"x")
        await_report(served.reports, "health check failed (1 in a row): /ping answers 503")
        await_report(served.reports, "unhealthy after 3 failed health checks in a row: SageMaker replaces")
        await_report(served.reports, "in service again")
    assert not_listening(made[0])


def test_how_many_failed_checks_it_takes_is_an_option(stand_in: MakeContainer) -> None:
    made: list[ProcessContainer] = []
    options = HostingOptions(HealthChecks(interval_s=0.02, unhealthy_after=1))
    with serving(each(stand_in, made, mode="sick"), demo(), options) as served:
        httpx.post(f"{made[0].url}/invocations", content=b"x")
        await_report(served.reports, "unhealthy after 1 failed")


def test_a_replacement_that_does_not_start_is_tried_again(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.simulator.backoff._FIRST_S", 0.01)
    made: list[ProcessContainer] = []

    def open_one() -> ProcessContainer:
        made.append(stand_in(mode="crash" if len(made) == 1 else "ready"))
        return made[-1]

    def make(model: Model, variant: ProductionVariant) -> Backend:
        return SingleContainer(open_one, variant)

    with serving(make, demo(), OFTEN) as served:
        made[0].kill()
        await_report(served.reports, "the replacement did not start, next attempt in 0.01 s")
        await_report(served.reports, "in service again")
        assert invoked(served.url)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_without_an_instance_in_service_the_service_is_unavailable(stand_in: MakeContainer) -> None:
    made: list[ProcessContainer] = []

    def open_one() -> ProcessContainer:
        made.append(stand_in(mode="crash" if made else "ready"))
        return made[-1]

    with serving(lambda _model, variant: SingleContainer(open_one, variant), demo(), OFTEN) as served:
        made[0].kill()
        await_report(served.reports, "the replacement did not start")
        with pytest.raises(runtime(served.url).exceptions.ServiceUnavailable, match="Try your call again"):
            invoked(served.url)


class Unknown(ProcessContainer):
    """Of an engine that does not answer any more."""

    is_lost = False

    def exit_code(self) -> int | None:
        if self.is_lost:
            raise EngineError("`docker container inspect` did not end")
        return super().exit_code()


def test_an_engine_that_fails_is_reported_and_the_watch_goes_on(
    stand_in: MakeContainer,
) -> None:
    container = stand_in()
    container.__class__ = Unknown
    assert isinstance(container, Unknown)
    patient = HostingOptions(HealthChecks(interval_s=0.02, unhealthy_after=1_000_000))
    with serving(container, demo(), patient) as served:
        container.is_lost = True
        container.kill()
        await_report(served.reports, "whether the container still runs is not known: `docker container inspect`")
        container.is_lost = False
        await_report(served.reports, "ended with exit code 137")


def test_a_watch_that_broke_does_not_keep_the_container(stand_in: MakeContainer) -> None:
    container = stand_in(mode="sick")

    async def break_and_stop() -> None:
        broken = asyncio.Event()

        def report(_line: str) -> None:
            broken.set()
            raise BrokenPipeError

        endpoint = Endpoint(demo(), only(container), report, OFTEN)
        await endpoint.start()
        await endpoint.invoke(request())
        await broken.wait()
        with suppress(BrokenPipeError):  # which it is when the watch has told it by then
            await endpoint.stop()

    asyncio.run(break_and_stop())
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{container.url}/ping")


@pytest.mark.parametrize(("mode", "exit_code", "killed"), [("ready", 0, False), ("deaf", 137, True)])
def test_fault_6_the_container_gets_sigterm_and_then_sigkill(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch, mode: str, exit_code: int, killed: bool
) -> None:
    container = stand_in(mode=mode)
    monkeypatch.setattr(single, "stop", lambda one: stop(one, grace_s=0.5 if killed else 20))

    async def start_and_stop() -> list[Stop]:
        endpoint = Endpoint(demo(), only(container), print)
        await endpoint.start()
        return await endpoint.stop()

    [stopped] = asyncio.run(start_and_stop())
    assert (stopped.exit_code, stopped.killed) == (exit_code, killed)
    assert "stand-in starts" in container.logs()


def not_listening(container: ProcessContainer) -> bool:
    return is_free(int(container.url.rpartition(":")[2]))


def await_report(reports: list[str], part: str) -> None:
    deadline = time.monotonic() + 20
    while not any(part in line for line in reports):
        assert time.monotonic() < deadline, reports
        time.sleep(0.02)


def runtime(url: str) -> Any:
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def invoked(url: str, **arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = runtime(url).invoke_endpoint(EndpointName="demo", Body=b"x", **arguments)
    return answer


def variants(*made: ProductionVariant) -> EndpointDefinition:
    return replace(demo(), variants=made)


def test_invocations_spread_over_variants_by_weight_unless_one_is_named(stand_in: MakeContainer) -> None:
    definition = variants(
        ProductionVariant("Blue", MODEL, weight=3),
        ProductionVariant("Green", MODEL),
        ProductionVariant("Off", MODEL, 0),
    )

    async def chosen(endpoint: Endpoint, **headers: str) -> str:
        async with endpoint.visit(request(**headers)) as visit:
            return visit.variant

    async def scenario() -> tuple[Counter[str], str]:
        endpoint = Endpoint(definition, each(stand_in, []), print, HostingOptions(seed=7))
        try:
            await endpoint.start()
            counts = Counter([await chosen(endpoint) for _ in range(400)])
            return counts, await chosen(endpoint, x_amzn_sagemaker_target_variant="Off")
        finally:
            await endpoint.stop()

    counts, named = asyncio.run(scenario())
    assert counts.keys() == {"Blue", "Green"}
    assert 260 <= counts["Blue"] <= 340
    assert named == "Off"


@pytest.mark.parametrize("routing", list(RoutingStrategy))
def test_all_instances_of_a_variant_get_invocations(stand_in: MakeContainer, routing: RoutingStrategy) -> None:
    definition = variants(ProductionVariant(model=MODEL, instance_count=2, routing=routing))
    with serving(each(stand_in, []), definition, HostingOptions(seed=7)) as served:
        client = runtime(served.url)
        answered = {client.invoke_endpoint(EndpointName="demo", Body=b"x")["CustomAttributes"] for _ in range(20)}
    assert answered == {"0", "1"}


def test_the_instance_with_the_fewest_outstanding_requests_gets_the_next(stand_in: MakeContainer) -> None:
    async def scenario() -> set[str]:
        made: list[ProcessContainer] = []
        endpoint = Endpoint(variants(ProductionVariant(model=MODEL, instance_count=2)), each(stand_in, made), print)
        try:
            await endpoint.start()
            async with endpoint.visit(request()) as first:
                seen = set()
                for _ in range(10):
                    async with endpoint.visit(request()) as other:
                        seen.add(other.hop.connection is first.hop.connection)
            return {str(one) for one in seen}
        finally:
            await endpoint.stop()

    assert asyncio.run(scenario()) == {"False"}


def test_an_update_starts_the_new_fleet_before_the_old_one_ends(stand_in: MakeContainer) -> None:
    made: list[ProcessContainer] = []
    alive: list[list[int | None]] = []

    async def scenario() -> tuple[str, str]:
        blue = variants(ProductionVariant("Blue", MODEL))
        endpoint = Endpoint(blue, each(stand_in, made), print)
        try:
            await endpoint.start()
            make = endpoint._make_backend

            def observing(model: Model, variant: ProductionVariant) -> Backend:
                backend = make(model, variant)
                start = backend.start

                async def observed() -> None:
                    await start()
                    alive.append([container.exit_code() for container in made])

                backend.start = observed  # type: ignore[method-assign]  # the test looks from outside
                return backend

            endpoint._make_backend = observing
            await endpoint.update(variants(ProductionVariant("Green", MODEL)))
            answer = await endpoint.invoke(request())
            return endpoint.definition.variants[0].name, dict(answer.headers)["x-Amzn-Invoked-Production-Variant"]
        finally:
            await endpoint.stop()

    assert asyncio.run(scenario()) == ("Green", "Green")
    assert alive == [[None, None]]
    assert not_listening(made[0])


def test_an_old_fleet_that_does_not_end_is_reported_and_the_new_one_serves(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ProcessContainer] = []
    reports: list[str] = []

    async def scenario() -> tuple[str, int]:
        endpoint = Endpoint(variants(ProductionVariant("Blue", MODEL)), each(stand_in, made), reports.append)
        try:
            await endpoint.start()
            monkeypatch.setattr(made[0], "wait", lambda timeout_s: None)
            await endpoint.update(variants(ProductionVariant("Green", MODEL)))
            return endpoint.definition.variants[0].name, (await endpoint.invoke(request())).status
        finally:
            await endpoint.stop()

    assert asyncio.run(scenario()) == ("Green", 200)
    assert any("did not end as it should: stand-in: the container outlived SIGKILL" in line for line in reports)


@pytest.mark.parametrize(("slow_s", "drain_s", "status"), [("3", 20.0, 200), ("30", 0.0, 424)])
def test_an_update_waits_for_what_the_old_fleet_was_asked(
    stand_in: MakeContainer, slow_s: str, drain_s: float, status: int
) -> None:
    made: list[ProcessContainer] = []

    async def scenario() -> int:
        make = each(stand_in, made, slow_s=slow_s)
        blue = variants(ProductionVariant("Blue", MODEL))
        endpoint = Endpoint(blue, make, print, HostingOptions(drain_s=drain_s))
        try:
            await endpoint.start()
            [old] = endpoint._variants
            asking = asyncio.create_task(endpoint.invoke(replace(request(), body=b"SLOW")))
            async with asyncio.timeout(20), httpx.AsyncClient() as client:
                while not [
                    one for one in (await client.get(f"{made[0].url}/requests")).json() if "invocations" in str(one)
                ]:
                    assert not asking.done()
            updating = asyncio.create_task(endpoint.update(variants(ProductionVariant("Green", MODEL))))
            async with asyncio.timeout(20):
                await updating
            assert not old.instances[0].is_in_service
            return (await asking).status
        finally:
            await endpoint.stop()

    assert asyncio.run(scenario()) == status
    assert all(not_listening(container) for container in made)


def test_an_update_that_fails_leaves_the_old_fleet_in_service(stand_in: MakeContainer) -> None:
    opened: list[ProcessContainer] = []
    numbers = itertools.count()

    def make(model: Model, variant: ProductionVariant) -> Backend:
        def open_one() -> ProcessContainer:
            container = stand_in(mode="crash" if next(numbers) == 2 else "ready")
            opened.append(container)
            return container

        return SingleContainer(open_one, variant)

    async def scenario() -> int:
        endpoint = Endpoint(variants(ProductionVariant("Blue", MODEL)), make, print)
        try:
            await endpoint.start()
            with pytest.raises(ContainerError, match="production variant Green did not pass"):
                await endpoint.update(variants(ProductionVariant("Green", MODEL, instance_count=2)))
            assert endpoint.definition.variants[0].name == "Blue"
            return (await endpoint.invoke(request())).status
        finally:
            await endpoint.stop()

    assert asyncio.run(scenario()) == 200
    assert all(not_listening(container) for container in opened)


def test_a_serverless_variant_throttles_and_takes_4_mb(stand_in: MakeContainer) -> None:
    definition = variants(ProductionVariant(model=MODEL, serverless=Serverless(2048, 1)))

    async def scenario() -> tuple[int, int, bytes]:
        endpoint = Endpoint(definition, only(stand_in()), print)
        try:
            await endpoint.start()
            async with endpoint.visit(request()):
                refused = await endpoint.invoke(request())
            assert dict(refused.headers)["x-amzn-ErrorType"] == "ThrottlingException"
            return endpoint.limits.body_bytes, refused.status, refused.body
        finally:
            await endpoint.stop()

    assert asyncio.run(scenario()) == (4 * 2**20, 400, b'{"message": null}')


def test_a_serverless_variant_has_three_minutes_to_start(
    stand_in: MakeContainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert single.SERVERLESS_STARTUP_S == 180
    monkeypatch.setattr(single, "SERVERLESS_STARTUP_S", 0.1)
    definition = variants(ProductionVariant(model=MODEL, serverless=Serverless(2048, 1), startup_s=1e6))
    with (
        pytest.raises(ContainerError, match="still so after 0 s"),
        serving(stand_in(mode="never-ready"), definition),
    ):
        pytest.fail("it served")


@given(st.text())
def test_every_text_becomes_a_name_that_an_endpoint_may_have(text: str) -> None:
    assert EndpointDefinition(endpoint_name(text), ()).name


@pytest.mark.parametrize("name", ["", "a_b", "-a", "a-", "a" * 64])
def test_a_wrong_name_is_refused(name: str) -> None:
    with pytest.raises(UsageError):
        EndpointDefinition(name, ())


def test_the_longest_name_is_allowed() -> None:
    assert len(EndpointDefinition("a" * 63, ()).name) == 63
    assert Place("a").log_group == "/aws/sagemaker/Endpoints/a"
