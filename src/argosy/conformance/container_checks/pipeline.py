"""A container among others of an inference pipeline: its port, and whether it follows itself."""

import re
from typing import Any, Final

from argosy.conformance.check import SAMPLE, Check, Group, Verdict, failed, passed, unknown
from argosy.conformance.clause import fact, must
from argosy.conformance.container_checks.startup import endings
from argosy.conformance.profile import Profile
from argosy.conformance.scenes.pipeline import HandOver, PipelineStart
from argosy.contract import MULTI_CONTAINER_PAGE

_TAKEN: Final = re.compile(r"(?i:address (?:already )?in use)|\bEADDRINUSE\b")


def _port(scene: PipelineStart) -> Verdict:
    if not scene.first.is_healthy:
        sentence = f"told to listen on port {scene.ports[0]}, it does not get healthy there"
        return failed(sentence, *endings(scene.first))
    return passed(f"it listens on port {scene.ports[0]}, as it is told")


def _range(scene: PipelineStart) -> Verdict:
    second = scene.second
    if second is None or not second.is_healthy:
        log = () if second is None else second.log
        taken = ": a port is taken" if any(_TAKEN.search(line) for line in log) else ""
        sentence = f"beside another one, told to use {scene.ports[1]} and {scene.ranges[1]}, it does not get healthy"
        return failed(f"{sentence}{taken}", *(() if second is None else endings(second)))
    if not scene.shares_network:
        return unknown(f"two of kind {scene.kind} have no network in common", decide="--container sandbox")
    return passed(f"two in one network get healthy, at ports {scene.ports[0]} and {scene.ports[1]}")


def _taken(scene: HandOver) -> Verdict:
    following = scene.next
    if not scene.answer.is_success:
        return unknown("its answer was no 2xx this time", scene.answer.evidence, decide=SAMPLE)
    if following is None:
        return unknown("there is no answer that could be handed over")
    if following.status == 415:
        return failed("it does not take the media type that it gives, so two of it cannot follow", following.evidence)
    if following.status is None or following.is_server_error:
        return failed(f"its own answer as input has {following.status or following.error}", following.evidence)
    return passed(f"its own answer as input has {following.status}")


_ONLY: Final = (Profile.PIPELINE,)
_START: Final[Group[PipelineStart]] = Group("pipeline", PipelineStart, needs=("start-healthy",))
_HAND_OVER: Final[Group[HandOver]] = Group("pipeline", HandOver, needs=("bind-to-port", "safe-port-range"))

CHECKS: Final[tuple[Check[Any], ...]] = (  # two scene types, hence Any
    _START.check(
        must(
            "bind-to-port",
            MULTI_CONTAINER_PAGE,
            "The server listens on the port of SAGEMAKER_BIND_TO_PORT.",
            "bind 0.0.0.0:${SAGEMAKER_BIND_TO_PORT:-8080}",
            rows="N10",
            only=_ONLY,
        ),
        _port,
    ),
    _START.check(
        must(
            "safe-port-range",
            MULTI_CONTAINER_PAGE,
            "Beside that port the container uses none but those of SAGEMAKER_SAFE_PORT_RANGE.",
            "take every further port from SAGEMAKER_SAFE_PORT_RANGE, or use Unix sockets below /tmp",
            rows="N10",
            only=_ONLY,
        ),
        _range,
        "bind-to-port",
    ),
    _HAND_OVER.check(
        fact(
            "pipeline-hand-over",
            MULTI_CONTAINER_PAGE,
            "The container takes its own answer as input.",
            "take what the container before gives; two containers of one image follow each other only then",
            rows="N10",
            only=_ONLY,
        ),
        _taken,
        "response-content-type",
    ),
)
