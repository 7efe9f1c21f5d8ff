"""`argosy check`: does this image keep SageMaker's contract?"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

from argosy import project
from argosy.cli import build, environment, materials, output
from argosy.cli.containers import KINDS, KINDS_HELP, PROCESS, open_container
from argosy.cli.main import EXIT_EXAMINED_FAILED
from argosy.cli.transfers import open_access
from argosy.conformance import report
from argosy.conformance.observing.bench import Bench
from argosy.conformance.probes import Request, invocation
from argosy.conformance.run import Subject, examine
from argosy.contract import STARTUP
from argosy.errors import UsageError
from argosy.image import reference
from argosy.registry import transports


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the command line."""

    model_data: Path | None
    container: str | None
    sample: Path | None
    content_type: str | None
    startup_timeout: float
    as_json: bool


@click.command
@click.argument("target", metavar="IMAGE|PROJECT")
@click.option(
    "--model-data",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The model.tar.gz that goes with the image; linted too.",
)
@click.option(
    "--container",
    type=click.Choice(KINDS),
    help=KINDS_HELP,
)
@click.option(
    "--sample",
    metavar="FILE",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A request body that the model understands.",
)
@click.option("--content-type", metavar="TYPE", help="The sample's media type; needed with --sample.")
@click.option(
    "--startup-timeout",
    metavar="SECONDS",
    type=click.FloatRange(min=1),
    default=STARTUP.value,
    show_default=True,
    help="How long to wait for the first healthy answer.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def command(target: str, **options: Any) -> int:  # Any: click's values, typed by its options
    """Check an image against what SageMaker demands of a container.

    It works on any image, however it was built. Exit codes: 0 when no clause of level MUST failed (the report's last
    lines say what is undecided then), 1 when one did, 3 when the container engine is missing.
    """
    chosen = _Options(**options)
    # A project that an engine is to run is built first, and then it is an image.
    is_project = Path(target).is_dir() and chosen.container in (None, PROCESS)
    around = environment.read()
    bench = Bench(
        launch=lambda launch: open_container(target, chosen.container, launch, around),
        is_read_only=not is_project,
        sample=_sample(chosen),
        startup_s=chosen.startup_timeout,
    )
    subject = Subject(
        target,
        model_data=chosen.model_data,
        scan=lambda image: materials.scanned(image, around.cache_dir, around.variables),
    )
    if not is_project:
        with output.step(f"read {target}"):
            subject = _image(subject, around)
    with output.step(f"check {target}"):
        found = examine(subject, bench)
    output.print_data(report.to_json(found).decode() if chosen.as_json else report.to_text(found))
    return 0 if found.is_conforming else EXIT_EXAMINED_FAILED


def _image(subject: Subject, around: environment.Environment) -> Subject:
    """The subject with its image at rest."""
    if Path(subject.target).is_dir():
        return replace(subject, image=build.build_project(project.load(Path(subject.target)), None, around))
    place = reference.parse(subject.target)
    is_stored = isinstance(place, reference.RegistryReference | reference.LayoutReference)
    return replace(subject, image=transports.read_image(subject.target, open_access(around)), is_stored=is_stored)


def _sample(options: _Options) -> Request | None:
    if (options.sample is None) != (options.content_type is None):
        raise UsageError("`--sample` and `--content-type` go together", hint="add the one that is missing")
    if options.sample is None:
        return None
    return invocation(options.content_type, options.sample.read_bytes(), f"sample `{options.sample.name}`")
