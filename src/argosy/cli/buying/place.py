"""Where a buyer's verb works: the region, and the file of what its steps gave."""

from pathlib import Path

import click

from argosy.aws import identity
from argosy.errors import UsageError
from argosy.planning.journal import FOLDER

REGION = click.option(
    "--region", metavar="REGION", help="Where it is. [default: as for boto3: AWS_DEFAULT_REGION, or the profile's]"
)


def region_of(said: str | None) -> str:
    """The region that was said, else the one that AWS's variables and files name.

    Raises:
        UsageError: There is none.
    """
    found = said or identity.region()
    if not found:
        raise UsageError("no region is named", hint="--region us-east-1, or export AWS_DEFAULT_REGION=us-east-1")
    return found


def state_file(*names: str) -> Path:
    """The file of one deployment or product, in the folder where the command runs."""
    return Path.cwd() / FOLDER / f"{'-'.join(names)}.json"
