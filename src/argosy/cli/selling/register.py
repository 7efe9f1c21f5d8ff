"""`argosy register`: the model package of a project, validated by SageMaker."""

from typing import Unpack

import click

from argosy.cli.applying import carry_out, plan_options
from argosy.cli.selling.offering import Options, manner, offering_options, print_given, read_order
from argosy.publishing.registration.lanes import REGISTERED, package_key, register_stages
from argosy.publishing.registration.regions import require_buckets


@click.command
@offering_options
@plan_options
def command(**told: Unpack[Options]) -> int:
    """Make the model package of a project's version, and wait until SageMaker has validated it.

    Does what `argosy push` does, then stores artifacts and samples in the bucket of [marketplace.account] and makes the
    package that argosy.toml describes. When the validation fails, says why with the end of its job's log. Prints the
    package's ARN, one for each region. A second run does nothing; one that was interrupted is gone on with by the next.
    """
    order = read_order(told, REGISTERED)
    require_buckets(order.offering.table, order.regions)
    stages = register_stages(order.offering, order.access, order.regions)
    code, given = carry_out(stages, order.state, manner(told))
    if code == 0:
        print_given(given, map(package_key, order.regions), "arn", told)
    return code
