"""Two containers of an inference pipeline: started in one network, one answer handed over."""

from dataclasses import replace
from typing import Final

from argosy.conformance.case import Case
from argosy.conformance.observing.act import Act
from argosy.conformance.observing.bench import Bench
from argosy.conformance.observing.trial import Trial
from argosy.conformance.probes import Exchange
from argosy.conformance.scenes.endpoint import Invocations, Start
from argosy.conformance.scenes.pipeline import HandOver, PipelineStart
from argosy.contract import PlatformVariable
from argosy.simulator.backends.ports import Ports
from argosy.simulator.containers.container import Launch


def play(bench: Bench, case: Case) -> Case:
    """Start two containers, each with a port of its own, and hand over what the first answers.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    usual, invocations = case.find(Start), case.find(Invocations)
    if usual is None:
        return Case()
    ports, patient = Ports(2), bench.patient(usual)
    told = (ports.variables(1), ports.variables(2))
    launch = Launch(environment=told[0], model_dir=bench.model_dir)
    with Trial(patient, launch) as trial:
        first = trial.start()
        container = trial.container
        scene = PipelineStart(
            container.kind,
            (told[0][PlatformVariable.BIND_TO_PORT], told[1][PlatformVariable.BIND_TO_PORT]),
            (told[0][PlatformVariable.SAFE_PORT_RANGE], told[1][PlatformVariable.SAFE_PORT_RANGE]),
            first,
            second=None,
            shares_network=container.lends_network,
        )
        if not first.is_healthy:
            return Case.of(scene)
        neighbour = container if container.lends_network else None
        beside = replace(launch, environment=told[1], shares_network_with=neighbour)
        with Trial(patient, beside) as other:
            scene = replace(scene, second=other.start())
            baseline = invocations.baseline if invocations else None
            if scene.second is None or not scene.second.is_healthy or baseline is None or not baseline.is_success:
                return Case.of(scene)
            return Case.of(scene, _hand_over(trial.send(baseline.request), other))


def _hand_over(answer: Exchange, other: Trial) -> HandOver:
    content_type = dict(answer.headers).get("content-type")
    if not answer.is_success or not content_type:
        return HandOver(answer, None)
    request = answer.request.with_headers(("Content-Type", content_type))
    return HandOver(answer, other.send(replace(request, body=answer.body, name="the answer of the first")))


ACT: Final = Act("pipeline", (PipelineStart, HandOver), play)
