"""`argosy push`: the image of a project, in the seller's ECR."""

from typing import Unpack

import click

from argosy.cli.applying import carry_out, plan_options
from argosy.cli.selling.offering import Options, manner, offering_options, print_given, read_order
from argosy.publishing.registration.lanes import PUSHED, image_key, push_stages


@click.command
@offering_options
@plan_options
def command(**told: Unpack[Options]) -> int:
    """Store the image of a project in Amazon ECR, as SageMaker takes it, and have it scanned.

    Makes the repository of [marketplace.account] where there is none, pushes what the registry does not have, asks ECR
    what it has stored, and waits for the scan. Prints the image's reference by digest, one for each region. A second
    run does nothing.
    """
    order = read_order(told, PUSHED)
    stages = push_stages(order.offering, order.access, order.regions)
    code, given = carry_out(stages, order.state, manner(told))
    if code == 0:
        print_given(given, map(image_key, order.regions), "reference", told)
    return code
