"""`argosy destroy`: the end of a deployment."""

from typing import Any

import click

from argosy.cli.applying import Manner, carry_out, plan_options
from argosy.cli.buying.place import REGION, deployed_regions, forget, region_of, state_file
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
    place = region_of(region, name)
    manner = Manner(**options)
    code, given = carry_out(destroy_stages(check_name(name), place), state_file("destroy", place, name), manner)
    if code == 0 and not manner.plan_only:
        for line in given.get(remains.KEY, {}).values():
            say(line)
        forget(place, name)
        for other in deployed_regions(name):
            say(
                f"costs by the hour: this folder has deployed {name} in {other}, too: "
                f"argosy destroy {name} --region {other}"
            )
    return code
