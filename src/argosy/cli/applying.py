"""What every verb that writes to AWS does around its steps: the plan is shown, somebody agrees, it is carried out."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from argosy.aws.api import AwsApi
from argosy.cli.output import print_data, print_json, say
from argosy.errors import UsageError
from argosy.planning.apply import apply
from argosy.planning.document import plan_document
from argosy.planning.journal import Journal
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Consent, Kind, Outputs, Stage
from argosy.planning.text import plan_text

EXIT_DECLINED: Final = 1

Verb = TypeVar("Verb", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Manner:
    """How a plan is carried out.

    Attributes:
        plan_only: Show it, and do nothing.
        as_json: As JSON on stdout: the plan, or what the steps gave.
        agrees: Whether all consents are given beforehand.
    """

    plan_only: bool
    as_json: bool
    agrees: bool


def plan_options(verb: Verb) -> Verb:
    """The options `--plan`, `--json` and `--yes`, which make a `Manner`: see `manner`."""
    for option in (
        click.option("--yes", "agrees", is_flag=True, help="Agree to what costs money, goes public or is final."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout."),
        click.option("--plan", "plan_only", is_flag=True, help="Print every call that would be made, and make none."),
    ):
        verb = option(verb)
    return verb


def carry_out(stages: Sequence[Stage], state: Path, manner: Manner) -> tuple[int, Outputs]:
    """Plan, show, ask, apply.

    Args:
        stages: The steps.
        state: File in which outputs are kept; see `argosy.planning.journal`.
        manner: What the user said.

    Returns:
        The exit code, 1 where the user declined; and what the steps gave.

    Raises:
        UsageError: Somebody has to agree, and there is no terminal to ask on.
        AwsError: AWS refuses or does not answer.
        PlanError: The plan cannot be carried out.
    """
    api = AwsApi()
    journal = Journal(state)
    plan = make_plan(stages, api, journal.outputs)
    if manner.plan_only:
        _show(plan, manner)
        return 0, plan.outputs
    if not plan.due:
        return _done(plan.outputs, manner, "nothing to do: all of it is there")
    for line in plan_text(plan).splitlines():
        say(line)
    if plan.consents and not manner.agrees and not _ask(plan.consents):
        say("declined: nothing was called")
        return EXIT_DECLINED, plan.outputs
    with journal.held():
        given = apply(stages, api, journal, plan.consents, say)
    return _done(given, manner, f"done: {sum(change.kind is not Kind.NOTHING for change in plan.changes)} steps")


def _show(plan: Plan, manner: Manner) -> None:
    if manner.as_json:
        print_json(plan_document(plan))
    else:
        print_data(plan_text(plan))


def _done(given: Mapping[str, Mapping[str, str]], manner: Manner, sentence: str) -> tuple[int, Outputs]:
    if manner.as_json:
        print_json(given)
    say(sentence)
    return 0, given


def _ask(consents: Sequence[Consent]) -> bool:
    """Whether the user says yes to all of it."""
    if not sys.stdin.isatty():
        raise UsageError(
            "somebody has to agree, and there is no terminal to ask on",
            got="; ".join(consent.sentence for consent in consents),
            hint="--yes agrees beforehand, --plan shows what would be called",
        )
    for consent in consents:
        say(f"{consent.sentence} ({consent.risk.value})")
    return click.confirm("Go on?", err=True)
