"""Carries a plan out: the only writer. Each step is looked at again before it is done, so nothing is done twice."""

import functools
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from argosy.aws.api import Api
from argosy.aws.call import Call
from argosy.errors import ArgosyError, PlanError
from argosy.planning.journal import Journal
from argosy.planning.lanes import side_by_side
from argosy.planning.plan import require_possible
from argosy.planning.step import Change, Consent, Kind, Lane, Outputs, Stage, Step, Work, after


def apply(
    stages: Sequence[Stage],
    api: Api,
    journal: Journal,
    agreed: Sequence[Consent] | None,
    report: Callable[[str], None],
) -> dict[str, Mapping[str, str]]:
    """Do what is due, stage after stage; the lanes of a stage side by side.

    Args:
        stages: As for `make_plan`.
        api: AWS.
        journal: Where outputs are kept.
        agreed: What somebody has said yes to; None: to whatever comes.
        report: Takes a line about what goes on, the errors of lanes beside others too; called from several threads.

    Returns:
        What the steps gave.

    Raises:
        AwsError: AWS refuses or does not answer.
        PlanError: A step came to a bad end, or has become one that nobody has agreed to.
    """
    known: dict[str, Mapping[str, str]] = dict(journal.outputs)
    run = _Run(api, journal, None if agreed is None else tuple(agreed), report)
    try:
        for stage in stages:
            lanes = [functools.partial(run.lane, lane, dict(known), is_alone=len(stage) == 1) for lane in stage]
            for given in side_by_side(lanes):
                known |= given
    except BaseException:
        run.stop()
        raise
    return {step.key: known[step.key] for stage in stages for lane in stage for step in lane}


class _Run:
    """What all lanes share."""

    def __init__(
        self, api: Api, journal: Journal, agreed: tuple[Consent, ...] | None, report: Callable[[str], None]
    ) -> None:
        self._api = _Stoppable(api)
        self._journal = journal
        self._agreed = agreed
        self._report = report
        self._saying = threading.Lock()

    def stop(self) -> None:
        """Let no lane call, note or say anything more: after Ctrl-C some may still be at work."""
        with self._saying:
            self._api.is_stopped = True

    def lane(self, lane: Lane, known: dict[str, Mapping[str, str]], *, is_alone: bool) -> dict[str, Mapping[str, str]]:
        """Do the steps of a lane; what they gave. `known` is its own."""
        given: dict[str, Mapping[str, str]] = {}
        try:
            for step in lane:
                given[step.key] = known[step.key] = self._step(step, known)
        except ArgosyError as error:
            if not is_alone:  # the others may go on for hours, and only one error can be raised at the end
                self._say(f"failed: {error}")
            raise
        return given

    def _step(self, step: Step, known: Outputs) -> Mapping[str, str]:
        change = step.look(self._api, known)
        require_possible(change)
        outputs = after(known, change)
        if change.kind is Kind.NOTHING:
            for note in change.notes:
                self._say(f"{change.title}: {note}")
            return outputs
        self._check_consent(change)
        noted: dict[str, str] = {}
        work = Work(self._api, known, self._say, functools.partial(self._note, step.key, noted))
        outputs = {**outputs, **noted, **step.apply(change, work)}
        if change.kind is Kind.DELETE:
            self._journal.forget((step.key,))
        else:
            self._note(step.key, noted, outputs)
        return outputs

    def _check_consent(self, change: Change) -> None:
        if change.consent is None or self._agreed is None or change.consent in self._agreed:
            return
        raise PlanError(
            "a step is no longer what was agreed to",
            got=change.consent.sentence,
            where=change.title,
            hint="run it again, and look at the plan",
        )

    def _note(self, key: str, noted: dict[str, str], outputs: Mapping[str, str]) -> None:
        self._api.check()
        noted.update(outputs)
        self._journal.note(key, outputs)

    def _say(self, text: str) -> None:
        with self._saying:
            if not self._api.is_stopped:
                self._report(text)


class _Stoppable:
    """An `Api` that after a stop asks nothing more, so that a lane that nobody waits for ends at its next call.

    Args:
        api: The one that asks.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self.is_stopped = False

    def check(self) -> None:
        """Raises:
        PlanError: It was stopped.
        """
        if self.is_stopped:
            raise PlanError("the run was interrupted")

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        """See `argosy.aws.api.Reader`."""
        self.check()
        return self._api.ask(call, absent)

    def pages(self, call: Call) -> Iterator[Any]:
        """See `argosy.aws.api.Reader`."""
        self.check()
        return self._api.pages(call)

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        """See `argosy.aws.api.Api`."""
        self.check()
        return self._api.write(call, absent)
