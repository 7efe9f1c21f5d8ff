"""A whole simulated SageMaker: state, buckets, endpoints and jobs behind one port of this machine."""

import asyncio
import re
import socket
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from argosy.simulator import answers
from argosy.simulator.answers import Answer
from argosy.simulator.containers.container import Container
from argosy.simulator.control.deployments import Deployments
from argosy.simulator.control.endpoint_configs import EndpointConfigs
from argosy.simulator.control.endpoints import Endpoints
from argosy.simulator.control.model_packages import ModelPackages
from argosy.simulator.control.models import ImageLabels, Models
from argosy.simulator.control.service import REQUEST_BYTES, TARGET, ControlPlane, Parts
from argosy.simulator.control.store import Store
from argosy.simulator.control.transform_jobs import RunTransform, TransformJobs
from argosy.simulator.health import Report
from argosy.simulator.hosting.backend import MakeBackend
from argosy.simulator.hosting.definition import EndpointDefinition
from argosy.simulator.hosting.endpoint import Endpoint
from argosy.simulator.runtime.service import Message, Receive, Runtime, Send, serve
from argosy.simulator.storage.objects import ObjectStore

_REGION: Final = re.compile(r"Credential=[^/,\s]+/\d{8}/([a-z0-9-]{1,30})/")


@dataclass(frozen=True, slots=True)
class World:
    """What a simulation has around it.

    Attributes:
        state: The folder that keeps its resources; one simulation at a time holds it.
        objects: Where `s3://` leads.
        make_backend: Makes what an instance runs.
        run_transform: Runs a transform job.
        labels: What images say of themselves.
        report: Takes what a person should know, one line each.
    """

    state: Path
    objects: ObjectStore
    make_backend: MakeBackend
    run_transform: RunTransform
    labels: ImageLabels
    report: Report


class Simulation:
    """The `sagemaker` API and the runtime API on one port.

    Args:
        world: What is around it.

    Raises:
        UsageError: Another simulation holds the state, or botocore is not installed.
    """

    def __init__(self, world: World) -> None:
        self._report = world.report
        self._endpoints: dict[str, Endpoint] = {}
        self._opened: list[Endpoint] = []
        self._runtime = Runtime(self._endpoints, world.report)

        def open_endpoint(definition: EndpointDefinition) -> Endpoint:
            self._opened = [endpoint for endpoint in self._opened if endpoint.containers]
            self._opened.append(Endpoint(definition, world.make_backend, world.report))
            return self._opened[-1]

        store = Store(world.state)
        deployments = Deployments(store, open_endpoint, self._endpoints, world.report)
        parts = Parts(
            store,
            deployments,
            Models(store, world.objects, world.labels),
            EndpointConfigs(store),
            Endpoints(store, deployments),
            TransformJobs(store, world.run_transform, world.objects, world.report),
            ModelPackages(store, world.run_transform, world.report),
        )
        try:
            self._control = ControlPlane(parts, world.report)
        except BaseException:
            store.close()
            raise

    @property
    def containers(self) -> list[Container]:
        """The containers of all endpoints."""
        return [container for endpoint in self._opened for container in endpoint.containers]

    async def serve(self, listener: socket.socket, stopping: asyncio.Event, on_open: Callable[[], None]) -> None:
        """Go on where the simulation before ended, and answer until `stopping` is set or this is cancelled.

        At the end all containers end as SageMaker ends them; the resources stay.
        """
        try:
            self._control.resume()
            await serve(self, listener, stopping, on_open)
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
