"""`argosy describe`: what can be said of an image without its seller, found out in one run of it."""

import datetime
import os
from pathlib import Path
from typing import Any

import click

from argosy import engine as engines
from argosy.cli import environment, output
from argosy.cli.building import loading
from argosy.cli.checking import options as told
from argosy.cli.containers import KINDS, PROCESS, SANDBOX
from argosy.cli.environment import Environment
from argosy.cli.simulation.subject import INSTANCE_TYPE, JSON, MODEL_DATA
from argosy.cli.simulation.subject import Subject as Simulated
from argosy.cli.transfers import open_access
from argosy.errors import EngineError, UsageError
from argosy.image.image import Image
from argosy.marketplace.model_package import recommended
from argosy.marketplace.table import Marketplace
from argosy.project import Project
from argosy.publishing.description import stored
from argosy.publishing.description.description import Limits
from argosy.publishing.description.run import Subject, describe
from argosy.publishing.description.text import to_document, to_text
from argosy.registry import transports
from argosy.simulator.containers.instance_types import InstanceType, find

_KINDS_HELP = "What runs it. [default: Docker, else Podman, else a sandbox]"
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command
@click.argument("target", metavar="[PROJECT|IMAGE]", default=".")
@click.option("--container", "kind", type=click.Choice(KINDS), help=_KINDS_HELP)
@INSTANCE_TYPE
@MODEL_DATA
@click.option("--sample", "samples", metavar="FILE", type=_FILE, multiple=True, help="A request body for an image.")
@click.option("--content-type", "content_types", metavar="TYPE", multiple=True, help="Its media type.")
@click.option("--accept", "accepts", metavar="TYPE", multiple=True, help="The answer's. [default: */*]")
@click.option(
    "--project",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="The project that an image belongs to.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.01),
    default=2.0,
    show_default=True,
    help="How long each number of clients asks when it is timed.",
)
@JSON
def command(target: str, as_json: bool, **values: Any) -> None:  # Any: click's values, typed by their options
    """Find out what buyers have to know of an image, and show how it would be said.

    The image is run over the samples of [marketplace.validation], with no more than the recommended instance type has:
    its parameters, sample payloads, code for buyers and latency. It is kept in .argosy, by the image's digest, for
    whatever [marketplace] leaves open. A project is built first, unless --container process runs it as it is.
    """
    around = environment.read()
    samples = told.samples(values["samples"], values["content_types"], values["accepts"])
    folder = Path(target) if Path(target).is_dir() else values["folder"]
    belongs = None if folder is None else loading.load(folder)
    if Path(target).is_dir() and values["model_data"] is not None:
        raise UsageError("a project has artifacts of its own", where="--model-data", hint="argosy describe IMAGE")
    table = Marketplace() if belongs is None or belongs.marketplace is None else belongs.marketplace
    kind = values["kind"] or _kind(around)
    instance = None if kind == PROCESS else _instance(values["instance_type"], table)
    image = None if kind == PROCESS else _image(target, belongs, around)
    simulated = Simulated(
        target,
        kind,
        values["model_data"],
        None if instance is None else instance.name,
        environment=table.environment,
        image=image,
    )
    with output.step(f"describe {target}"), simulated.opener({}) as open_one:
        digest = "" if image is None else image.digest
        subject = Subject(target, digest, open_one, _limits(instance), belongs, samples)
        found = describe(subject, values["seconds"], _now())
    if as_json:
        output.print_json(to_document(table, found))
    else:
        output.print_data(to_text(table, found))
    if belongs is None or not found.digest:
        output.say("note: not kept: it is of no image of a project")
    else:
        output.say(f"wrote {stored.keep(belongs.root, found)}")


def _kind(around: Environment) -> str:
    """What runs an image on this machine."""
    try:
        return engines.find(None, around.variables).program
    except EngineError as error:
        output.say(f"{error.message}: the image is run in a sandbox")
        return SANDBOX


def _image(target: str, belongs: Project | None, around: Environment) -> Image:
    """The image: of a project the one that it builds, from the cache where nothing has changed."""
    if belongs is not None and Path(target).is_dir():
        from argosy.cli import build  # half of what this program is: an image that is there is read without it

        return build.build_project(belongs, None, around)
    return transports.read_image(target, open_access(around))


def _instance(name: str | None, table: Marketplace) -> InstanceType | None:
    """The instance type that was asked for, else the recommended one; None where nothing is known of that.

    Raises:
        UsageError: There is none of the name that was asked for.
    """
    if name is not None:
        return find(name)
    wanted = recommended(table.instances)[0]
    try:
        return None if wanted is None else find(wanted)
    except UsageError as error:
        output.say(f"note: {error.message}: the image gets all of this machine")
        return None


def _limits(instance: InstanceType | None) -> Limits:
    """What a container gets, and what this machine has."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if instance is None:
        return Limits(None, cpus, None, cpus, memory, "")
    return Limits(instance.name, instance.cpus, instance.memory_bytes, cpus, memory, "")


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
