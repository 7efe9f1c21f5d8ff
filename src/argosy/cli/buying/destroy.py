"""`argosy destroy`: the end of a deployment."""

import re
from pathlib import Path
from typing import Any

import click

from argosy.cli.applying import Manner, carry_out, plan_options
from argosy.cli.buying.place import REGION, region_of, state_file
from argosy.cli.output import say
from argosy.deployment import remains
from argosy.deployment.names import check_name
from argosy.deployment.plans import destroy_stages


@click.command("destroy")
@click.argument("name", metavar="NAME")
@REGION
@plan_options
def command(name: str, region: str | None, **options: Any) -> int:  # Any: click's values
    """Delete everything that `argosy deploy` and `argosy transform` made under NAME, and nothing else.

    Endpoint, endpoint configs and models, in this order; what has not their tag is refused. Says what still costs money
    afterwards, and what does not: subscriptions, other endpoints, results in S3.
    """
    place = region_of(region)
    manner = Manner(**options)
    code, given = carry_out(destroy_stages(check_name(name), place), state_file("destroy", place, name), manner)
    if code == 0 and not manner.plan_only:
        for line in given.get(remains.KEY, {}).values():
            say(line)
        for other in _elsewhere(name, place):
            say(f"not looked for: {name} was deployed in {other}, too: argosy destroy {name} --region {other}")
    return code


def _elsewhere(name: str, place: str) -> list[str]:
    """Other regions in which a deployment of this name was made from this folder, and not destroyed since.

    Who names no region gets boto3's, and would take a thing for gone that goes on costing money.
    """
    folder = state_file("deploy", place, name).parent
    found = {
        region.group(1): path
        for path in folder.glob(f"deploy-*-{name}.json")
        if (region := re.fullmatch(rf"deploy-([a-z]+(?:-[a-z]+)+-\d+)-{name}", path.stem))
    }
    return sorted(region for region, path in found.items() if region != place and not _is_destroyed(name, region, path))


def _is_destroyed(name: str, region: str, deployed: Path) -> bool:
    """Whether a deployment was destroyed after it was made."""
    destroyed = state_file("destroy", region, name)
    return destroyed.exists() and destroyed.stat().st_mtime_ns >= deployed.stat().st_mtime_ns
