"""What the seller's verbs have in common: project, image and regions, made into an offering."""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypedDict, TypeVar

import click

from argosy.cli import environment, output
from argosy.cli.applying import Manner, is_policy_asked
from argosy.cli.building import loading
from argosy.cli.environment import Environment
from argosy.cli.output import print_data
from argosy.cli.transfers import open_access
from argosy.image import reference
from argosy.image.image import Image
from argosy.planning.journal import FOLDER
from argosy.planning.step import Outputs
from argosy.project import Project
from argosy.publishing.registration.gathering import gather
from argosy.publishing.registration.lanes import STATE
from argosy.publishing.registration.offering import Offering
from argosy.registry import transports
from argosy.registry.access import Access

Verb = TypeVar("Verb", bound=Callable[..., Any])

_SHOWN: Final = 3


class Options(TypedDict):
    """What the command line tells the verbs push and register."""

    folder: Path
    image: str | None
    regions: tuple[str, ...]
    accepts_findings: bool
    plan_only: bool
    as_json: bool
    agrees: bool


@dataclass(frozen=True, slots=True)
class Order:
    """What a verb of the seller's is about.

    Attributes:
        offering: What is brought, in the project's own region.
        access: For reading and pushing the image.
        regions: Where it is brought to.
        state: File in which outputs are kept.
    """

    offering: Offering
    access: Access
    regions: tuple[str, ...]
    state: Path


def image_options(verb: Verb) -> Verb:
    """`--image` and `--accept-findings`."""
    for option in (
        click.option(
            "--accept-findings",
            "accepts_findings",
            is_flag=True,
            help="Go on where ECR's scan finds vulnerabilities of severity CRITICAL or HIGH.",
        ),
        click.option(
            "--image",
            metavar="IMAGE",
            help="The image. [default: oci:PROJECT/build/image:latest, built when it is not there]",
        ),
    ):
        verb = option(verb)
    return verb


def offering_options(verb: Verb) -> Verb:
    """The project, `--region` and those of `image_options`: see `read_order`."""
    for option in (
        click.option(
            "--region",
            "regions",
            metavar="REGION",
            multiple=True,
            help="Where to; may be given several times. [default: [marketplace] region]",
        ),
        image_options,
        click.argument("folder", metavar="[PROJECT]", type=click.Path(path_type=Path), default="."),
    ):
        verb = option(verb)
    return verb


def read_order(told: Options, headings: frozenset[str]) -> Order:
    """Read the project, judge what it sells, and make ready what is brought to AWS; AWS is not asked.

    Args:
        told: What the command line tells.
        headings: Those of whose clauses none may fail: see `argosy.publishing.demands`.

    Raises:
        ProjectError: The project sells nothing, or AWS would refuse what it says.
        ImageError: The image is broken, or for another platform.
    """
    around, loaded = environment.read(), loading.load(told["folder"])
    if not is_policy_asked():
        from argosy.publishing.demands import require_demands  # the clauses take their time to load

        require_demands(loaded, datetime.datetime.now(datetime.UTC).date(), headings)
    access = open_access(around)
    found = _image(loaded, told["image"], access, around)
    offering = gather(loaded, found, access.cache_dir, accepts_findings=told["accepts_findings"])
    regions = tuple(dict.fromkeys(told["regions"])) or (offering.region,)  # a region named twice is one
    return Order(offering, access, regions, loaded.root / FOLDER / STATE)


def manner(told: Options) -> Manner:
    """How the plan is carried out."""
    return Manner(told["plan_only"], told["as_json"], told["agrees"])


def print_given(given: Outputs, keys: Iterable[str], name: str, told: Options) -> None:
    """One line on stdout for each region, unless all of it is there as JSON, or was only planned."""
    if not told["plan_only"] and not told["as_json"]:
        for key in keys:
            print_data(given[key][name])


def _image(loaded: Project, named: str | None, access: Access, around: Environment) -> Image:
    """The image that was named; else the project's, built where there is none yet."""
    if named is not None:
        return transports.read_image(named, access)
    layout = loaded.root / "build" / "image"
    place = str(reference.LayoutReference(str(layout), reference.DEFAULT_TAG))
    if not (layout / "index.json").is_file():
        from argosy.cli.build import build_project  # takes longer to load than the image to be read

        output.say(f"there is no image at {place}: building it")
        transports.write_image(build_project(loaded, None, around), place, access)
    elif newer := _newer_files(loaded, (layout / "index.json").stat().st_mtime_ns):
        output.say(f"changed since the image was built: {', '.join(newer)}  (argosy build brings it in)")
    return transports.read_image(place, access)


def _newer_files(loaded: Project, built_ns: int) -> list[str]:
    """The first few files of the project that enter the image and were written after it."""
    files = [loaded.root / name for name in loaded.program_files()]
    files += [path for path, _ in loaded.dependencies]
    newer = [path for path in files if path.is_file() and path.stat().st_mtime_ns > built_ns]
    return [str(path.relative_to(loaded.root) if path.is_relative_to(loaded.root) else path) for path in newer[:_SHOWN]]
