"""Runs a model once for its kit: asks it what it takes, and has its samples answered, each alone and by a job."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from argosy.conformance.observing.project import requests_of
from argosy.conformance.probes import Request
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.starts.validation import definition_of, run_over
from argosy.contract import PING, STARTUP
from argosy.errors import ContainerError, ProjectError, TransformError, UsageError
from argosy.publishing.description.measurement import Invocation, invoke
from argosy.publishing.kit.contents import Case, Observed, unique_names
from argosy.simulator.connection import ENDPOINT, Connection
from argosy.simulator.containers.container import Container
from argosy.simulator.health import await_ready, uninterrupted

_MOST_BATCH: Final = 5
"""Input objects of the transform job: a buyer's first try has not to take long."""
_EVENTS: Final = "text/event-stream"
_SENT: Final = ("content-type", "accept")
_SHOWN: Final = 300


async def observe(container: Container, facts: ProjectFacts) -> Observed:
    """Start a container, and have all samples answered.

    Args:
        container: Not yet started; it still runs when this returns.
        facts: What the project says.

    Raises:
        ContainerError: It did not become healthy, or a sample is not answered with success.
        ProjectError: There is no sample for an endpoint.
        TransformError: The transform job over the validation's samples failed.
    """
    asked = _asked(facts)
    await uninterrupted(container.start)
    connection = Connection(container.url, ENDPOINT)
    try:
        await await_ready(container, connection, STARTUP.value, "the container did not pass the ping health check")
        schema = await _schema(connection)
        names = unique_names(name for name, _ in asked)
        realtime = [await _answered(connection, name, request) for name, (_, request) in zip(names, asked, strict=True)]
    finally:
        await connection.close()
    batch = await asyncio.to_thread(_batch, facts, container)
    return Observed(tuple(realtime), batch, schema, _is_streaming(schema))


def _asked(facts: ProjectFacts) -> list[tuple[str, Request]]:
    """File and request of a sample of each content type, in the first response type."""
    files = facts.samples_by_type()
    found: dict[str, tuple[str, Request]] = {}
    for request in requests_of(facts):
        if request.content_type not in found:
            found[request.content_type] = (files[request.content_type].path, request)
    if not found:
        raise ProjectError(
            "there is no sample that an endpoint could be sent",
            got="nothing in `marketplace.validation.samples`, and no file in [marketplace.usage.input]",
            where=facts.root / "argosy.toml",
            hint='[marketplace.usage.input]\nrealtime_sample = { file = "samples/one.json" }',
        )
    return list(found.values())


async def _schema(connection: Connection) -> Mapping[str, Any] | None:
    """The OpenAPI document; None where none is answered."""
    try:
        reply = await connection.get("/openapi.json", PING.value)
        found = json.loads(reply.body) if reply.status == 200 and not reply.is_cut else None
        json.dumps(found, ensure_ascii=False).encode()  # half a character, as an escape may name it, fits no file
    except (ContainerError, ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


async def _answered(connection: Connection, name: str, request: Request) -> Case:
    body, accept = request.body or b"", request.header("Accept")
    headers = {key: value for key, value in request.headers if key.lower() in _SENT}
    reply = await invoke(connection, Invocation(headers, body))
    if not 200 <= reply.status < 300 or reply.is_cut:
        raise ContainerError(
            "a sample for buyers is not answered with success",
            got=f"{reply.status}: {reply.body[:_SHOWN].decode(errors='replace')}",
            where=f"{request.name}, Content-Type {request.content_type}, Accept {accept}",
            hint="argosy check . --profile marketplace",
        )
    return Case(name, request.content_type, accept, body, reply.body)


def _batch(facts: ProjectFacts, container: Container) -> tuple[Case, ...]:
    """Input objects of the validation's job and their results; none where the project has no such samples."""
    files = [file for file in (facts.samples.files if facts.samples else ()) if file.is_whole and file.size]
    chosen = tuple(sorted(files, key=lambda file: file.size)[:_MOST_BATCH])
    if not chosen:
        return ()
    try:
        definition = definition_of(facts)
    except UsageError as error:
        raise ProjectError(
            "`marketplace.validation` describes no transform job", got=error.message, where=facts.root / "argosy.toml"
        ) from error
    job = run_over(definition, facts, chosen, container)
    told = definition.transform_input.content_type or "", definition.transform_output.accept or "*/*"
    folder = facts.samples.path if facts.samples else ""
    keys = [f"{file.path.removeprefix(f'{folder}/')}.out" for file in chosen]
    if any(key not in job.results for key in keys):
        reason = job.outcome.failure_reason or f"{len(job.results)} results of {len(chosen)} objects"
        raise TransformError("the validation's transform job failed", got=reason, hint="argosy check .")
    names = unique_names(file.path for file in chosen)
    return tuple(
        Case(name, *told, file.head, job.results[key]) for name, file, key in zip(names, chosen, keys, strict=True)
    )


def _is_streaming(schema: Mapping[str, Any] | None) -> bool:
    """Whether a document says that answers come part by part."""
    found: Any = schema or {}
    for name in ("paths", "/invocations", "post", "responses", "200", "content"):
        found = found.get(name) if isinstance(found, Mapping) else None
    return isinstance(found, Mapping) and _EVENTS in found
