"""A seller at work: a project of their own, the local AWS, and plans that are carried out."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from argosy import project
from argosy.aws.api import AwsApi
from argosy.planning.apply import apply
from argosy.planning.journal import Journal
from argosy.planning.plan import Plan, make_plan
from argosy.planning.step import Change, Stage, Step
from argosy.publishing.registration.account import SellerAccount
from argosy.publishing.registration.gathering import gather
from argosy.publishing.registration.lanes import register_stages
from argosy.publishing.registration.offering import Offering
from argosy.registry import transports
from argosy.registry.access import Access
from argosy.testing.local_aws import LocalAwsServer
from tests.local_aws.stand_in import small_image
from tests.publishing.projects import make_project

REGION = "us-east-1"
_NUMBERS = itertools.count(1)


@dataclass
class Seller:
    """What a test does as a seller.

    Attributes:
        aws: The local AWS.
        api: The way to it.
        folder: Of the test.
        name: Of repository, package and bucket; no other test's.
        said: What was reported by what was carried out, line by line.
    """

    aws: LocalAwsServer
    api: AwsApi
    folder: Path
    name: str = field(default_factory=lambda: f"rows{next(_NUMBERS)}")
    said: list[str] = field(default_factory=list)

    @property
    def access(self) -> Access:
        return Access(self.folder / "docker", {}, self.folder / "cache")

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / "project" / ".argosy" / "seller.json")

    @property
    def package(self) -> str:
        return f"{self.name}-1-0-0"

    @property
    def bucket(self) -> str:
        return f"{self.name}-releases-{REGION}"

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def make_repository(self) -> None:
        """One whose images are not scanned when they come."""
        name, scanning = f"team/{self.name}", {"scanOnPush": False}
        self.client("ecr").create_repository(repositoryName=name, imageScanningConfiguration=scanning)

    def offering(self, *, accepts_findings: bool = False, **said: Any) -> Offering:
        """What the project brings; `said` is for `make_project`."""
        said.setdefault("image", small_image(self.name))
        root = make_project(self.folder / "project", name=self.name, **said)
        loaded = project.load(root)
        image = transports.read_image(f"oci:{root}/build/image:latest", self.access)
        return gather(loaded, image, self.access.cache_dir, accepts_findings=accepts_findings)

    def steps(self, offering: Offering, *steps: Step) -> list[Stage]:
        """A plan of these steps alone, after that of the account."""
        return [[[SellerAccount(offering.table)]], [steps]]

    def look(self, stages: Sequence[Stage]) -> Plan:
        return make_plan(stages, self.api, self.journal.outputs)

    def possible(self, stages: Sequence[Stage]) -> None:
        """Whether it can be carried out; the plan can be read in any case."""
        self.look(stages).require_possible()

    def last(self, stages: Sequence[Stage]) -> Change:
        """What the last step would do."""
        return self.look(stages).changes[-1]

    def carry_out(self, stages: Sequence[Stage]) -> Mapping[str, Mapping[str, str]]:
        """What the steps gave; all is agreed to."""
        plan = self.look(stages)
        return apply(stages, self.api, self.journal, plan.consents, self.said.append)

    def register(self, offering: Offering) -> Mapping[str, Mapping[str, str]]:
        return self.carry_out(register_stages(offering, self.access, [REGION]))
