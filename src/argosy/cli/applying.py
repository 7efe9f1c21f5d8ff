"""What every verb that writes to AWS does around its steps: the plan is shown, somebody agrees, it is carried out."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from argosy.aws.api import Api, AwsApi, EmptyAccount
from argosy.aws.permissions import policy
from argosy.cli.output import print_data, print_json, say
from argosy.errors import UsageError
from argosy.planning.apply import apply
from argosy.planning.document import plan_document
from argosy.planning.journal import Journal
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Consent, Outputs, Stage
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


@dataclass(frozen=True, slots=True)
class PolicyAsked:
    """Not the plan is asked for, but what IAM has to allow for it: `argosy iam`, as the object of click's context.

    Attributes:
        account: Whose things they are, twelve digits; None: the one that the plan knows, else any.
        is_as_is: Whether for the plan of the account as it is; else for one in which nothing is: no credentials needed.
    """

    account: str | None = None
    is_as_is: bool = False


def is_policy_asked() -> bool:
    """Whether a verb is asked for its permissions, and not to do anything."""
    return _policy_asked() is not None


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
        click.exceptions.Exit: The policy was asked for, and is printed.
        UsageError: Somebody has to agree, and there is no terminal to ask on.
        AwsError: AWS refuses or does not answer.
        PlanError: The plan cannot be carried out.
    """
    if (asked := _policy_asked()) is not None:
        is_as_is = asked.is_as_is
        known = Journal(state).outputs if is_as_is else {}
        show_plan(make_plan(stages, AwsApi() if is_as_is else EmptyAccount(), known), as_json=True)
        raise click.exceptions.Exit(0)
    api = AwsApi()
    journal = Journal(state)
    if manner.plan_only and api.credentials_fault() is not None:
        say("there are no AWS credentials: this is the plan for an account in which nothing is")
        show_plan(plan := make_plan(stages, EmptyAccount(), {}), as_json=manner.as_json)
        return 0, plan.outputs
    if manner.plan_only:
        show_plan(plan := make_plan(stages, api, journal.outputs), as_json=manner.as_json)
        return 0, plan.outputs
    with journal.held():
        return _carry_out(stages, api, journal, manner)


def _carry_out(stages: Sequence[Stage], api: Api, journal: Journal, manner: Manner) -> tuple[int, Outputs]:
    plan = make_plan(stages, api, journal.outputs)
    plan.require_possible()
    if not plan.due:
        return _done(plan.outputs, manner, "nothing to do: all is as it shall be")
    for line in plan_text(plan).splitlines():
        say(line)
    if plan.consents and not manner.agrees and not _ask(plan.consents):
        say("declined: nothing was called")
        return EXIT_DECLINED, plan.outputs
    try:
        given = apply(stages, api, journal, None if manner.agrees else plan.consents, say)
    except KeyboardInterrupt:
        say("interrupted: run it again, and it goes on where it was")
        raise
    return _done(given, manner, f"done: {len(plan.due)} steps")


def _policy_asked() -> PolicyAsked | None:
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_object(PolicyAsked)


def show_plan(plan: Plan, *, as_json: bool) -> None:
    """Print a plan; where `argosy iam` asks, what IAM has to allow for it instead."""
    if (asked := _policy_asked()) is not None:
        account = asked.account or plan.outputs.get("account", {}).get("id") or "*"
        print_json(policy(plan.calls, account))
    elif as_json:
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
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError(
            "somebody has to agree, and there is no terminal to ask on",
            got="; ".join(consent.sentence for consent in consents),
            hint="--yes agrees beforehand, --plan shows what would be called",
        )
    return click.confirm("Go on?", err=True)
