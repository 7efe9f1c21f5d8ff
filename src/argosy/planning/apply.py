"""Carries a plan out: the only writer. Each step is looked at again before it is done, so nothing is done twice."""

import functools
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from argosy.aws.api import Api
from argosy.errors import PlanError
from argosy.planning.journal import Journal
from argosy.planning.step import Consent, Kind, Lane, Outputs, Stage, Work

_LANES_AT_A_TIME: Final = 12


def apply(
    stages: Sequence[Stage],
    api: Api,
    journal: Journal,
    agreed: Sequence[Consent],
    report: Callable[[str], None],
) -> dict[str, Mapping[str, str]]:
    """Do what is due, stage after stage; the lanes of a stage side by side.

    Args:
        stages: As for `make_plan`.
        api: AWS.
        journal: Where outputs are kept.
        agreed: What somebody has said yes to.
        report: Takes a line about what goes on; called from several threads.

    Returns:
        What the steps gave.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: A step came to a bad end, or has become one that nobody has agreed to.
    """
    known: dict[str, Mapping[str, str]] = dict(journal.outputs)
    run = _Run(api, journal, tuple(agreed), report)
    for stage in stages:
        if len(stage) == 1:
            known |= run.lane(stage[0], known)
            continue
        before = dict(known)
        with ThreadPoolExecutor(min(_LANES_AT_A_TIME, len(stage) or 1)) as threads:
            under_way = [threads.submit(run.lane, lane, before) for lane in stage]
        errors = [error for future in under_way if (error := future.exception()) is not None]
        if errors:  # the other lanes have come to their ends, and are not begun again
            raise errors[0]
        for future in under_way:
            known |= future.result()
    return known


class _Run:
    """What all lanes share."""

    def __init__(self, api: Api, journal: Journal, agreed: tuple[Consent, ...], report: Callable[[str], None]) -> None:
        self._api = api
        self._journal = journal
        self._agreed = agreed
        self._report = report
        self._lock = threading.Lock()

    def lane(self, lane: Lane, known: Outputs) -> dict[str, Mapping[str, str]]:
        """Do the steps of a lane; what they gave."""
        gathered = dict(known)
        given: dict[str, Mapping[str, str]] = {}
        for step in lane:
            change = step.look(self._api, gathered)
            outputs: Mapping[str, str] = dict(change.outputs)
            if change.kind is not Kind.NOTHING:
                if change.consent is not None and change.consent not in self._agreed:
                    raise PlanError(
                        "a step is no longer what was agreed to",
                        got=change.consent.sentence,
                        where=change.title,
                        hint="run it again, and look at the plan",
                    )
                work = Work(self._api, gathered, self._say, functools.partial(self._note, step.key))
                outputs = {**outputs, **step.apply(change, work)}
                self._note(step.key, outputs)
            given[step.key] = gathered[step.key] = {**gathered.get(step.key, {}), **outputs}
        return given

    def _note(self, key: str, outputs: Mapping[str, str]) -> None:
        with self._lock:
            self._journal.note(key, outputs)

    def _say(self, text: str) -> None:
        with self._lock:
            self._report(text)
