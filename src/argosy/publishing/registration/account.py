"""Whose the credentials are: image, bucket and package have to be in the account that argosy.toml names."""

from collections.abc import Mapping
from dataclasses import dataclass

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.errors import PlanError
from argosy.marketplace.table import Marketplace
from argosy.planning.step import Change, Kind, Outputs, Work
from argosy.publishing.registration.offering import ACCOUNT_KEY, said_account


@dataclass(frozen=True, slots=True)
class SellerAccount:
    """The account; nothing is ever done to it. Gives `id`.

    Attributes:
        table: What the seller says.
    """

    table: Marketplace

    @property
    def key(self) -> str:
        """See `Step`."""
        return ACCOUNT_KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`.

        Raises:
            AwsError: AWS refuses or does not answer.
            PlanError: The credentials are another account's.
        """
        asked = Call("sts", "GetCallerIdentity", self.table.region, {})
        found, said = str(reader.ask(asked).get("Account", "")), said_account(self.table)
        if found and said and found != said:
            raise PlanError(
                "the credentials are another account's than the package's",
                got=found,
                want=said,
                where="argosy.toml, [marketplace.account] id",
                hint="export AWS_PROFILE=NAME_OF_THE_SELLERS_PROFILE",
            )
        outputs = {"id": found or said} if found or said else {}
        title = f"account {outputs.get('id', '(known when there are credentials)')}"
        return Change(self.key, title, Kind.NOTHING, reads=(asked,), outputs=outputs)

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`: there is nothing to do."""
        return {}
