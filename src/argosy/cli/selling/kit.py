"""`argosy kit`: what buyers are handed with a product, as a folder for GitHub."""

import asyncio
import json
import shlex
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from argosy.cli import output
from argosy.cli.building import loading
from argosy.cli.simulation.interrupt import Opened, run
from argosy.cli.simulation.subject import CONTAINER, JSON, MODEL_DATA, Subject
from argosy.conformance.observing.project import observe_project
from argosy.conformance.scenes.project import ProjectFacts
from argosy.errors import ProjectError, UsageError
from argosy.project import Project
from argosy.project_file import FILE_NAME
from argosy.publishing.description.stored import as_sold
from argosy.publishing.kit.contents import Kit, Observed, region_of
from argosy.publishing.kit.files import REGIONS, files
from argosy.publishing.kit.folder import write
from argosy.publishing.kit.observed import observe
from argosy.simulator.containers.container import Container, stop


def _arns(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`REGION=ARN`, any number of times."""
    found = {}
    for text in given:
        region, _, arn = text.partition("=")
        if not arn:
            raise click.BadParameter(f"`{text}` is not REGION=ARN")
        if region_of(arn) != region:
            raise click.BadParameter(f"`{arn}` is in {region_of(arn)}, not in {region}")
        found[region] = arn
    return found


@click.command
@click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default=".")
@click.option(
    "-o",
    "--output",
    "target",
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where it goes: a new folder, or a clone of your repository. [default: PROJECT/build/kit]",
)
@click.option(
    "--arn",
    "arns",
    metavar="REGION=ARN",
    multiple=True,
    callback=_arns,
    help="The model package in a region; may be given several times. Kept for the next kit of the same version.",
)
@click.option("--image", metavar="IMAGE", help="Run this image of the project. [default: the project, as a process]")
@click.option("--overwrite", is_flag=True, help="Overwrite files that were changed by hand, or that no kit wrote.")
@CONTAINER
@MODEL_DATA
@JSON
def command(
    folder: Path,
    target: Path | None,
    arns: dict[str, str],
    as_json: bool,
    **values: Any,
) -> int:  # Any: click's values, typed by their options
    """Write what buyers get: a notebook, a typed client, samples with answers, addresses, IAM policies, a page.

    The model is run once, and answers the samples of [marketplace]. The notebook asks for nothing, runs in every region
    that has an ARN, and deletes what it makes. Exit code 1 when the model does not answer a sample.
    """
    loaded = loading.load(folder)
    facts = _facts(loaded)
    where = target or loaded.root / "build" / "kit"
    known = {**_kept(where, facts.table.version), **arns}
    observed = _observed(Subject(values["image"] or str(folder), values["kind"], values["model_data"]), facts)
    if isinstance(observed, int):
        return observed
    kit = Kit(facts.table, facts.types.content_types, facts.types.response_types, observed, known)
    changed = write(files(kit), where, overwrite=values["overwrite"])
    lacking = [region for region in facts.table.regions or (facts.table.region,) if region not in known]
    if lacking:
        output.say(f"no model package is known in {', '.join(lacking)}: --arn REGION=ARN, when it is released there")
    output.say(f"{where}: {len(changed)} files are new, changed or gone")
    output.say(f"\nnext: cd {shlex.quote(str(where))} && git init && git add .")
    if as_json:
        output.print_json({"folder": str(where), "files": changed, "model_package_arns": known, "lacking": lacking})
    else:
        output.print_data("\n".join(changed))
    return 0


def _facts(loaded: Project) -> ProjectFacts:
    """What the project says of what it sells.

    Raises:
        ProjectError: It sells nothing, or says not on what it runs.
    """
    where = loaded.root / FILE_NAME
    facts = observe_project(as_sold(loaded, None)).find(ProjectFacts)
    if facts is None:
        raise ProjectError("there is no `[marketplace]` table, so nothing is sold", where=where)
    if not facts.table.name:
        raise ProjectError("`marketplace.name` is not said", where=where, hint='[marketplace]\nname = "my-model"')
    if not facts.table.instances.realtime:
        hint = '[marketplace.instances]\nrealtime = ["ml.m5.large"]'
        raise ProjectError("`marketplace.instances.realtime` names no instance type", where=where, hint=hint)
    if not facts.types.content_types:
        hint = '[marketplace]\ncontent_types = ["application/json"]'
        raise ProjectError("nothing says which content types the package takes", where=where, hint=hint)
    return facts


def _kept(folder: Path, version: str) -> dict[str, str]:
    """The ARNs of the kit that is there, where it is of the same version.

    Raises:
        UsageError: Its file is damaged.
    """
    path = folder / REGIONS
    try:
        said = json.loads(path.read_bytes())
        kept = said["model_package_arns"] if said["version"] == version else {}
        return {region_of(arn): str(arn) for arn in kept.values()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UsageError(
            "what an earlier kit wrote cannot be read", got=error, where=path, hint=f"rm {shlex.quote(str(path))}"
        ) from error


def _observed(subject: Subject, facts: ProjectFacts) -> Observed | int:
    """What the model answers; the exit code where that was interrupted."""
    opened = Opened()
    variables: Mapping[str, str] = facts.table.environment
    with subject.opener(variables) as open_one, output.step("ask the model"):
        return run(_ask(lambda: opened.add(open_one()), facts), opened)


async def _ask(open_one: Callable[[], Container], facts: ProjectFacts) -> Observed:
    container = await asyncio.to_thread(open_one)
    found = await observe(container, facts)  # when it raises, the container is removed with whoever opened it
    await asyncio.to_thread(stop, container)
    return found
