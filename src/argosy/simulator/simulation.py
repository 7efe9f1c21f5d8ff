"""A whole simulated SageMaker: state, buckets, endpoints and jobs behind one port of this machine."""

import asyncio
import re
import socket
import ssl
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from argosy import contract
from argosy.simulator import answers
from argosy.simulator.allotment import Allotment
from argosy.simulator.answers import Answer
from argosy.simulator.backends.maker import BackendMaker, BackendOptions
from argosy.simulator.batch import Batch
from argosy.simulator.control.definitions import find_own_package
from argosy.simulator.control.deployments import Deployments
from argosy.simulator.control.endpoint_configs import EndpointConfigs
from argosy.simulator.control.endpoints import Endpoints
from argosy.simulator.control.inference_components import InferenceComponents
from argosy.simulator.control.model_packages import ModelPackages
from argosy.simulator.control.models import ImageLabels, Models
from argosy.simulator.control.refusals import Refusal
from argosy.simulator.control.resources import Resource
from argosy.simulator.control.service import REQUEST_BYTES, TARGET, ControlPlane, Parts
from argosy.simulator.control.store import Store
from argosy.simulator.control.transform_jobs import TransformJobs
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import OpenContainer
from argosy.simulator.hosting.definition import EndpointDefinition
from argosy.simulator.hosting.endpoint import Endpoint, HostingOptions
from argosy.simulator.hosting.furnished import Surroundings
from argosy.simulator.log_stream import ENDPOINTS, LogSink, NoLogSink
from argosy.simulator.platform import Alone, Platform
from argosy.simulator.runtime import http2
from argosy.simulator.runtime.asgi import Message, Receive, Send
from argosy.simulator.runtime.async_inference import AsyncInference
from argosy.simulator.runtime.async_spool import Spool
from argosy.simulator.runtime.bidirectional import BidirectionalStreams
from argosy.simulator.runtime.notification import Notifier
from argosy.simulator.runtime.service import Runtime, serve
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectStore
from argosy.simulator.transform.definition import Assumptions

_REGION: Final = re.compile(r"Credential=[^/,\s]+/\d{8}/([a-z0-9-]{1,30})/")


@dataclass(frozen=True, slots=True)
class StreamsPort:
    """Where bidirectional streams are served.

    Attributes:
        number: Of the port; 0 takes a free one.
        tls: The server's certificate; None for clients that speak HTTP/2 without TLS.
    """

    number: int = 0
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class World:
    """What a simulation has around it.

    Attributes:
        state: The folder that keeps its resources; one simulation at a time holds it.
        objects: Where `s3://` leads.
        open_container: Makes a container of an image.
        labels: What images say of themselves.
        report: Takes what a person should know, one line each.
        subscribers: Who hears of asynchronous invocations: a topic's ARN -> a file or URL.
        backends: What nobody knows of multi-model endpoints and pipelines.
        hosting: What a person may change about endpoints.
        assumptions: What nobody knows of transform jobs.
        streams: Where bidirectional streams are served.
        is_as_declared: Whether containers are limited to what their instance type has.
        account: Whose resources they are.
        platform: The services around: ECR, IAM, AWS Marketplace.
        logs: Takes what containers write.
    """

    state: Path
    objects: ObjectStore
    open_container: OpenContainer
    labels: ImageLabels
    report: Report
    subscribers: Mapping[str, str | Path] = field(default_factory=dict)
    backends: BackendOptions = field(default_factory=BackendOptions)
    hosting: HostingOptions = field(default_factory=HostingOptions)
    assumptions: Assumptions = field(default_factory=Assumptions)
    streams: StreamsPort = StreamsPort()
    is_as_declared: bool = False
    account: str = answers.ACCOUNT
    platform: Platform = field(default_factory=Alone)
    logs: LogSink = field(default_factory=NoLogSink)


class _Gate:
    """The endpoints in service, for both ways of invoking them; a `Traffic`."""

    def __init__(self, asynchronous: AsyncInference) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self._asynchronous = asynchronous

    async def admit(self, name: str, served: Endpoint) -> None:
        """Let invocations reach an endpoint."""
        self.endpoints[name] = served
        await self._asynchronous.attach(served)

    async def turn_away(self, name: str) -> None:
        """Let none reach an endpoint, and forget what was accepted for it."""
        self.endpoints.pop(name, None)
        await self._asynchronous.discard(name)

    async def close(self) -> None:
        """Let none reach any endpoint; what was accepted is kept."""
        self.endpoints.clear()
        await self._asynchronous.close()


class Simulation:
    """The `sagemaker` API and the runtime API on one port.

    Args:
        world: What is around it.

    Raises:
        UsageError: Another simulation holds the state, or botocore is not installed.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._report = world.report
        store = Store(world.state, world.account, world.platform.shared_package)
        self._store = store
        self._surroundings = Surroundings(world.open_container, world.objects, world.report, world.logs)
        self._allotment = Allotment(world.report, world.is_as_declared)
        batch = Batch(
            *(self._surroundings, world.state / "jobs", world.assumptions, self._allotment),
            shares_network=world.backends.shares_network,
        )
        asynchronous = AsyncInference(
            world.objects, Spool(world.state / "async"), Notifier(world.subscribers, world.report), world.report
        )
        gate = _Gate(asynchronous)
        self._runtime = Runtime(gate.endpoints, world.report, asynchronous, world.account)
        streams = BidirectionalStreams(gate.endpoints.get, world.report, is_labelled=self._is_bidirectional)
        self._streams = http2.Server(streams.answer, world.report)
        deployments = Deployments(store, self._open_endpoint, gate, world.report)
        parts = Parts(
            store,
            deployments,
            Models(store, world.objects, world.labels, world.platform),
            EndpointConfigs(store),
            Endpoints(store, deployments),
            TransformJobs(store, batch, world.objects, world.report),
            ModelPackages(store, batch, world.report, world.platform),
            InferenceComponents(store, deployments, world.report),
        )
        try:
            self._control = ControlPlane(parts, world.report)
        except BaseException:
            store.close()
            raise

    def _open_endpoint(self, definition: EndpointDefinition) -> Endpoint:
        world = self._world
        group = f"{ENDPOINTS}{definition.name}"
        make_backend = BackendMaker(self._surroundings, world.backends, definition.limits, self._allotment, group)
        return Endpoint(definition, make_backend, world.report, world.hosting, world.objects)

    @property
    def streams_url(self) -> str:
        """Where bidirectional streams are served over HTTP/2, valid when clients can connect."""
        if self._world.streams.tls is not None:
            return f"https://localhost:{self._streams.port}"  # certificates are for names
        return f"http://127.0.0.1:{self._streams.port}"

    def package(self, name_or_arn: str, region: str) -> Resource | None:
        """A model package of this account, None where there is none."""
        try:
            return find_own_package(self._store, region, name_or_arn)
        except Refusal:
            return None

    def _is_bidirectional(self, endpoint: Endpoint) -> bool | None:
        """Whether all images of an endpoint have the label; None when one has no labels to look at."""
        models = [variant.model for variant in endpoint.definition.variants if variant.model is not None]
        labels = [self._world.labels(container.image) for model in models for container in model.containers]
        if None in labels:
            return None
        return all(found is not None and found.get(contract.LABEL_BIDIRECTIONAL) == "true" for found in labels)

    async def serve(self, listener: socket.socket, stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        """Go on where the simulation before ended, and answer until `stopping` is set or this is cancelled.

        At the end all containers end as SageMaker ends them; the resources stay.
        """
        async with self.running():
            await serve(self, listener, stopping, on_open)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Go on where the simulation before ended, for as long as the block runs; somebody else has the socket.

        At the end all containers end as SageMaker ends them; the resources stay.
        """
        try:
            if isinstance(self._world.objects, LocalFolder):  # S3 has no files aside
                await asyncio.to_thread(self._world.objects.remove_leftovers)
            await self._streams.start(self._world.streams.number, self._world.streams.tls)
            self._control.resume()
            yield
        finally:
            try:
                await self._streams.close()
            finally:
                await self._control.close()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one HTTP request (ASGI): the `sagemaker` API is at `/`, all else is the runtime API's."""
        if scope["type"] != "http" or scope["path"] != "/":
            await self._runtime(scope, receive, send)
            return
        answer = await self._answer(scope, receive)
        if answer is None:
            return
        if answer.status != 200:
            self._report(answer.note or f"{answer.status}")
        length = ("Content-Length", str(len(answer.body)))
        listed = [*answer.headers, ("x-amzn-RequestId", str(uuid.uuid4())), length]
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in listed]
        await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Message, receive: Receive) -> Answer | None:
        """The answer of the `sagemaker` API, None when the client left."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            if len(body) <= REQUEST_BYTES:
                body += message.get("body", b"")
            if not message.get("more_body", False):
                break
        if scope["method"] != "POST" or TARGET not in headers:
            return answers.not_simulated(404, "the `sagemaker` API takes POST / with an X-Amz-Target header field")
        if len(body) > REQUEST_BYTES:
            return answers.not_simulated(413, f"a request of the `sagemaker` API has at most {REQUEST_BYTES} bytes")
        region = _REGION.search(headers.get("authorization", ""))
        return await self._control.answer(headers[TARGET], bytes(body), region.group(1) if region else answers.REGION)
