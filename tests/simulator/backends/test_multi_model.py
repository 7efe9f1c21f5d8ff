"""Multi-model endpoints with boto3, a stand-in process and, at the end, Argosy's own server."""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from argosy.simulator.backends.maker import BackendMaker, BackendOptions
from argosy.simulator.backends.model_cache import CacheOptions
from argosy.simulator.hosting.backend import Refused, Request
from argosy.simulator.hosting.definition import (
    ArtifactSource,
    ContainerDefinition,
    EndpointDefinition,
    Mode,
    Model,
    ProductionVariant,
)
from tests.simulator.backends.conftest import ARGOSY, HOSTED, House, caught, furnished, runtime_client
from tests.simulator.serving_thread import serving

PREFIX = "s3://bucket/models"


@dataclass
class Endpoint:
    client: Any

    def invoke(self, target: str, body: str = "x", **arguments: Any) -> Any:
        answer = self.client.invoke_endpoint(EndpointName="demo", TargetModel=target, Body=body.encode(), **arguments)
        return json.loads(answer["Body"].read())

    def text(self, target: str, body: str = "x") -> Any:
        return self.invoke(target, body)["text"]

    def error(self, **arguments: Any) -> tuple[int, str, str]:
        response = caught(self.client, **arguments)
        return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def definition(
    environment: dict[str, str] | None = None, image: str = HOSTED, prefix: str = PREFIX, is_cached: bool = True
) -> ContainerDefinition:
    return ContainerDefinition(
        image,
        environment=environment or {},
        artifacts=ArtifactSource(prefix, is_prefix=True),
        mode=Mode.MULTI_MODEL,
        is_model_cached=is_cached,
    )


@contextmanager
def endpoint(
    house: House,
    environment: dict[str, str] | None = None,
    *,
    image: str = HOSTED,
    prefix: str = PREFIX,
    **options: Any,
) -> Iterator[Endpoint]:
    container = definition(environment, image, prefix, options.pop("is_cached", True))
    maker = BackendMaker(house.surroundings, BackendOptions(models=CacheOptions(**options)))
    variant = ProductionVariant(model=Model("demo", (container,)), startup_s=20)
    demo = EndpointDefinition("demo", (variant,))
    with serving(maker, demo) as served, contextlib.closing(runtime_client(served)) as client:
        yield Endpoint(client)
    assert house.is_clean()


@pytest.fixture
def three(house: House) -> House:
    for name in "abc":
        house.put(f"{PREFIX}/{name}.tar.gz", name)
    return house


@dataclass
class Plain:
    """An endpoint with no limits, for tests that each bring models of their own."""

    house: House
    demo: Endpoint

    def put(self, name: str, **files: str) -> str:
        self.house.put(f"{PREFIX}/{name}.tar.gz", name, **files)
        return f"{name}.tar.gz"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plain]:
    with furnished(tmp_path_factory.mktemp("house")) as house:
        house.put("s3://bucket/models/anything.tar.gz", "anything")
        with endpoint(house) as demo:
            yield Plain(house, demo)


def loads(house: House, text: str = "a") -> int:
    return sum(line.startswith(f"POST /models {text} ") for line in house.ask("/seen"))


def await_true(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_model_is_loaded_when_it_is_first_asked_for_and_then_stays(plain: Plain) -> None:
    first, second = plain.put("first"), plain.put("second")
    assert loads(plain.house, "first") == 0
    found = [plain.demo.text(target) for target in (first, second, first, second)]
    assert found == ["first", "second", "first", "second"]
    assert "POST /models first ['model_name', 'url']" in plain.house.ask("/seen")
    assert (loads(plain.house, "first"), loads(plain.house, "second")) == (1, 1)
    launch = plain.house.opened[0][1]
    assert launch.environment["SAGEMAKER_MULTI_MODEL"] == "true"
    assert launch.model_dir is None
    for path in map(Path, plain.house.ask("/loaded")):
        assert (path.name, path.parent.parent) == ("model", launch.models_dir)


def test_the_container_sees_which_model_is_meant(plain: Plain) -> None:
    target = plain.put("meant")
    told = plain.demo.invoke(target, "body", ContentType="text/plain", CustomAttributes="c", Accept="text/csv")
    assert told["path"] == f"/models/{told['name']}/invoke"
    assert told["body"] == "body"
    assert told["headers"]["x-amzn-sagemaker-target-model"] == target
    assert told["headers"]["x-amzn-sagemaker-custom-attributes"] == "c"
    assert told["headers"]["content-type"] == "text/plain"
    assert told["headers"]["accept"] == "text/csv"


def test_an_invocation_without_a_model_is_refused(plain: Plain) -> None:
    status, code, message = plain.demo.error()
    assert (status, code) == (400, "ValidationError")
    assert message.startswith("Request ")
    assert message.endswith(" is missing a target model header.")


ELSEWHERE = ["none.tar.gz", "../other/secret.tar.gz", "/etc/passwd"]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_model_that_is_not_there_is_the_client_s_error(plain: Plain, target: str) -> None:
    plain.house.put("s3://bucket/other/secret.tar.gz", "secret")
    status, code, message = plain.demo.error(TargetModel=target)
    assert (status, code) == (400, "ValidationError")
    assert message.startswith(f"Failed to download model data (bucket: bucket, key: models/{target}). Please ensure")


def test_models_in_a_folder_of_this_machine(three: House) -> None:
    three.put("s3://bucket/other/secret.tar.gz", "secret")
    prefix = str(three.root / "s3/bucket/models")
    with endpoint(three, prefix=prefix) as demo:
        assert demo.text("a.tar.gz") == "a"
        for target in ELSEWHERE:
            message = demo.error(TargetModel=target)[2]
            assert message.startswith(f"Failed to download model data (url: {prefix}/{target}). Please ensure")


def test_a_model_that_was_not_there_is_looked_for_again(plain: Plain) -> None:
    assert plain.demo.error(TargetModel="late.tar.gz")[0] == 400
    assert plain.demo.text(plain.put("late")) == "late"


def test_what_the_container_says_to_a_model_that_it_cannot_load_is_a_model_error(plain: Plain) -> None:
    target = plain.put("bad", refuse="500")
    status, code, message = plain.demo.error(TargetModel=target)
    assert (status, code) == (424, "ModelError")
    assert message.startswith('Received server error (500) from primary with message "cannot load it".')
    plain.put("bad")
    assert plain.demo.text(target) == "bad"


def test_a_model_that_is_loaded_already_is_good(plain: Plain) -> None:
    target = plain.put("odd", refuse="409")
    # The stand-in said 409 and yet has nothing: it is loaded again once, and the 404 is the answer then.
    assert plain.demo.error(TargetModel=target)[2].startswith("Received client error (404) from primary")
    assert loads(plain.house, "odd") == 2


def test_a_model_that_the_container_forgot_is_loaded_again(plain: Plain) -> None:
    target = plain.put("forgotten")
    assert plain.demo.text(target) == "forgotten"
    assert plain.demo.text(target, "forget") == "forgotten"
    assert loads(plain.house, "forgotten") == 2


def test_a_model_that_is_forgotten_again_and_again_is_loaded_again_once(plain: Plain) -> None:
    message = plain.demo.error(TargetModel=plain.put("vanishing"), Body=b"vanish")[2]
    assert message.startswith("Received client error (404)")
    assert loads(plain.house, "vanishing") == 2


def test_what_a_model_answers_is_the_model_s(plain: Plain) -> None:
    message = plain.demo.error(TargetModel=plain.put("failing"), Body=b"status 503")[2]
    assert message.startswith("Received server error (503) from primary")
    assert loads(plain.house, "failing") == 1


def test_first_invocations_at_the_same_time_share_one_load(three: House) -> None:
    gate = three.root / "gate"
    with endpoint(three, {"HOSTED_GATE": str(gate)}) as demo, ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(demo.text, "a.tar.gz") for _ in range(8)]
        await_true(lambda: loads(three) == 1)
        gate.touch()
        assert [answer.result(20) for answer in answers] == ["a"] * 8
        assert loads(three) == 1


def test_a_model_that_loads_too_long_is_not_ready_and_goes_on_loading(three: House) -> None:
    gate = three.root / "gate"
    with endpoint(three, {"HOSTED_GATE": str(gate)}, wait_s=0.2) as demo:
        status, code, message = demo.error(TargetModel="a.tar.gz")
        assert (status, code) == (429, "ModelNotReadyException")
        assert message.endswith("still downloading or loading the target model. Wait and try your request again.")
        gate.touch()
        await_true(lambda: three.ask("/loaded") != [])
        assert demo.text("a.tar.gz") == "a"
        assert loads(three) == 1


def test_a_load_that_never_ends_is_given_up(three: House) -> None:
    gate = three.root / "gate"
    with endpoint(three, {"HOSTED_GATE": str(gate)}, load_s=0.3) as demo:
        status, code, message = demo.error(TargetModel="a.tar.gz")
        assert (status, code) == (424, "ModelError")
        assert "timed out" in message
        gate.touch()
        assert demo.text("a.tar.gz") == "a"


def test_the_least_recently_used_model_goes_when_the_container_has_no_room(three: House) -> None:
    with endpoint(three, {"HOSTED_ROOM": "2"}) as demo:
        assert [demo.text(f"{name}.tar.gz") for name in "abac"] == ["a", "b", "a", "c"]
        assert [line for line in three.reports if "unloaded" in line] == [
            "b.tar.gz is unloaded to make room for c.tar.gz"
        ]
        assert demo.text("b.tar.gz") == "b"
        assert "DELETE models" in three.ask("/seen")


def test_a_model_that_fits_by_no_means_is_told_so(three: House) -> None:
    with endpoint(three, {"HOSTED_ROOM": "0"}) as demo:
        assert demo.error(TargetModel="a.tar.gz")[2].startswith("Received server error (507) from primary")


def test_no_more_models_are_loaded_than_the_option_says(three: House) -> None:
    with endpoint(three, max_loaded=1) as demo:
        for name in "abcab":
            assert demo.text(f"{name}.tar.gz") == name
            assert len(three.ask("/loaded")) == 1


def test_artifacts_stay_on_the_disk_as_long_as_there_is_room(three: House) -> None:
    with endpoint(three, max_loaded=1, max_disk_bytes=2) as demo:
        models = three.opened[0][1].models_dir
        assert models is not None
        assert demo.text("a.tar.gz") == "a"
        assert demo.text("b.tar.gz") == "b"
        assert len(list(models.iterdir())) == 2
        assert demo.text("c.tar.gz") == "c"
        assert len(list(models.iterdir())) == 2
        assert "a.tar.gz is removed from the disk to make room for c.tar.gz" in three.reports
        assert demo.text("a.tar.gz") == "a"


def test_a_model_without_memory_to_answer_has_another_one_unloaded(three: House) -> None:
    with endpoint(three) as demo:
        demo.text("a.tar.gz")
        demo.text("b.tar.gz")
        assert demo.text("b.tar.gz", "full") == "b"
        assert len(three.ask("/loaded")) == 1


def test_without_a_cache_a_model_goes_after_its_invocation(three: House) -> None:
    with endpoint(three, is_cached=False) as demo:
        models = three.opened[0][1].models_dir
        assert models is not None
        for _ in range(3):
            assert demo.text("a.tar.gz") == "a"
        await_true(lambda: three.ask("/loaded") == [] and list(models.iterdir()) == [])


def test_many_clients_and_little_room(three: House) -> None:
    with endpoint(three, {"HOSTED_ROOM": "2"}) as demo, ThreadPoolExecutor(6) as pool:
        wanted = [name for name in "abcabcacbbca" for _ in range(3)]
        assert list(pool.map(lambda name: demo.text(f"{name}.tar.gz"), wanted)) == wanted


def test_a_backend_can_be_stopped_while_a_model_loads(three: House) -> None:
    gate = three.root / "gate"
    variant = ProductionVariant(model=Model("demo", (definition({"HOSTED_GATE": str(gate)}),)), startup_s=20)

    async def stop_while_loading() -> Refused:
        assert variant.model is not None
        backend = BackendMaker(three.surroundings)(variant.model, variant)
        await backend.start()
        request = Request({"x-amzn-sagemaker-target-model": "a.tar.gz"}, b"x", "us-east-1", "demo")
        routing = asyncio.create_task(backend.route(request))
        while await asyncio.to_thread(loads, three) == 0:
            assert not routing.done()
        await backend.stop()
        assert await backend.stop() == []
        with pytest.raises(Refused) as refused:
            await routing
        return refused.value

    assert asyncio.run(stop_while_loading()).answer.status == 503
    assert three.is_clean()


# Argosy's own server.

PREDICTOR = """
from pathlib import Path
from argosy import Predictor

class Named(Predictor):
    def load(self, model_dir: Path) -> None:
        self.text = (model_dir / "text").read_text()

    def predict(self, features: dict) -> dict:
        return {"text": self.text}
"""


@pytest.mark.parametrize("is_cached", [True, False])
def test_a_backend_can_be_stopped_during_an_invocation(three: House, is_cached: bool) -> None:
    """Its end is learnt afterwards, as the one of a call whose container went away."""

    async def work() -> None:
        maker = BackendMaker(three.surroundings)
        model = Model("demo", (definition(is_cached=is_cached),))
        backend = maker(model, ProductionVariant(model=model, startup_s=20))
        await backend.start()
        request = Request({"x-amzn-sagemaker-target-model": "a.tar.gz"}, b"x", "us-east-1", "demo")
        hop, other = await backend.route(request), await backend.route(request)
        await backend.stop()
        backend.end(other, 0)
        backend.end(hop, 0)
        assert hop.again is not None
        with pytest.raises(Refused, match="the endpoint is being deleted"):
            await hop.again(404)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(work())
    assert three.is_clean()


def test_argosy_s_own_server_behind_a_multi_model_endpoint(three: House) -> None:
    (three.root / "named.py").write_text(PREDICTOR)
    three.serves("named:Named")
    with endpoint(three, image=ARGOSY, max_loaded=2) as demo:
        texts = [demo.invoke(f"{name}.tar.gz", "{}", ContentType="application/json")["text"] for name in "abcab"]
        assert texts == [*"abcab"]
        assert demo.error(TargetModel="none.tar.gz")[0] == 400
        assert demo.error(TargetModel="a.tar.gz", ContentType="image/png")[2].startswith("Received client error (415)")
