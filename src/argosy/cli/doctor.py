"""`argosy doctor`: is this machine ready to build, prove and publish images?"""

import click

from argosy.cli import environment, output
from argosy.cli.checking import options
from argosy.cli.main import EXIT_EXAMINED_FAILED
from argosy.conformance.doctor import TARGET, examine_machine
from argosy.conformance.observing.machine import Surroundings
from argosy.conformance.reporting.form import Form, write
from argosy.conformance.reporting.text import lines


@click.command
@click.option("--online", is_flag=True, help="Ask AWS, too: whom the credentials belong to, and what time it is.")
@click.option("--instance-type", metavar="TYPE", help="Compare this machine with an instance type, as ml.m5.large.")
@click.option(
    "--report",
    "report_files",
    metavar="FORM:FILE",
    multiple=True,
    help=f"Write the report to a file, too, as {', '.join(Form)}; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--strict", is_flag=True, help="Fail on clauses of level SHOULD and on undecided ones, too.")
def command(online: bool, instance_type: str | None, report_files: tuple[str, ...], as_json: bool, strict: bool) -> int:
    """Check this machine: engine, disks, AWS, clock, libraries, proxies.

    Nothing is changed, no secret is shown, and nobody is asked over the network unless --online says so. Exit codes are
    those of `argosy check`: 0 when nothing of level MUST failed, 1 when something did, 2 on wrong usage.
    """
    files = options.report_files(report_files)
    around = environment.read()
    meant = options.find_instance_type(instance_type)
    with output.step(f"check {TARGET}"):
        found = examine_machine(Surroundings(around.cache_dir, around.variables, online, meant))
    if as_json:
        output.print_data(write((found,), Form.JSON).decode())
    else:
        output.print_lines(lines((found,)))
    for form, path in files:
        path.write_bytes(write((found,), form))
        output.say(f"wrote {path}")
    is_good = found.is_strictly_conforming if strict else found.is_conforming
    return 0 if is_good else EXIT_EXAMINED_FAILED
