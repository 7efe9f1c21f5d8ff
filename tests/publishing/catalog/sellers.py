"""A seller who publishes: tables, plans that are carried out, calls that are counted, runs that are killed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from argosy.aws.api import AwsApi
from argosy.aws.call import Call
from argosy.marketplace.product_changes import version_title
from argosy.marketplace.table import Marketplace
from argosy.planning.apply import apply
from argosy.planning.journal import Journal
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Change, Step
from argosy.publishing.catalog.product import ProductWish
from argosy.publishing.catalog.sale import PACKAGE, Sale
from argosy.publishing.catalog.step import ChangeSetStep
from argosy.publishing.registration.offering import ACCOUNT_KEY
from tests.local_aws.listings import ROLE, SELLER, package
from tests.local_aws.market_stand import Market
from tests.marketplace.test_product_changes import table_of


class Killed(BaseException):
    """What ends a process between a call that has changed something and its knowledge of it."""


@cache
def boto3_api() -> AwsApi:
    """boto3 with its clients, made once: the address of the door is the same for all tests."""
    return AwsApi()


class CountingApi:
    """An `Api`: boto3, and what was written with it.

    Args:
        dies_after: The number of writes after whose last the process ends; None: it does not.
    """

    def __init__(self, dies_after: int | None = None) -> None:
        self.written: list[Call] = []
        self._dies_after = dies_after

    def ask(self, call: Call, absent: Collection[str] = ()) -> Any:
        return boto3_api().ask(call, absent)

    def pages(self, call: Call) -> Iterator[Any]:
        return boto3_api().pages(call)

    def write(self, call: Call, absent: Collection[str] = ()) -> Any:
        answer = boto3_api().write(call, absent)
        self.written.append(call)
        if len(self.written) == self._dies_after:
            raise Killed
        return answer


@dataclass
class Seller:
    """What a test does as a seller.

    Attributes:
        market: AWS Marketplace.
        folder: Of the project.
        table: What argosy.toml says.
        said: What was reported.
    """

    market: Market
    folder: Path
    table: Marketplace = field(default_factory=lambda: with_account(table_of()))
    said: list[str] = field(default_factory=list)

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / ".argosy" / "seller.json")

    @property
    def sale(self) -> Sale:
        return Sale(self.table)

    def say(self, **fields: Any) -> None:
        """Change argosy.toml."""
        self.table = msgspec.structs.replace(self.table, **fields)

    def say_listing(self, **fields: Any) -> None:
        self.say(listing=msgspec.structs.replace(self.table.listing, **fields))

    def say_pricing(self, **fields: Any) -> None:
        self.say(pricing=msgspec.structs.replace(self.table.pricing, **fields))

    def say_version(self, version: str) -> None:
        """The next version, registered."""
        self.say(version=version, release=msgspec.structs.replace(self.table.release, title=version))
        self.market.shelf.put(self.package)

    @property
    def package(self) -> str:
        return package(f"vehicles-{version_title(self.table).replace('.', '-')}")

    def lane(self, *more: Step) -> Sequence[Step]:
        return [ChangeSetStep(ProductWish(self.sale)), *more]

    def known(self) -> None:
        """Note what the steps before give."""
        journal = self.journal
        journal.note(ACCOUNT_KEY, {"id": SELLER})
        journal.note(PACKAGE, {"arn": self.package})

    def look(self, *steps: Step) -> Plan:
        self.known()
        return make_plan([[steps or self.lane()]], boto3_api(), self.journal.outputs)

    def last(self, *steps: Step) -> Change:
        """What the last step would do."""
        return self.look(*steps).changes[-1]

    def carry_out(self, *steps: Step, api: CountingApi | None = None) -> Mapping[str, Mapping[str, str]]:
        """What the steps gave; all is agreed to."""
        plan = self.look(*steps)
        plan.require_possible()
        return apply([[steps or self.lane()]], api or CountingApi(), self.journal, plan.consents, self.said.append)

    def publish(self) -> str:
        """Publish; the product's id."""
        return self.carry_out()["product"]["product"]

    def forget(self) -> None:
        """Delete the state beside the project."""
        (self.folder / ".argosy" / "seller.json").unlink()

    @property
    def applied(self) -> int:
        """How many change sets were started that change something."""
        found = self.market.service._around.store.state.change_sets.values()
        return sum(one.intent == "APPLY" for one in found)


def with_account(table: Marketplace) -> Marketplace:
    """The table of the seller whom the local AWS knows."""
    account = msgspec.structs.replace(table.account, id=SELLER, access_role=ROLE)
    return msgspec.structs.replace(table, account=account)
