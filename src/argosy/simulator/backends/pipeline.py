"""An instance of a serial inference pipeline: each container's answer is the next one's request.

Source:
    https://docs.aws.amazon.com/sagemaker/latest/dg/inference-pipelines.html (read 2026-11-22).
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from argosy import contract
from argosy.errors import ArgosyError, ContainerError
from argosy.simulator import answers, request_headers
from argosy.simulator.answers import Place
from argosy.simulator.backends.multi_model import MultiModel
from argosy.simulator.connection import Reply
from argosy.simulator.containers.container import Container, Stop
from argosy.simulator.hosting import refusals
from argosy.simulator.hosting.backend import Backend, Hop, Refused, Request
from argosy.simulator.hosting.definition import Limits


class HandedOver(StrEnum):
    """What a container of a pipeline gets of a header field that the client sent."""

    CLIENTS = "clients"
    """Every container gets the client's."""
    ANSWERS = "answers"
    """The first gets the client's, each other what the answer before has."""
    LAST = "last"
    """The last alone gets the client's."""


@dataclass(frozen=True, slots=True)
class PipelineOptions:
    """How header fields go from container to container.

    UNSURE: who gets the client's Accept; by default the last container alone, for what the others give is no client's.
    UNSURE: who gets custom attributes; by default every container gets the client's.
    UNSURE: what Content-Type follows an answer that has none; here none.

    Attributes:
        accept: `CLIENTS` or `LAST`.
        custom_attributes: Any.
    """

    accept: HandedOver = HandedOver.LAST
    custom_attributes: HandedOver = HandedOver.CLIENTS


class Member(Backend, Protocol):
    """One container of several, which is a backend by itself."""

    @property
    def name(self) -> str:
        """What error texts call it: its hostname, or `container-2`."""

    async def launch(self) -> None:
        """Start its container, which need not answer yet; `start` then waits until it is healthy.

        Raises:
            ContainerError: It cannot be started.
            EngineError: The container engine failed.
        """


class Pipeline:
    """A `Backend` of 2 to 15 containers, asked one after the other.

    Args:
        members: In their order.
        options: How header fields go on.
        limits: For each of the containers.
    """

    def __init__(self, members: Sequence[Member], options: PipelineOptions, limits: Limits) -> None:
        self._members = members
        self._options = options
        self._limits = limits

    @property
    def containers(self) -> Sequence[Container]:
        """All of them, in their order."""
        return containers_of(self._members)

    async def start(self) -> None:
        """Start all containers.

        Raises:
            ContainerError: One did not become healthy.
            EngineError: The container engine failed.
        """
        await start_members(self._members)

    async def route(self, request: Request) -> Hop:
        """To the last container, after all others have answered.

        Raises:
            Refused: One of them did not answer with success: the chain ends there, and the error names it.
        """
        headers = request.headers
        if request_headers.TARGET_CONTAINER.lower() in headers:
            raise Refused(answers.unsupported_header(request.endpoint, request_headers.TARGET_CONTAINER))
        has_models = any(isinstance(member, MultiModel) for member in self._members)
        if request_headers.TARGET_MODEL.lower() in headers and not has_models:
            raise Refused(refusals.target_model_not_supported(request.endpoint))
        asked = request
        reply: Reply | None = None
        for member in self._members[:-1]:
            asked = self._request(request, member, reply)
            reply = await self._ask(member, asked)
        return await self._members[-1].route(self._request(request, self._members[-1], reply))

    async def _ask(self, member: Member, request: Request) -> Reply:
        """The answer of a container that is not the last."""
        place = Place(request.endpoint, member.name, request.region, request.account)
        hop = await member.route(request)
        status = answers.NO_STATUS
        try:
            reply = await hop.send(self._limits.invocation_s, self._limits.body_bytes)
            status = reply.status
        except ContainerError as error:
            raise Refused(answers.no_answer(place, error)) from error
        finally:
            member.end(hop, status)
        if reply.is_cut:
            note = f"the answer of {member.name} is longer than {self._limits.body_bytes} bytes"
            raise Refused(answers.response_too_large(place, note))
        if not 200 <= reply.status < 300:
            raise Refused(answers.model_error(place, reply.status, reply.body))
        return reply

    def _request(self, request: Request, member: Member, before: Reply | None) -> Request:
        """What a container gets: the client's request, or what the answer before made of it."""
        headers = dict(request.headers)
        if not isinstance(member, MultiModel):
            headers.pop(request_headers.TARGET_MODEL.lower(), None)
        is_last = member is self._members[-1]
        _hand_over(headers, "accept", self._options.accept, before, is_last)
        attributes = contract.HEADER_CUSTOM_ATTRIBUTES.lower()
        _hand_over(headers, attributes, self._options.custom_attributes, before, is_last)
        if before is None:
            return replace(request, headers=headers)
        _hand_over(headers, "content-type", HandedOver.ANSWERS, before, is_last)
        return replace(request, headers=headers, body=before.body)

    def end(self, hop: Hop, status: int) -> None:
        """The last container's invocation ended."""
        self._members[-1].end(hop, status)

    async def stop(self) -> list[Stop]:
        """End all containers."""
        return await stop_members(self._members)


def containers_of(members: Sequence[Member]) -> list[Container]:
    """The containers of all members, in their order."""
    return [container for member in members for container in member.containers]


async def start_members(members: Sequence[Member]) -> None:
    """Start the first, in whose network the others may be, then all the others at the same time.

    When one fails, the others' starts are given up, and `stop_members` has to follow.

    Raises:
        ContainerError: The first that did not become healthy.
        EngineError: The container engine failed.
    """
    await members[0].launch()
    starting = [asyncio.create_task(member.start()) for member in members]
    try:
        await asyncio.gather(*starting)
    except BaseException as error:
        if isinstance(error, ArgosyError) and await _has_ended(members[0]):
            await starting[0]  # the others have lost their network with it: its end is the reason
        raise
    finally:
        for task in starting:
            task.cancel()
        await asyncio.wait(starting)


async def _has_ended(member: Member) -> bool:
    exit_codes = [await asyncio.to_thread(container.exit_code) for container in member.containers]
    return any(code is not None for code in exit_codes)


async def stop_members(members: Sequence[Member]) -> list[Stop]:
    """Stop all, all of them even when one fails: at the same time, unless they may need the network of the first.

    An engine takes a network down with the container that it was made for; what the others still have to answer would
    be lost.

    Raises:
        ArgosyError: The first that could not be stopped, after all others have ended.
    """
    is_shared = any(container.lends_network for container in members[0].containers)
    groups = (members[1:], members[:1]) if is_shared else (members,)
    ended: list[list[Stop] | BaseException] = []
    for group in groups:
        ended += await asyncio.gather(*(member.stop() for member in group), return_exceptions=True)
    stops: list[Stop] = []
    for outcome in ended:
        if isinstance(outcome, BaseException):
            raise outcome
        stops += outcome
    return stops


def _hand_over(headers: dict[str, str], name: str, rule: HandedOver, before: Reply | None, is_last: bool) -> None:
    """Leave, replace or remove one header field, as the rule says."""
    if rule is HandedOver.LAST and not is_last:
        headers.pop(name, None)
    if rule is HandedOver.ANSWERS and before is not None:
        headers.pop(name, None)
        if name in before.headers:
            headers[name] = before.headers[name]
