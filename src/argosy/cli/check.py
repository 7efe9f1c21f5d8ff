"""`argosy check`: does this image keep SageMaker's contract?"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from argosy.cli import environment, output
from argosy.cli.building import loading
from argosy.cli.checking import options as told
from argosy.cli.checking.remembered import Memory, is_final
from argosy.cli.checking.target import Target
from argosy.cli.containers import KINDS, KINDS_HELP
from argosy.cli.environment import Environment
from argosy.cli.main import EXIT_EXAMINED_FAILED, exit_code
from argosy.conformance.catalogue import CHECKS
from argosy.conformance.explaining import explanation
from argosy.conformance.finding import Report
from argosy.conformance.observing.bench import SERVERLESS_MB, SERVERLESS_SIZES_MB
from argosy.conformance.profile import Profile
from argosy.conformance.reporting.form import Form, write
from argosy.conformance.reporting.text import lines
from argosy.contract import STARTUP
from argosy.errors import ArgosyError, UsageError

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command
@click.argument("targets", metavar="[IMAGE|PROJECT]...", nargs=-1)
@click.option(
    "--profile",
    type=click.Choice([profile.value for profile in Profile]),
    help="What it is to be. [default: marketplace for a project with a [marketplace] table, else sagemaker]",
)
@click.option("--model-data", metavar="FILE", type=_FILE, help="The model.tar.gz that goes with the image; linted too.")
@click.option("--container", type=click.Choice(KINDS), help=KINDS_HELP)
@click.option(
    "--instance-type",
    metavar="TYPE",
    help="Give it the processors, memory and disk of an instance type, as ml.m5.large. [default: all of this machine]",
)
@click.option(
    "--serverless-memory",
    "serverless_mb",
    metavar="MB",
    type=click.Choice([str(size) for size in SERVERLESS_SIZES_MB]),
    default=str(SERVERLESS_MB),
    show_default=True,
    help="Memory of the endpoint that --profile serverless has in mind: 1024 to 6144.",
)
@click.option(
    "--sample",
    "samples",
    metavar="FILE",
    type=_FILE,
    multiple=True,
    help="A request body that the model understands; may be given several times.",
)
@click.option(
    "--content-type",
    "content_types",
    metavar="TYPE",
    multiple=True,
    help="The sample's media type, for each or for all; needed with --sample.",
)
@click.option(
    "--accept", "accepts", metavar="TYPE", multiple=True, help="The answer's, for each or for all. [default: */*]"
)
@click.option(
    "--startup-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1),
    default=STARTUP.value,
    show_default=True,
    help="How long to wait for the first healthy answer.",
)
@click.option("--drills", "with_drills", is_flag=True, help="Hurt its containers, too: takes a minute or two longer.")
@click.option(
    "--waivers", metavar="FILE", type=_FILE, help="A TOML file of [[check.waivers]], as argosy.toml may have them."
)
@click.option(
    "--project",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The project that an image belongs to: its argosy.toml has the waivers.",
)
@click.option(
    "--report",
    "report_files",
    metavar="FORM:FILE",
    multiple=True,
    help=f"Write the report to a file, too, as {', '.join(Form)}; may be given several times.",
)
@click.option(
    "--online",
    "is_online",
    is_flag=True,
    help="Ask AWS, with boto3's credentials, what the account has: region, repository, scan, bucket, roles; read only.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--strict", is_flag=True, help="Fail on clauses of level SHOULD and on undecided ones, too.")
@click.option("--changed-only", is_flag=True, help="Give the last report again where nothing has changed since.")
@click.option(
    "--explain",
    metavar="[CLAUSE|ROW]",
    is_flag=False,
    flag_value="",
    help="Say what a clause (`ping`) or a row (`C09`) asks, and why; without one, list them all.",
)
def command(
    targets: tuple[str, ...], as_json: bool, strict: bool, changed_only: bool, explain: str | None, **values: Any
) -> int:  # Any: click's values, typed by their options
    """Check images against what SageMaker demands of a container.

    It works on any image, however it was built. Exit codes: 0 when each conforms or is undecided (the report's last
    lines say what is), 1 when a clause of level MUST failed that is not waived, 2 on wrong usage, 3 when the container
    engine, the network or a registry fails. With --strict, 1 also when a SHOULD failed or a MUST is undecided.
    """
    if explain is not None:
        _explain(explain, as_json)
        return 0
    if not targets:
        raise UsageError("there is nothing to check", want="an image or a project", hint="argosy check .")
    around = environment.read()
    files = told.report_files(values["report_files"])
    options = replace(_options(values), written=tuple(path for _, path in files))
    found, failures = _reports([Target(name, options, around) for name in targets], around, changed_only)
    for form, path in files:
        path.write_bytes(write(found, form))
    if len(found) == 1 and failures:
        raise failures[0]
    _print(found, as_json)
    for _, path in files:
        output.say(f"wrote {path}")
    bad = [EXIT_EXAMINED_FAILED for report in found if not report.failure and not _is_good(report, strict)]
    return max([*map(exit_code, failures), *bad], default=0)


def _explain(name: str, as_json: bool) -> None:
    """Print what a clause or the clauses of a row ask, or the list of all."""
    checks = explanation.find(name) if name else CHECKS
    if not checks:
        told = explanation.row_of(name)
        output.print_json([{"row": name.upper(), "text": told}]) if as_json else output.print_data(told)
    elif as_json:
        output.print_json(explanation.to_objects(checks))
    else:
        output.print_data(explanation.to_text(checks) if name else explanation.to_list(checks))


def _options(values: dict[str, Any]) -> told.Options:
    """The options as values.

    Raises:
        UsageError: They contradict each other, or name something that there is not.
    """
    folder: Path | None = values["folder"]
    return told.Options(
        profile=Profile(values["profile"]) if values["profile"] else None,
        model_data=values["model_data"],
        container=values["container"],
        instance_type=told.find_instance_type(values["instance_type"]),
        serverless_mb=int(values["serverless_mb"]),
        samples=told.samples(values["samples"], values["content_types"], values["accepts"]),
        startup_s=values["startup_timeout"],
        waivers=told.load_waivers(values["waivers"]),
        project=None if folder is None else loading.load(folder),
        with_drills=values["with_drills"],
        is_online=values["is_online"],
    )


def _reports(
    targets: Sequence[Target], around: Environment, changed_only: bool
) -> tuple[list[Report], list[ArgosyError]]:
    """A report on each target, and what went wrong with those that could not be examined; their reports say it."""
    memory = Memory(around.cache_dir)
    found: list[Report] = []
    failures: list[ArgosyError] = []
    for target in targets:
        try:
            found.append(_report(target, memory, around, changed_only))
        except ArgosyError as error:
            if len(targets) > 1:
                output.say(f"error: {target.name}: {error}")
            failures.append(error)
            found.append(target.not_examined(error))
    return found, failures


def _report(target: Target, memory: Memory, around: Environment, changed_only: bool) -> Report:
    """The report on one target: the last one, where that is asked for and nothing has changed."""
    if not changed_only or target.is_online:  # nobody knows whether an account has changed
        return target.check()
    key = target.key()
    known = memory.find(key)
    if known is not None:
        output.say(f"{target.name}: nothing has changed since {known.checked_at}")
        return known
    report = target.check()
    if is_final(report, around):
        memory.keep(key, report)
    return report


def _print(found: Sequence[Report], as_json: bool) -> None:
    if as_json:
        output.print_data(write(found, Form.JSON).decode())
    else:
        output.print_lines(lines(found))


def _is_good(report: Report, strict: bool) -> bool:
    return report.is_strictly_conforming if strict else report.is_conforming
