"""Inference components, adapters and sessions with boto3: stand-in processes, and Argosy's own server."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from argosy.errors import ArgosyError, ContainerError, UsageError
from argosy.simulator.backends.adapters import AdapterForm, AdapterOptions
from argosy.simulator.backends.maker import BackendMaker, BackendOptions
from argosy.simulator.backends.model_cache import CacheOptions
from argosy.simulator.hosting.components import Capacity
from argosy.simulator.hosting.definition import (
    ArtifactSource,
    Compute,
    ContainerDefinition,
    EndpointDefinition,
    InferenceComponent,
    Model,
    ProductionVariant,
    adapter_source,
)
from argosy.simulator.hosting.endpoint import Endpoint, HostingOptions
from argosy.simulator.runtime.service import Runtime, bind, serve
from tests.beside import beside
from tests.simulator.backends.conftest import ARGOSY, HOSTED, STAND_IN, House, caught, furnished, runtime_client
from tests.simulator.serving_thread import Served


@dataclass
class Hosting:
    """An endpoint that serves on a thread, and can be changed from here."""

    client: Any
    endpoint: Endpoint
    loop: asyncio.AbstractEventLoop

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def create(self, *components: InferenceComponent) -> None:
        for component in components:
            self.do(self.endpoint.components.create(component))

    def invoke(self, component: str, body: str = "x", **arguments: Any) -> Any:
        given = {"EndpointName": "demo", "InferenceComponentName": component, "Body": body.encode(), **arguments}
        answer = self.client.invoke_endpoint(**given)
        return {**answer, "Body": answer["Body"].read()}

    def told(self, component: str, body: str = "x", **arguments: Any) -> Any:
        return json.loads(self.invoke(component, body, **arguments)["Body"])

    def error(self, **arguments: Any) -> str:
        response = caught(self.client, **arguments)
        return f"{response['Error']['Code']}: {response['Error']['Message']}"


@contextmanager
def hosting(
    house: House, options: BackendOptions | None = None, memory_mb: float | None = None, **variant: Any
) -> Iterator[Hosting]:
    """The endpoint `demo` whose one variant has no model."""
    limits = HostingOptions(seed=1)
    if memory_mb is not None:
        limits = HostingOptions(find_capacity=lambda _type: Capacity(memory_mb, 4))
    definition = EndpointDefinition("demo", (ProductionVariant(startup_s=20, **variant),))
    listener = bind(0)
    loops: list[asyncio.AbstractEventLoop] = []
    endpoint = Endpoint(definition, BackendMaker(house.surroundings, options), house.reports.append, limits)

    async def answer(stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        loops.append(asyncio.get_running_loop())
        try:
            await endpoint.start()
            await serve(Runtime({"demo": endpoint}, house.reports.append), listener, stopping, on_open)
        finally:
            await endpoint.stop()

    with listener, beside(answer):
        served = Served(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with contextlib.closing(runtime_client(served)) as client:
            yield Hosting(client, endpoint, loops[0])
    assert house.is_clean()


def component(name: str, image: str = HOSTED, copies: int = 1, **fields: Any) -> InferenceComponent:
    environment = fields.pop("environment", {})
    artifacts = fields.pop("artifacts", None)
    model = Model(name, (ContainerDefinition(image, environment=environment, artifacts=artifacts),))
    return InferenceComponent(name, model=model, copies=copies, startup_s=20, **fields)


def adapter(house: House, name: str, base: str = "llm") -> InferenceComponent:
    house.put(f"s3://bucket/{name}.tar.gz", f"text of {name}")
    return InferenceComponent(name, base=base, adapter=adapter_source(f"s3://bucket/{name}.tar.gz"))


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Hosting]]:
    with furnished(tmp_path_factory.mktemp("house")) as house, hosting(house) as demo:
        demo.create(component("llm"))
        yield house, demo


def test_an_invocation_names_its_component(plain: tuple[House, Hosting]) -> None:
    _house, demo = plain
    assert demo.error() == (
        "ValidationError: Inference Component Name header is required for endpoints to which you plan to deploy "
        "inference components. Please include Inference Component Name header or consider using SageMaker models."
    )
    assert "Inference Component none not found" in demo.error(InferenceComponentName="none")
    answer = demo.invoke("llm", ContentType="text/plain")
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    told = json.loads(answer["Body"])
    assert told["path"] == "/invocations"
    assert "x-amzn-sagemaker-inference-component" not in told["headers"]
    assert "x-amzn-sagemaker-adapter-identifier" not in told["headers"]


def test_an_adapter_is_loaded_when_it_is_first_invoked(plain: tuple[House, Hosting]) -> None:
    house, demo = plain
    demo.create(adapter(house, "french"))
    assert not [line for line in house.ask("/seen") if "text of french" in line]
    for _ in range(2):
        told = demo.told("french")
        assert told["text"] == "text of french"
        assert told["path"] == "/invocations"
        assert told["headers"]["x-amzn-sagemaker-adapter-identifier"] == "french"
        assert told["headers"]["x-amzn-sagemaker-adapter-alias"] == "french"
    loads = [line for line in house.ask("/seen") if "text of french" in line]
    assert loads == ["POST /adapters text of french ['name', 'pin', 'preload', 'src']"]
    assert demo.told("llm")["text"] is None
    demo.do(demo.endpoint.components.delete("french"))
    assert "DELETE adapters" in house.ask("/seen")
    assert house.ask("/loaded") == []
    assert "french not found" in demo.error(InferenceComponentName="french")


def test_an_adapter_of_a_prefix(plain: tuple[House, Hosting]) -> None:
    house, demo = plain
    folder = house.root / "s3/bucket/german"
    folder.mkdir(parents=True)
    (folder / "text").write_text("uncompressed")
    given = InferenceComponent("german", base="llm", adapter=adapter_source("s3://bucket/german/"))
    demo.create(given)
    assert demo.told("german")["text"] == "uncompressed"
    demo.create(replace(given, name="without-slash", adapter=adapter_source("s3://bucket/german")))
    assert "Failed to download model data (bucket: bucket, key: german)." in demo.error(
        InferenceComponentName="without-slash"
    )


def test_an_adapter_that_the_container_refuses_or_forgets(plain: tuple[House, Hosting]) -> None:
    house, demo = plain
    demo.create(adapter(house, "odd"), adapter(house, "forgetful"))
    house.put("s3://bucket/odd.tar.gz", "odd", refuse="400")
    assert demo.error(InferenceComponentName="odd").startswith(
        'ModelError: Received client error (400) from primary with message "cannot load it".'
    )
    assert demo.told("forgetful", "forget")["text"] == "text of forgetful"


def test_a_stream_of_an_adapter_that_the_container_forgot(plain: tuple[House, Hosting]) -> None:
    house, demo = plain
    demo.create(adapter(house, "streamed"))
    for _ in range(2):
        answer = demo.client.invoke_endpoint_with_response_stream(
            EndpointName="demo", InferenceComponentName="streamed", Body=b"forget"
        )
        body = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"])
        assert json.loads(body)["text"] == "text of streamed"
    assert len([line for line in house.ask("/seen") if line.startswith("POST /adapters text of streamed ")]) == 2


def test_an_adapter_can_be_replaced(plain: tuple[House, Hosting]) -> None:
    house, demo = plain
    first, second = adapter(house, "first-version"), adapter(house, "second-version")
    demo.create(first)
    assert demo.told("first-version")["text"] == "text of first-version"
    demo.do(demo.endpoint.components.update(replace(first, adapter=second.adapter)))
    assert demo.told("first-version")["text"] == "text of second-version"


@pytest.mark.parametrize(
    "wrong",
    [
        InferenceComponent("orphan", base="none", adapter=adapter_source("s3://bucket/x.tar.gz")),
        InferenceComponent("empty", base="llm"),
        InferenceComponent("modelless"),
        component("llm"),
        component("elsewhere", variant="none"),
    ],
    ids=lambda wrong: wrong.name,
)
def test_a_component_that_cannot_be_is_refused(plain: tuple[House, Hosting], wrong: InferenceComponent) -> None:
    with pytest.raises(UsageError):
        plain[1].create(wrong)


def test_an_adapter_takes_the_room_of_the_least_recently_used(house: House) -> None:
    options = BackendOptions(adapters=AdapterOptions(AdapterForm.QUERY, CacheOptions()))
    with hosting(house, options) as demo:
        demo.create(component("llm", environment={"HOSTED_ROOM": "1"}))
        demo.create(adapter(house, "french"), adapter(house, "german"))
        assert [demo.told(name)["text"] for name in ("french", "german", "french")] == [
            "text of french",
            "text of german",
            "text of french",
        ]
        assert "POST /adapters text of french ['name', 'src'] in the query" in house.ask("/seen")


def test_copies_share_the_invocations_and_come_and_go(house: House) -> None:
    with hosting(house, instance_count=2) as demo:
        llm = component("llm", STAND_IN, copies=2)
        demo.create(llm)
        assert demo.endpoint.components.copies("llm") == 2
        assert len(demo.endpoint.containers) == 2
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: demo.invoke("llm", "JITTER"), range(40)))
        assert all(any(one["path"] == "/invocations" for one in house.ask("/requests", each)) for each in (0, 1))
        demo.do(demo.endpoint.components.update(replace(llm, copies=3)))
        assert demo.endpoint.components.copies("llm") == 3
        demo.do(demo.endpoint.components.update(replace(llm, copies=1)))
        assert len(demo.endpoint.containers) == 1
        assert demo.invoke("llm")["ResponseMetadata"]["HTTPStatusCode"] == 200
        demo.do(demo.endpoint.components.update(replace(llm, copies=0)))
        assert "Inference Component has no capacity to process this request." in demo.error(
            InferenceComponentName="llm"
        )


def test_a_new_specification_takes_over_when_its_copies_are_healthy(house: House) -> None:
    with hosting(house) as demo:
        old = component(
            "llm", STAND_IN, environment={"STAND_IN_HEADERS": '{"X-Amzn-SageMaker-Custom-Attributes": "old"}'}
        )
        new = component(
            "llm", STAND_IN, environment={"STAND_IN_HEADERS": '{"X-Amzn-SageMaker-Custom-Attributes": "new"}'}
        )
        bad = component("llm", STAND_IN, environment={"STAND_IN_MODE": "crash"})
        demo.create(old)
        with pytest.raises(ContainerError, match="did not pass the ping health check"):
            demo.do(demo.endpoint.components.update(bad))
        assert demo.invoke("llm")["CustomAttributes"] == "old"
        demo.do(demo.endpoint.components.update(new))
        assert demo.invoke("llm")["CustomAttributes"] == "new"
        assert len(demo.endpoint.containers) == 1


def test_a_component_that_does_not_start_leaves_nothing(house: House) -> None:
    with hosting(house) as demo:
        with pytest.raises(ContainerError):
            demo.create(component("llm", STAND_IN, copies=2, environment={"STAND_IN_MODE": "crash"}))
        missing = component("llm", artifacts=ArtifactSource("s3://bucket/none.tar.gz"))
        with pytest.raises(ArgosyError, match='Failed to download model data for container "container_1"'):
            demo.create(missing)
        assert demo.endpoint.containers == []
        assert house.is_clean()
        demo.create(component("llm", STAND_IN))
        assert demo.invoke("llm")["Body"] == b"x"


def test_copies_go_where_there_is_room(house: House) -> None:
    with hosting(house, memory_mb=1000, instance_count=2) as demo:
        large = component("large", STAND_IN, compute=Compute(600))
        demo.create(large, replace(component("small", STAND_IN, compute=Compute(300)), copies=2))
        with pytest.raises(ContainerError, match="not enough resources"):
            demo.do(demo.endpoint.components.update(replace(large, copies=3)))
        demo.do(demo.endpoint.components.update(replace(large, copies=2)))
        with pytest.raises(ContainerError, match="not enough resources"):
            demo.create(component("more", STAND_IN, compute=Compute(200)))
        demo.do(demo.endpoint.components.delete("small"))
        demo.create(component("more", STAND_IN, compute=Compute(400)))


SESSION = '{"X-Amzn-SageMaker-Session-Id": "s-1; Expires=2999-01-01T00:00:00Z"}'


def test_the_invocations_of_a_session_go_to_one_copy(house: House) -> None:
    environment = {"STAND_IN_HEADERS": SESSION}
    with hosting(house) as demo:
        demo.create(component("llm", STAND_IN, copies=3, environment=environment))
        answer = demo.invoke("llm", SessionId="NEW_SESSION")
        assert answer["NewSessionId"] == "s-1; Expires=2999-01-01T00:00:00Z"
        for _ in range(12):
            demo.invoke("llm", SessionId="s-1")
        counts = [sum(one["path"] == "/invocations" for one in house.ask("/requests", number)) for number in range(3)]
        assert sorted(counts) == [0, 0, 13]
        assert "Inference Component Name header is required" in demo.error(SessionId="s-1")


def test_an_endpoint_without_components_takes_none(house: House) -> None:
    with hosting(house, model=Model("demo", (ContainerDefinition(STAND_IN),))) as demo:
        assert demo.error(InferenceComponentName="llm") == (
            "ValidationError: Inference Component Name header is not allowed for endpoints to which you dont plan to "
            "deploy inference components. Please remove the Inference Component Name header and try again."
        )


PREDICTOR = """
from pathlib import Path
from argosy import Predictor, current_invocation

class Adapted(Predictor):
    def load(self, model_dir: Path) -> None:
        self.adapters = {}

    def load_adapter(self, name: str, path: Path) -> None:
        self.adapters[name] = (path / "text").read_text()

    def unload_adapter(self, name: str) -> None:
        del self.adapters[name]

    def predict(self, features: dict) -> dict:
        adapter = current_invocation().adapter
        return {"text": self.adapters[adapter] if adapter else "the model"}
"""


@pytest.mark.parametrize("form", AdapterForm)
def test_argosy_s_own_server_with_adapters(house: House, form: AdapterForm) -> None:
    (house.root / "adapted.py").write_text(PREDICTOR)
    house.serves("adapted:Adapted")
    with hosting(house, BackendOptions(adapters=AdapterOptions(form))) as demo:
        demo.create(component("llm", ARGOSY), adapter(house, "french"), adapter(house, "german"))
        texts = [demo.told(name, "{}", ContentType="application/json")["text"] for name in ("llm", "french", "german")]
        assert texts == ["the model", "text of french", "text of german"]
        demo.do(demo.endpoint.components.delete("french"))
        assert demo.told("german", "{}", ContentType="application/json")["text"] == "text of german"
