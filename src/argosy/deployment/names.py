"""Names of what a deployment makes: each tells the deployment and what was asked for, so no run makes it twice."""

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from argosy.errors import UsageError

MAX_NAME: Final = 50
"""Characters of a deployment's name: SageMaker's names have 63, and up to twelve of them are ours."""

_NAME_DIGITS: Final = 8
_DIGITS: Final = 32
_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9])*")
_PACKAGE: Final = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):sagemaker:(?P<region>[a-z0-9-]{9,16}):(?P<account>\d{12}):model-package/(?P<name>\S+)"
)
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
_COPIED: Final = re.compile(r"-[0-9a-f]{32}$")


@dataclass(frozen=True, slots=True)
class PackageArn:
    """The ARN of a model package, which is different in each region.

    Attributes:
        text: The whole ARN.
        region: Where the package is, and nowhere else.
        account: Whose it is; what is sold is in accounts of AWS's.
        name: Its name, with the version behind a slash where it is one of a group.
    """

    text: str
    region: str
    account: str
    name: str

    @property
    def deployment(self) -> str:
        """A name for a deployment of it: its own, without what AWS Marketplace appends."""
        plain = re.sub(r"[^a-zA-Z0-9-]", "-", _COPIED.sub("", self.name))
        return plain[:MAX_NAME].strip("-")


def package_arn(text: str) -> PackageArn:
    """Read the ARN of a model package.

    Raises:
        UsageError: It is none.
    """
    found = _PACKAGE.fullmatch(text)
    if found is None:
        raise UsageError(
            "this is no ARN of a model package",
            got=f"`{text}`",
            want="arn:aws:sagemaker:REGION:ACCOUNT:model-package/NAME",
            hint="the product's page has it: Manage subscriptions, Configure; the seller's notebook has it, too",
        )
    return PackageArn(text, found["region"], found["account"], found["name"])


def is_package_arn(text: str) -> bool:
    """Whether a text is meant as an ARN rather than as a name."""
    return text.startswith("arn:")


def check_name(name: str) -> str:
    """A deployment's name, when SageMaker takes it.

    Raises:
        UsageError: It does not.
    """
    if len(name) > MAX_NAME or _NAME.fullmatch(name) is None:
        want = f"1 to {MAX_NAME} letters, digits and hyphens, none of these at an end"
        raise UsageError("a deployment cannot have this name", got=f"`{name}`", want=want)
    return name


def check_role(role: str) -> str:
    """The ARN of a role.

    Raises:
        UsageError: It is a mere name, or nothing of IAM's.
    """
    if _ROLE.fullmatch(role) is None:
        want = "the whole ARN, arn:aws:iam::ACCOUNT:role/NAME"
        raise UsageError(
            "a role is named by its ARN", got=f"`{role}`", want=want, hint="aws iam get-role --role-name NAME"
        )
    return role


def name_of(deployment: str, content: Any) -> str:
    """The name of what has this content: the same in each run, another when the content is another.

    Args:
        deployment: Its name.
        content: What is asked for. Any: JSON.
    """
    return f"{deployment}-{digest_of(content)[:_NAME_DIGITS]}"


def digest_of(content: Any) -> str:
    """32 hexadecimal digits that tell JSON from other JSON."""
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def is_of(deployment: str, name: str) -> bool:
    """Whether a name was made by `name_of` for a deployment."""
    return re.fullmatch(rf"{re.escape(deployment)}-[0-9a-f]{{{_NAME_DIGITS}}}", name, re.IGNORECASE) is not None
