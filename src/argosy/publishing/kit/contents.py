"""What a kit is made of: frozen values, of a project and of what its model answered on this machine."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from argosy.errors import UsageError
from argosy.marketplace.model_package import package_name, recommended
from argosy.marketplace.table import Marketplace
from argosy.publishing.kit.json_types import TAKEN, class_name

_ARN: Final = re.compile(r"arn:aws[a-z-]*:sagemaker:([a-z0-9-]{4,24}):\d{12}:model-package/\S+")
_LONGEST_PREFIX: Final = 40


@dataclass(frozen=True, slots=True)
class Case:
    """A sample, and what the model made of it.

    Attributes:
        name: Its file's name, unique among the cases of its kind.
        content_type: Of the body.
        accept: What was asked for.
        body: The sample.
        answer: The answer's body; None where none is known.
    """

    name: str
    content_type: str
    accept: str
    body: bytes
    answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a model by running it.

    Attributes:
        realtime: Invocations of an endpoint.
        batch: Input objects of a transform job, with their results.
        schema: Its OpenAPI document; None where it answers none.
        is_streaming: Whether it answers part by part.
    """

    realtime: tuple[Case, ...] = ()
    batch: tuple[Case, ...] = ()
    schema: Mapping[str, Any] | None = None
    is_streaming: bool = False


@dataclass(frozen=True, slots=True)
class Kit:
    """Everything that the files of a kit say.

    Attributes:
        table: What the seller says.
        content_types: What the package takes, the first by default.
        response_types: What it gives, the first by default.
        observed: What is known of the model by running it.
        arns: Region -> ARN of the model package there.
    """

    table: Marketplace
    content_types: tuple[str, ...]
    response_types: tuple[str, ...]
    observed: Observed = Observed()
    arns: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the product in names of files and of what buyers make: `vehicle-detector`."""
        name = re.sub(r"[^A-Za-z0-9]+", "-", self.table.name or self.table.listing.title).strip("-")
        return name[:_LONGEST_PREFIX].strip("-") or "model"

    @property
    def title(self) -> str:
        """What people call the product, in one line."""
        return " ".join(self.table.listing.title.split()) or self.name

    @property
    def class_name(self) -> str:
        """Name of the client's class."""
        name = class_name(self.table.name or self.table.listing.title or "model")
        return f"{name}Model" if {name, f"{name}Error"} & TAKEN else name

    @property
    def package(self) -> str:
        """Name of the model package, with its version."""
        return package_name(self.table)

    @property
    def realtime_type(self) -> str | None:
        """The instance type that is recommended for endpoints."""
        return recommended(self.table.instances)[0]

    @property
    def batch_type(self) -> str | None:
        """The instance type that is recommended for transform jobs."""
        return recommended(self.table.instances)[1]

    @property
    def page(self) -> str:
        """Where buyers find the kit: the repository, else AWS Marketplace."""
        return (
            self.table.usage.repository_url or "https://aws.amazon.com/marketplace/search/results?prevFilters=sagemaker"
        )


def region_of(arn: str) -> str:
    """The region that an ARN of a model package names.

    Raises:
        UsageError: It is none.

    >>> region_of("arn:aws:sagemaker:eu-west-1:865070037744:model-package/vehicles-1")
    'eu-west-1'
    """
    found = _ARN.fullmatch(arn)
    if found is None:
        want = "arn:aws:sagemaker:REGION:ACCOUNT:model-package/NAME"
        raise UsageError("this is no ARN of a model package", got=f"`{arn}`", want=want)
    return found.group(1)


def unique_names(names: Iterable[str]) -> list[str]:
    """File names without folders, each different from those before it.

    >>> unique_names(["a/one.csv", "b/one.csv", "two.csv"])
    ['one.csv', 'one-2.csv', 'two.csv']
    """
    taken: dict[str, None] = {}
    for given in names:
        path = PurePosixPath(re.sub(r"[^A-Za-z0-9_.-]", "-", PurePosixPath(given).name).lstrip(".") or "sample")
        name, number = path.name, 1
        while name in taken:
            number += 1
            name = f"{path.stem}-{number}{path.suffix}"
        taken[name] = None
    return list(taken)
