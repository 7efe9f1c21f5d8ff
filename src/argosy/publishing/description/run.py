"""One run of an image, for all that can be said of it: asked what it takes, given the samples, and timed."""

import asyncio
import json
import mimetypes
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from argosy import media_type
from argosy.conformance.observing.project import observe_project, requests_of
from argosy.conformance.probes import Request
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.starts.validation import definition_of, run_over
from argosy.contract import PING, STARTUP
from argosy.errors import ContainerError, UsageError
from argosy.marketplace.limits import (
    LONGEST_CONSTRAINTS,
    LONGEST_PARAMETER,
    LONGEST_TEXT,
)
from argosy.marketplace.listing import Input, Output, OutputParameter, Parameter, Sample, Usage
from argosy.marketplace.model_package import PackageTypes
from argosy.marketplace.table import Marketplace
from argosy.project import Project
from argosy.publishing.description import wording
from argosy.publishing.description.description import Description, Limits
from argosy.publishing.description.interface import Content, Field, Interface, read_interface
from argosy.publishing.description.measurement import Invocation, Measured, invoke, measure
from argosy.simulator.connection import ENDPOINT, Connection, Reply
from argosy.simulator.containers.container import Container, stop
from argosy.simulator.health import await_ready, uninterrupted

_NOT_READY: Final = "the container did not pass the ping health check"
_SENT: Final = frozenset({"content-type", "accept", "x-amzn-sagemaker-custom-attributes"})
_SUFFIXES: Final = {"application/jsonlines": ".jsonl", "application/x-npy": ".npy", "text/csv": ".csv"}
_NOTHING: Final = Interface("", Content({}), Content({}))
_NO_DOCUMENT: Final = (
    "the image serves no /openapi.json: what its parameters are, is not known; say it in [marketplace.usage]"
)
_NO_SAMPLE: Final = (
    "no sample was given, so nothing could be measured: set samples in [marketplace.validation], or --sample"
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What is described.

    Attributes:
        target: An image or project, as it was named.
        digest: Of the image's manifest; empty for a project that is run as it is.
        open_one: Makes its container, not yet started, with no more than `limits`.
        limits: What the container has.
        project: What it belongs to; None where that is not known.
        samples: Requests that it understands; empty takes the project's.
    """

    target: str
    digest: str
    open_one: Callable[[], Container]
    limits: Limits
    project: Project | None = None
    samples: tuple[Request, ...] = ()


@dataclass(slots=True)
class _Seen:
    """What was seen of a container."""

    interface: Interface | None = None
    answered: list[tuple[Request, Reply]] = field(default_factory=list)
    measured: Measured | None = None
    notes: list[str] = field(default_factory=list)


def describe(subject: Subject, seconds: float, made_at: str) -> Description:
    """Run an image and write down what can be said of it.

    Args:
        subject: The image.
        seconds: How long each number of clients asks, when it is timed.
        made_at: The moment, in UTC as ISO 8601.

    Raises:
        ContainerError: It does not become healthy, or answers none of the samples with success.
        EngineError: The container engine is missing or failed.
    """
    facts = None if subject.project is None else observe_project(subject.project).find(ProjectFacts)
    requests = subject.samples or (requests_of(facts) if facts is not None else ())
    container = subject.open_one()
    try:
        seen = asyncio.run(_ask(container, requests, seconds))
        batch = _batch(facts, container, seen.notes)
        stop(container)
    finally:
        container.remove()
    table = Marketplace() if facts is None else facts.table
    limits = msgspec.structs.replace(subject.limits, container=container.kind)
    return Description(
        target=subject.target,
        digest=subject.digest,
        made_at=made_at,
        title=seen.interface.title if seen.interface else "",
        speed=wording.latency(seen.measured, limits) if seen.measured else "",
        usage=_usage(table, facts, seen, batch),
        measured=seen.measured,
        limits=limits,
        notes=tuple(seen.notes),
    )


async def _ask(container: Container, requests: Iterable[Request], seconds: float) -> _Seen:
    """Start the container, and ask it everything that is asked of an endpoint."""
    await uninterrupted(container.start)
    connection = Connection(container.url, ENDPOINT)
    seen = _Seen()
    try:
        await await_ready(container, connection, STARTUP.value, _NOT_READY)
        seen.interface = await _interface(connection)
        if seen.interface is None:
            seen.notes.append(_NO_DOCUMENT)
        outcomes = []
        for request in requests:
            outcome = await _outcome(connection, request)
            if isinstance(outcome, Reply):
                seen.answered.append((request, outcome))
            else:
                outcomes.append(f"{request.name}, {_types(request)}: {outcome}")
        if outcomes and not seen.answered:
            raise ContainerError(
                "no sample is answered with success", got="\n".join(outcomes), hint="argosy check  (tells why)"
            )
        seen.notes += [f"not answered with success: {outcome}" for outcome in outcomes]
        if seen.answered:
            seen.measured = await measure(connection, _invocation(seen.answered[0][0]), seconds)
        else:
            seen.notes.append(_NO_SAMPLE)
    finally:
        await connection.close()
    return seen


async def _outcome(connection: Connection, request: Request) -> Reply | str:
    """The answer of success to a sample; else what came instead, as a clause."""
    try:
        reply = await invoke(connection, _invocation(request))
    except ContainerError as error:
        return error.message
    return reply if 200 <= reply.status < 300 else f"status {reply.status}"


async def _interface(connection: Connection) -> Interface | None:
    """What the image says of itself; None where it says nothing that can be understood."""
    try:
        reply = await connection.get("/openapi.json", PING.value)
        return read_interface(json.loads(reply.body)) if reply.status == 200 else None
    except (ContainerError, ValueError, RecursionError):
        return None


def _batch(facts: ProjectFacts | None, container: Container, notes: list[str]) -> tuple[Sample, Sample]:
    """An input object of a transform job and its result: the validation's smallest sample, in its own job."""
    nothing = (Sample(), Sample())
    if facts is None or facts.samples is None or not facts.samples.files:
        return nothing
    smallest = min(facts.samples.files, key=lambda file: file.size)
    try:
        job = run_over(definition_of(facts), facts, (smallest,), container)
    except UsageError as error:
        notes.append(f"the validation's transform job cannot be run: {error.message}")
        return nothing
    results = list(job.results.values())
    if not results or not smallest.is_whole:
        why = job.outcome.status if smallest.is_whole else f"it has {smallest.size:,} bytes"
        notes.append(f"a transform job's sample cannot be made of `{smallest.path}`: {why}")
        return nothing
    named = (f"`{smallest.path}`", f"the result of `{smallest.path}`")
    return _sample(smallest.head, named[0], notes), _sample(results[0], named[1], notes)


def _usage(table: Marketplace, facts: ProjectFacts | None, seen: _Seen, batch: tuple[Sample, Sample]) -> Usage:
    told, types = seen.interface or _NOTHING, facts.types if facts is not None else PackageTypes((), ())
    asked = tuple(request.content_type for request, _ in seen.answered)
    came = tuple(reply.headers.get("content-type", "") for _, reply in seen.answered)
    taken = _forms(told.taken.forms, types.content_types or tuple(told.taken.forms) or asked)
    given = _forms(told.given.forms, types.response_types or tuple(told.given.forms) or came)
    realtime = (Sample(), Sample())
    text = ""
    if seen.answered:
        request, reply = seen.answered[0]
        realtime = (
            _sample(request.body or b"", request.name, seen.notes),
            _sample(reply.body, f"the answer to {request.name}", seen.notes),
        )
        text = wording.instructions(table, _exchange(request, reply))
    return Usage(
        instructions=text,
        input=Input(
            description=wording.input_text(table, taken) if taken else "",
            realtime_sample=realtime[0],
            batch_sample=batch[0],
            parameters=tuple(map(_parameter, told.taken.fields)),
        ),
        output=Output(
            description=wording.output_text(table, given) if given else "",
            realtime_sample=realtime[1],
            batch_sample=batch[1],
            parameters=tuple(map(_output_parameter, told.given.fields)),
        ),
    )


def _forms(told: Mapping[str, str], names: Iterable[str]) -> Mapping[str, str]:
    """Some media types, each with what is told of it."""
    known = {_essence(name): form for name, form in told.items()}
    return {name: known.get(_essence(name), "") for name in names if name}


def _sample(body: bytes, name: str, notes: list[str]) -> Sample:
    """A body as the text of a sample; none where it is no text, or too long for one."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        notes.append(f"{name} is no text: put it on GitHub, and set its url in [marketplace.usage]")
        return Sample()
    if not text.strip():
        return Sample()
    if len(text) > LONGEST_TEXT:
        notes.append(
            f"{name} has {len(text):,} characters, and a sample at most {LONGEST_TEXT:,}: put it on GitHub, and set its"
            " url in [marketplace.usage]"
        )
        return Sample()
    return Sample(text=text)


def _parameter(said: Field) -> Parameter:
    return Parameter(
        said.name, said.description[:LONGEST_PARAMETER], said.constraints[:LONGEST_CONSTRAINTS], said.is_required
    )


def _output_parameter(said: Field) -> OutputParameter:
    description = said.description[:LONGEST_PARAMETER]
    left = LONGEST_PARAMETER - len(description) - 1
    return OutputParameter(
        said.name, description, said.constraints if len(said.constraints) <= left else "", said.is_required
    )


def _invocation(request: Request) -> Invocation:
    return Invocation({name: value for name, value in request.headers if name.lower() in _SENT}, request.body or b"")


def _exchange(request: Request, reply: Reply) -> wording.Exchange:
    accept = request.header("Accept")
    if accept in ("", "*/*"):
        came = media_type.parse(reply.headers.get("content-type", ""))  # it becomes code: nothing but a media type
        accept = "*/*" if came is None else came.essence
    suffix = _SUFFIXES.get(_essence(request.content_type)) or mimetypes.guess_extension(_essence(request.content_type))
    return wording.Exchange(request.content_type, accept, f"sample{suffix or '.bin'}")


def _types(request: Request) -> str:
    return f"Content-Type {request.content_type}, Accept {request.header('Accept')}"


def _essence(name: str) -> str:
    parsed = media_type.parse(name)
    return name if parsed is None else parsed.essence
