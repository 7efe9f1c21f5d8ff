"""An act: one container's life, or several, watched for some scenes; and the order in which acts are played."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final

from argosy.conformance.case import Case
from argosy.conformance.observing.bench import Bench
from argosy.conformance.scenes.endpoint import Start
from argosy.errors import ContainerError

NOT_ASKED: Final = "not asked for: --drills"
"""Why the scenes of drills are absent where `Bench.drills` is None."""
_AT_ONCE: Final = 2
"""Acts that are played beside each other: those whose times are judged are alone."""


@dataclass(frozen=True, slots=True)
class Act:
    """What is done with containers of their own, to see some scenes.

    Attributes:
        name: One or two words for people: `endpoint`, `read-only root`.
        scenes: The types of what it may give; those that it does not give are absent, with the reason that it gives or
            with none.
        play: Starts containers and removes them; gets what was observed before. Whatever a container does wrong is
            part of a scene.
        is_alone: Whether nothing else may run meanwhile, because times are judged.
        needs_healthy: Whether it is played only where the first act's container got healthy.
        is_drill: Whether it hurts its containers, and is played only where that is asked for: `Bench.drills`.
    """

    name: str
    scenes: tuple[type, ...]
    play: Callable[[Bench, Case], Case]
    is_alone: bool = False
    needs_healthy: bool = True
    is_drill: bool = False


def observe(bench: Bench, acts: Sequence[Act], wanted: Iterable[type], known: Case | None = None) -> Case:
    """Play the acts that give a wanted scene: first those that have to be alone, in order, then the others.

    Args:
        bench: How containers are had.
        acts: All that there are; the first one tells whether a container gets healthy, and is always played.
        wanted: Types of the scenes that somebody judges.
        known: What was seen of the image at rest.

    Raises:
        EngineError: The container engine is missing or failed.
    """
    kinds = set(wanted)
    first, *others = acts
    case = known or Case()
    case = case.joined(_played(first, bench, case))
    chosen = [act for act in others if kinds & set(act.scenes)]
    if bench.drills is None:
        case = case.without((scene for act in chosen if act.is_drill for scene in act.scenes), NOT_ASKED)
        chosen = [act for act in chosen if not act.is_drill]
    for act in _ready(chosen, case, is_alone=True):
        case = case.joined(_played(act, bench, case))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        playing = [pool.submit(_played, act, bench, case) for act in _ready(chosen, case, is_alone=False)]
        try:
            for one in playing:
                case = case.joined(one.result())
        except BaseException:
            pool.shutdown(
                wait=False, cancel_futures=True
            )  # those that have not begun; the others remove what they made
            raise
    return case


def _ready(acts: Sequence[Act], case: Case, *, is_alone: bool) -> Iterator[Act]:
    for act in acts:
        if act.is_alone is is_alone and (is_healthy(case) or not act.needs_healthy):
            yield act


def is_healthy(case: Case) -> bool:
    """Whether the first act's container got healthy."""
    from_start = case.find(Start)
    return from_start is not None and from_start.is_healthy


def _played(act: Act, bench: Bench, case: Case) -> Case:
    try:
        return act.play(replace(bench, act=act.name), case)
    except ContainerError as error:
        return Case().without(act.scenes, f"its container failed: {error.message}")
