"""What a change set is judged with, so that judging looks nothing up and is the same every time."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from argosy.local_aws.catalog.packages import ModelPackage
from argosy.local_aws.marketplace.options import MarketplaceOptions
from argosy.local_aws.marketplace.state import Fault

INGESTION: Final = "assets.marketplace.amazonaws.com"
"""The service that has to be trusted by the role in AccessRoleArn (seller guide, "Prerequisites"; read 2026-11-23)."""

NewId = Callable[[str], str]
"""Makes a new identifier that begins as asked: `prod-` -> `prod-4lq2...`; of `` it makes a UUID."""


@dataclass(frozen=True, slots=True)
class Setting:
    """The world at the moment of judging.

    Attributes:
        account: Whose change set it is.
        now: Seconds since 1970.
        options: What nobody knows.
        packages: What was found at the ARNs that the changes name.
        trusted: Which services the roles trust that the changes name; None: no such role.
        new_id: Makes identifiers.
    """

    account: str
    now: float
    options: MarketplaceOptions
    packages: Mapping[str, ModelPackage | None]
    trusted: Mapping[str, frozenset[str] | None]
    new_id: NewId


class ChangeFaults(Exception):  # noqa: N818 - the verdict on one change, not an error of the program
    """A change cannot be made.

    Args:
        faults: Why, at least one.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.code}: {fault.message}" for fault in self.faults))


def refuse(code: str, message: str) -> ChangeFaults:
    """The verdict for one reason."""
    return ChangeFaults((Fault(code, message),))
