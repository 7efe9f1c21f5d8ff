"""Where things are: region, repository, bucket, the role by which AWS Marketplace reads the package."""

import re
from typing import Final

from argosy.aws.ecr import registry_of
from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.project_checks.wording import SOLD
from argosy.conformance.scenes.project import ProjectFacts
from argosy.conformance.sources import (
    CREATE_MODEL_PACKAGE,
    MARKETPLACE_PREREQUISITES,
    MARKETPLACE_QUOTAS,
    MARKETPLACE_UPLOAD,
    REGIONS_PAGE,
)
from argosy.marketplace.limits import MOST_BUYERS
from argosy.marketplace.regions import DEFAULT_REGIONS
from argosy.marketplace.table import Marketplace

LONGEST_IMAGE: Final = 255
ONLINE: Final = "--online"
"""The option of `argosy check` by which AWS is asked."""

OPT_IN_REGIONS: Final = frozenset(
    {
        "af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
        "ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1",
        "me-central-1", "me-south-1", "mx-central-1",
    }
)  # fmt: skip
"""Regions that were launched after 20 March 2019, which an account has to opt into."""

_REPOSITORY: Final = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_BUCKET: Final = re.compile(r"(?!xn--|sthree-|\d+\.\d+\.\d+\.\d+$)[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_ACCESS_ROLE: Final = re.compile(r"arn:aws:iam::\d{12}:role/[A-Za-z0-9_+=,.@-]+")
"""The catalog's shape of it has no place for a path, which IAM's own ARNs may have."""
_ACCOUNT: Final = re.compile(r"\d{12}")


def _regions(facts: ProjectFacts) -> Verdict:
    named = dict.fromkeys((facts.table.region, *facts.table.regions))
    opt_in = [name for name in named if name in OPT_IN_REGIONS]
    if opt_in:
        return failed(f"`{opt_in[0]}` is a region that accounts have to opt into")
    strange = [name for name in named if name not in DEFAULT_REGIONS]
    if strange and facts.opt_ins is not None:
        if not all(name in facts.opt_ins for name in strange):
            return unknown(f"`{strange[0]}` is in none of the lists that are known here, and AWS did not tell of it")
        return skipped(f"`{strange[0]}` is in none of the lists that are known here; aws-region tells of it")
    if strange:
        return unknown(f"`{strange[0]}` is in none of the lists that are known here", decide=ONLINE)
    return passed(", ".join(f"`{name}`" for name in named))


def _repository(facts: ProjectFacts) -> Verdict:
    said = facts.table.account
    host, name = said.registry_host, said.repository_name
    if not said.repository:
        return failed("`marketplace.account.repository` is not said")
    if host:
        registry = registry_of(host)
        if registry is None:
            seen = Evidence("marketplace.account.repository", said.repository)
            return failed(f"`{host}` is no private registry of ECR", seen)
        if registry.region != facts.table.region:
            return failed(f"the repository is in `{registry.region}`, the package is made in `{facts.table.region}`")
        if registry.account not in (own := own_accounts(facts.table)) and own:
            return failed(f"the repository is account {registry.account}'s, the package is {min(own)}'s")
    if not 2 <= len(name) <= 256 or not _REPOSITORY.fullmatch(name):
        return failed(f"`{name[:80]}` is no name of a repository in ECR")
    return passed(f"`{name}` in `{facts.table.region}`")


def _reference(facts: ProjectFacts) -> Verdict:
    if len(facts.image) > LONGEST_IMAGE:
        return failed(f"the image's reference has {len(facts.image)} characters, want at most {LONGEST_IMAGE}")
    if "@sha256:" not in facts.image:
        return failed("the image is named by a tag, which may be moved", Evidence("Image", facts.image))
    return passed(f"{len(facts.image)} characters, by digest")


def _bucket(facts: ProjectFacts) -> Verdict:
    name = facts.table.account.bucket_in(facts.table.region)
    if not name:
        return failed("`marketplace.account.bucket` is not said")
    if not _BUCKET.fullmatch(name):
        return failed(f"`{name[:80]}` is no name of a bucket")
    return passed(f"`{name}`")


def _access_role(facts: ProjectFacts) -> Verdict:
    role = facts.table.account.access_role
    if not role:
        return failed("`marketplace.account.access_role` is not said")
    if not _ACCESS_ROLE.fullmatch(role):
        return failed(f"`{role[:80]}` is no ARN of a role without a path", Evidence("access_role", role[:200]))
    return passed(f"`{role}`")


def _one_account(facts: ProjectFacts) -> Verdict:
    said = facts.table
    for name in (*said.buyer_accounts, *((said.account.id,) if said.account.id is not None else ())):
        if not _ACCOUNT.fullmatch(name):
            return failed(f"`{name[:80]}` is no AWS account: want twelve digits")
    if len(said.buyer_accounts) > MOST_BUYERS:
        return failed(f"`marketplace.buyer_accounts` names {len(said.buyer_accounts)}, want at most {MOST_BUYERS}")
    own = own_accounts(facts.table)
    if len(own) > 1:
        return failed(f"id and roles name {len(own)} accounts: {', '.join(sorted(own))}")
    return passed(f"account {min(own)}" if own else "no account is named")


def own_accounts(said: Marketplace) -> set[str]:
    """The accounts that the seller's id and roles name."""
    found = {said.account.id} if said.account.id else set()
    for role in (said.validation.role, said.account.access_role):
        named = re.match(r"arn:aws[a-z-]*:iam::(\d{12}):", role or "")
        found |= {named.group(1)} if named else set()
    return found


_GROUP: Final[Group[ProjectFacts]] = Group("account", ProjectFacts)

CHECKS: Final[tuple[Check[ProjectFacts], ...]] = (
    _GROUP.check(
        must(
            "region-default",
            REGIONS_PAGE,
            "The package is made and offered in regions that no account has to opt into.",
            'set region = "us-east-1" in [marketplace], and take the others out of regions',
            rows="V09",
            only=SOLD,
        ),
        _regions,
    ),
    _GROUP.check(
        must(
            "account-one",
            MARKETPLACE_QUOTAS,
            "The seller's roles are in one account; accounts have twelve digits, and at most 100 of them are buyers.",
            "aws sts get-caller-identity tells the account; make the roles there",
            rows="I05 F19",
            only=SOLD,
        ),
        _one_account,
    ),
    _GROUP.check(
        must(
            "repository",
            MARKETPLACE_UPLOAD,
            "The image is in a private repository of ECR, of the seller's own account, in the package's region.",
            'set repository = "vehicle-detector" in [marketplace.account]; aws ecr create-repository makes it',
            rows="I05 F15",
            only=SOLD,
        ),
        _repository,
        "account-one",
    ),
    _GROUP.check(
        should(
            "image-reference",
            CREATE_MODEL_PACKAGE,
            "The package names its image by digest, with at most 255 characters.",
            "shorten repository in [marketplace.account]",
            rows="I06",
            only=SOLD,
        ),
        _reference,
        "repository",
    ),
    _GROUP.check(
        must(
            "bucket-name",
            MARKETPLACE_QUOTAS,
            "A bucket is named for artifacts and samples.",
            "set bucket in [marketplace.account]; aws s3 mb s3://BUCKET --region REGION makes it",
            rows="A04 V06",
            only=SOLD,
        ),
        _bucket,
    ),
    _GROUP.check(
        must(
            "access-role",
            MARKETPLACE_PREREQUISITES,
            "The role by which AWS Marketplace reads the package is named by its whole ARN, which has no path.",
            "aws iam get-role --role-name NAME --query Role.Arn, and set access_role in [marketplace.account] to it",
            rows="V12 F19 F20",
            only=SOLD,
        ),
        _access_role,
    ),
)
