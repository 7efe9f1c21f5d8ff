"""Where a buyer's verb works: the region, and the file of what its steps gave."""

import re
from pathlib import Path
from typing import Final

import click

from argosy.aws import identity
from argosy.errors import UsageError
from argosy.planning.journal import FOLDER

REGION: Final = click.option(
    "--region",
    metavar="REGION",
    help="Where it is. [default: where this folder has deployed it, else AWS_DEFAULT_REGION, or the profile's]",
)

_MAKING: Final = ("deploy", "transform")
"""Verbs whose state says that a deployment is there."""


def region_of(said: str | None, deployment: str) -> str:
    """The region that was said, else the one in which this folder has deployed it, else AWS's own.

    Raises:
        UsageError: There is none, or more than one.
    """
    here = deployed_regions(deployment)
    if said is None and len(here) > 1:
        hint = f"--region {here[0]}"
        raise UsageError("this folder has deployed it in several regions", got=", ".join(here), hint=hint)
    found = said or (here[0] if here else identity.region())
    if not found:
        raise UsageError("no region is named", hint="--region us-east-1, or export AWS_DEFAULT_REGION=us-east-1")
    return found


def deployed_regions(deployment: str) -> list[str]:
    """The regions in which this folder has deployed something under a name, and not destroyed it."""
    pattern = re.compile(rf"({'|'.join(_MAKING)})-([a-z]{{2}}(-[a-z]+)+-\d+)-{re.escape(deployment)}\.json")
    names = (pattern.fullmatch(path.name) for path in (Path.cwd() / FOLDER).glob("*.json"))
    return sorted({found[2] for found in names if found})


def forget(region: str, deployment: str) -> None:
    """Keep nothing of a deployment that is gone."""
    for verb in _MAKING:
        state_file(verb, region, deployment).unlink(missing_ok=True)


def state_file(*names: str) -> Path:
    """The file of one deployment or product, in the folder where the command runs."""
    return Path.cwd() / FOLDER / f"{'-'.join(names)}.json"
