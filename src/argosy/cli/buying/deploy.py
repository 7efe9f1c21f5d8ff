"""`argosy deploy`: a model package as an endpoint."""

import shlex
from typing import Any

import click

from argosy.cli.applying import Manner, carry_out, plan_options
from argosy.cli.buying.place import state_file
from argosy.cli.output import say
from argosy.deployment.endpoint_config import Instances
from argosy.deployment.names import check_name, check_role, package_arn
from argosy.deployment.plans import deploy_stages
from argosy.errors import UsageError


@click.command("deploy")
@click.argument("arn", metavar="ARN")
@click.option("--role", metavar="ARN", help="The role that SageMaker takes to run the model. Required.")
@click.option("--name", metavar="NAME", help="Name of the endpoint. [default: the package's]")
@click.option("--instance-type", metavar="TYPE", help="[default: what the seller recommends, else the package's first]")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many instances.")
@click.option("--inference-ami-version", "ami", metavar="VERSION", help="For packages that need a newer GPU driver.")
@click.option("--volume-gb", type=click.IntRange(1, 512), help="Size of the disk; types with NVMe disks take none.")
@click.option("--product", metavar="PRODUCT_ID", help="Product of the package, for its prices and recommendations.")
@click.option("--region", metavar="REGION", help="A check: the package's region has to be this one.")
@plan_options
def command(arn: str, role: str | None, name: str | None, region: str | None, **options: Any) -> int:
    """Deploy the model package ARN as a real-time endpoint of this AWS account.

    Makes a model that is cut off from the network, an endpoint config, and the endpoint, and waits until it is in
    service. The same command again finds all of it, or finishes what was interrupted; another --instance-type updates
    the endpoint in place. `argosy destroy NAME` takes away what this made.
    """
    package = package_arn(arn)
    if region is not None and region != package.region:
        raise UsageError(
            "a model package is deployed in its own region",
            got=region,
            want=package.region,
            hint="each region's package has an ARN of its own: look up the one of this region",
        )
    deployment = check_name(name or package.deployment)
    if role is None:
        raise UsageError("SageMaker needs a role to run the model", hint="--role arn:aws:iam::ACCOUNT:role/NAME")
    manner = Manner(*(options.pop(option) for option in ("plan_only", "as_json", "agrees")))
    kind, product = options.pop("instance_type"), options.pop("product")
    stages = deploy_stages(deployment, package, check_role(role), Instances(kind, **options), product)
    code, _ = carry_out(stages, state_file("deploy", package.region, deployment), manner)
    if code == 0 and not manner.plan_only:
        say(f"argosy invoke {shlex.quote(deployment)} --region {package.region} --body FILE")
    return code
