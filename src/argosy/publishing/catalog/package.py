"""The model package that is to be published: whether it is there, whole, and certified."""

from collections.abc import Mapping
from typing import Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.marketplace.model_package import package_name
from argosy.planning.step import Change, Kind, Obstacle, Outputs, Work
from argosy.publishing.catalog.sale import PACKAGE, Sale

_ABSENT: Final = ("ValidationException", "ResourceNotFound", "ResourceNotFoundException")
_REGISTER: Final = "argosy register"


class PackageStep:
    """A `Step` that only looks.

    Args:
        sale: What is sold.
    """

    key = PACKAGE

    def __init__(self, sale: Sale) -> None:
        self._sale = sale

    def look(self, reader: Reader, known: Outputs) -> Change:
        """See `Step`."""
        table = self._sale.table
        name = package_name(table)
        call = Call("sagemaker", "DescribeModelPackage", table.region, {"ModelPackageName": name})
        answer = reader.ask(call, _ABSENT)
        title = f"model package {name} in {table.region}"
        if not answer:
            obstacle = Obstacle("there is no such model package", _REGISTER)
            return Change(self.key, title, Kind.NOTHING, reads=(call,), obstacle=obstacle)
        outputs = {"arn": str(answer["ModelPackageArn"])}
        return Change(self.key, title, Kind.NOTHING, reads=(call,), outputs=outputs, obstacle=_obstacle(answer))

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """See `Step`: there is nothing to do."""
        return change.outputs


def _obstacle(answer: Mapping[str, object]) -> Obstacle | None:
    status = answer.get("ModelPackageStatus")
    if status in ("Pending", "InProgress"):
        return Obstacle(f"AWS is still validating it: its status is `{status}`", f"{_REGISTER}  (it waits)")
    if status != "Completed":
        return Obstacle(f"its status is `{status}`", f"{_REGISTER}  (it says why)")
    if not answer.get("CertifyForMarketplace"):
        return Obstacle(
            "it was made without CertifyForMarketplace, which cannot be mended",
            f'version = "..." in argosy.toml, then {_REGISTER}',
        )
    return None
