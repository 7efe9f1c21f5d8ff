"""`argosy subscribe`: a product of AWS Marketplace, quoted and then bought."""

import re
from typing import Any, Final

import click

from argosy.cli.applying import Manner, carry_out, plan_options
from argosy.cli.buying.place import state_file
from argosy.deployment.purchase.subscription import SubscriptionStep
from argosy.errors import UsageError

_PRODUCT: Final = re.compile(r"[\w-]{1,255}")


@click.command("subscribe")
@click.argument("product", metavar="PRODUCT_ID")
@click.option("--offer", metavar="OFFER_ID", help="A private offer. [default: the one for everybody]")
@plan_options
def command(product: str, offer: str | None, **options: Any) -> int:  # Any: click's values
    """Subscribe this AWS account to a product of AWS Marketplace.

    Shows the offer first, with its prices by instance type, licence and free trial, and asks. An account that is
    subscribed already is left as it is. AWS Marketplace is asked in us-east-1, wherever the product is used.
    """
    if _PRODUCT.fullmatch(product) is None:
        raise UsageError("this is no id of a product", got=f"`{product}`", want="prod-...")
    manner = Manner(**options)
    code, _ = carry_out([[(SubscriptionStep(product, offer),)]], state_file("subscribe", product), manner)
    return code
