"""`argosy iam`: what IAM has to allow whoever runs a verb, and no more."""

import click

from argosy.cli import main
from argosy.cli.applying import PolicyAsked
from argosy.errors import UsageError


def planned_verbs(context: click.Context) -> list[str]:
    """The verbs that have a plan."""
    folders = ("selling.", "buying.")
    named = [verb for verb, (module, _) in main.VERBS.items() if module.startswith(folders) and module != "selling.iam"]
    return [verb for verb in named if _planned(context, verb) is not None]


@click.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--account", metavar="ID", help="Whose things they are. [default: what the plan says, else any account]")
@click.option(
    "--as-is",
    "is_as_is",
    is_flag=True,
    help="Of the plan for the account as it is; needs credentials. [default: as if nothing were there]",
)
@click.argument("verb", metavar="VERB")
@click.argument("arguments", metavar="[ARGUMENTS]...", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def command(context: click.Context, account: str | None, is_as_is: bool, verb: str, arguments: tuple[str, ...]) -> int:
    """Print the least-privilege policy of a verb's whole plan, as IAM takes it.

    VERB comes with its own arguments: `argosy iam release eu-west-1`, `argosy iam publish --public`. Nothing is asked
    of AWS, unless with --as-is, and nothing is changed.
    """
    found = _planned(context, verb)
    if found is None:
        raise UsageError(
            "there is no such verb, or it has no plan",
            got=f"`{verb}`",
            want=f"one of {', '.join(planned_verbs(context))}",
            hint="argosy iam publish",
        )
    context.obj = PolicyAsked(account, is_as_is)
    with found.make_context(f"argosy iam {verb}", list(arguments), parent=context) as inner:
        result = found.invoke(inner)
    return result if isinstance(result, int) else 0


def _planned(context: click.Context, verb: str) -> click.Command | None:
    """A verb's command, when it has a plan."""
    found = main.command.get_command(context, verb)
    is_planned = found is not None and any(parameter.name == "plan_only" for parameter in found.params)
    return found if is_planned else None
