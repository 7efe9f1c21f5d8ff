"""`argosy release`: the model package of a project in every region in which it is offered."""

from pathlib import Path
from typing import Unpack

import click

from argosy.cli import output
from argosy.cli.applying import carry_out, plan_options
from argosy.cli.selling.offering import Options, image_options, manner, read_order
from argosy.publishing.registration.lanes import REGISTERED, register_stages
from argosy.publishing.registration.regions import package_arns, release_regions, require_buckets


@click.command
@click.argument("regions", metavar="[REGION]...", nargs=-1)
@click.option(
    "--project", "folder", metavar="PROJECT", type=click.Path(path_type=Path), default=".", help="[default: .]"
)
@image_options
@plan_options
def command(**told: Unpack[Options]) -> int:
    """Make the model package of a project in each region of [marketplace] regions, or in those that are named.

    Does in each what `argosy register` does in one, in all of them at a time: image, scan, artifacts, samples, package
    and its validation. What went wrong in one region keeps none of the others from going on, and is done again by the
    next run. Prints region and ARN of each package.
    """
    order = read_order(told, REGISTERED)
    chosen = order.regions if told["regions"] else release_regions(order.offering.table)
    require_buckets(order.offering.table, chosen)
    code, given = carry_out(register_stages(order.offering, order.access, chosen), order.state, manner(told))
    if code == 0 and not told["plan_only"] and not told["as_json"]:
        for region, arn in package_arns(given).items():
            output.print_data(f"{region} {arn}")
    return code
