"""The model package that is deployed: whether this account may use it, and for what it is made."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from argosy.aws.api import Reader
from argosy.aws.call import Call
from argosy.deployment.names import PackageArn, package_arn
from argosy.errors import AwsError, PlanError
from argosy.planning.step import Change, Kind, Later, Outputs, Work, output

KEY: Final = "package"
MODEL_KEY: Final = "model"
_LISTS: Final[Mapping[str, str]] = {
    "realtime": "SupportedRealtimeInferenceInstanceTypes",
    "transform": "SupportedTransformInstanceTypes",
    "content types": "SupportedContentTypes",
    "response types": "SupportedResponseMIMETypes",
}
_ABSENT: Final[Collection[str]] = ("ValidationException", "ResourceNotFound")


@dataclass(frozen=True, slots=True)
class PackageStep:
    """Reads a model package.

    Attributes:
        region: Where it is used.
        arn: Its ARN; None takes that of the model that a deployment has already.
    """

    region: str
    arn: PackageArn | None
    key: str = KEY

    def look(self, reader: Reader, known: Outputs) -> Change:
        """What it supports. It cannot be used where it is not Completed.

        Raises:
            AwsError: There is none, this account may not see it, or AWS does not answer.
            PlanError: It is not usable.
        """
        arn = self.arn.text if self.arn else output(known, MODEL_KEY, "package")
        call = Call("sagemaker", "DescribeModelPackage", self.region, {"ModelPackageName": arn})
        found: Any = {} if isinstance(arn, Later) else self._describe(reader, call)
        status = found.get("ModelPackageStatus", "Completed")
        if status != "Completed":
            raise PlanError(f"the model package is {status}", want="Completed", where=arn)
        who = Call("sts", "GetCallerIdentity", self.region, {})
        title = f"model package {arn}"
        lists = {name: found.get("InferenceSpecification", {}).get(member, ()) for name, member in _LISTS.items()}
        given = {name: "\n".join(values) for name, values in lists.items() if values}
        if given and self._is_own(reader, who, str(arn)):
            given["owner"] = "this account"
        return Change(KEY, title, Kind.NOTHING, reads=(call, who), outputs={"arn": str(arn), **given})

    def apply(self, change: Change, work: Work) -> Mapping[str, str]:
        """Nothing: it is read only."""
        return {}

    @staticmethod
    def _is_own(reader: Reader, who: Call, arn: str) -> bool:
        """Whether the package is of the account that asks; not, where nobody can say who that is."""
        try:
            return bool(reader.ask(who).get("Account") == package_arn(arn).account)
        except AwsError:
            return False

    def _describe(self, reader: Reader, call: Call) -> Any:
        try:
            return reader.ask(call)
        except AwsError as error:
            if error.refusal not in _ABSENT:
                raise
            named = package_arn(str(call.parameters["ModelPackageName"]))
            raise AwsError(
                error.action,
                error.refusal,
                sentence=error.sentence,
                cause="there is no such package in this region, or this account has no subscription to its product",
                hint=f"argosy subscribe PRODUCT_ID, and look up the ARN for {named.region}: each region has its own",
            ) from error


def supported(known: Outputs, mode: str) -> Sequence[str]:
    """The instance types of a package, in its order; none where the package was not read.

    Args:
        known: What the steps gave.
        mode: `realtime` or `transform`.
    """
    return [name for name in known.get(KEY, {}).get(mode, "").split("\n") if name]


def instance_type(known: Outputs, mode: str, wanted: str | None) -> str | Later:
    """The type that is taken: the one that is wanted, else the one that the seller recommends, else the first.

    Args:
        known: What the steps gave.
        mode: `realtime` or `transform`.
        wanted: What the user said.

    Raises:
        PlanError: The package does not allow it, or none at all.
    """
    types = supported(known, mode)
    is_read = "arn" in known.get(KEY, {}) and bool(known[KEY].keys() & _LISTS.keys())
    if not is_read:
        return wanted or Later(KEY, "instance type")
    if not types:
        raise PlanError("the package has no instance type for this", want=_LISTS[mode], where=known[KEY]["arn"])
    if wanted is None:
        recommended = known.get("price", {}).get(f"recommended {mode}")
        return recommended if recommended is not None and recommended in types else types[0]
    if wanted not in types:
        raise PlanError(
            "the package does not run on this instance type",
            got=wanted,
            want=", ".join(types),
            where=known[KEY]["arn"],
            hint=f"--instance-type {types[0]}",
        )
    return wanted
