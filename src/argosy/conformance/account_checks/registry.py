"""Region, account, repository, the image in it and its scan, the bucket, quotas."""

from typing import Final

from argosy.aws.account import Scan, StoredImage
from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import fact, must
from argosy.conformance.project_checks.placement import own_accounts
from argosy.conformance.project_checks.wording import SOLD
from argosy.conformance.scenes.account import AccountFacts, Refused
from argosy.conformance.sources import (
    FEEDBACK_ISSUES,
    MARKETPLACE_QUOTAS,
    MARKETPLACE_TROUBLE,
    MARKETPLACE_UPLOAD,
    QUOTAS_PAGE,
    REGIONS_PAGE,
    SCANNING_PAGE,
)
from argosy.image.image import DOCKER_MANIFEST

_NOT_REQUIRED: Final = "opt-in-not-required"
_SCANNED: Final = ("COMPLETE", "ACTIVE")
_BLOCKING: Final = ("CRITICAL", "HIGH")
_NOT_BUILT: Final = "which image is meant, is not known before it is built: check the image, with --project"


def _account(facts: AccountFacts) -> Verdict:
    if isinstance(facts.account, Refused):
        return unknown(str(facts.account))
    others = own_accounts(facts.table) - {facts.account}
    if others:
        return failed(f"the credentials are account {facts.account}'s, and argosy.toml says {min(others)}")
    return passed(f"account {facts.account}")


def _region(facts: AccountFacts) -> Verdict:
    if isinstance(facts.opt_ins, Refused):
        return unknown(str(facts.opt_ins))
    for region, status in facts.opt_ins.items():
        if status is None:
            return failed(f"AWS has no region `{region}`", Evidence("ec2:DescribeRegions", "no such region"))
        if status != _NOT_REQUIRED:
            return failed(f"accounts have to opt into `{region}`", Evidence("ec2:DescribeRegions", status))
    return passed(", ".join(f"`{region}` needs no opt-in" for region in facts.opt_ins))


def _repository(facts: AccountFacts) -> Verdict:
    found = facts.repository
    if isinstance(found, Refused):
        return unknown(str(found))
    said = facts.table.account
    if found is None:
        seen = Evidence("ecr:DescribeRepositories", "RepositoryNotFoundException")
        return failed(f"`{facts.table.region}` has no repository `{said.repository_name}`", seen)
    if said.registry_host and said.repository != found:
        return failed(f"the account's repository is `{found}`, and argosy.toml says `{said.repository}`")
    return passed(f"`{found}`")


def _manifest(facts: AccountFacts) -> Verdict:
    found = facts.image
    if not facts.digest:
        return skipped(_NOT_BUILT)
    if isinstance(found, Refused):
        return unknown(str(found))
    if found is None:
        return skipped(f"the repository has no image {facts.digest[:19]}…: it is not pushed yet")
    if found.media_type != DOCKER_MANIFEST:
        return failed("ECR has stored something else than Docker v2 schema 2", Evidence(found.digest, found.media_type))
    return passed(f"{facts.digest[:19]}… is Docker v2 schema 2, {found.size / 10**6:,.0f} MB")


def _scan(facts: AccountFacts) -> Verdict:
    if not facts.digest:
        return skipped(_NOT_BUILT)
    found = facts.scan
    if isinstance(found, Refused):
        return unknown(str(found))
    if isinstance(facts.image, Refused):
        return unknown(str(facts.image))
    if not isinstance(facts.image, StoredImage):
        return skipped("there is no image to scan")
    if found is None:
        return failed("the image was not scanned", Evidence("ecr:DescribeImageScanFindings", "ScanNotFoundException"))
    seen = Evidence("ecr:DescribeImageScanFindings", f"{found.status}: {found.description[:200]}")
    if found.status == "FAILED":
        return failed("the scan of the image failed", seen)
    if found.status not in _SCANNED:
        return unknown(f"the scan is `{found.status}`, so that nothing is known of the image", seen)
    return passed(f"`{found.status}`", seen)


def _findings(facts: AccountFacts) -> Verdict:
    if not facts.digest:
        return skipped(_NOT_BUILT)
    found = facts.scan
    refused = next((one for one in (found, facts.image) if isinstance(one, Refused)), None)
    if refused is not None:
        return unknown(str(refused))
    if not isinstance(found, Scan) or found.status not in _SCANNED:
        return skipped("there is no scan that came to an end")
    counts = found.counts or {}
    blocking = [f"{counts[severity]} {severity}" for severity in _BLOCKING if counts.get(severity)]
    seen = Evidence("ecr:DescribeImageScanFindings", ", ".join(found.findings) or "no names")
    if blocking:
        return failed(f"the scan found {' and '.join(blocking)}", seen)
    return passed(", ".join(f"{count} {severity}" for severity, count in counts.items()) or "nothing was found")


def _bucket(facts: AccountFacts) -> Verdict:
    found, name = facts.bucket_region, facts.table.account.bucket_in(facts.table.region)
    if isinstance(found, Refused):
        return unknown(str(found))
    if found is None:
        return failed(f"there is no bucket `{name}`", Evidence("s3:HeadBucket", "404"))
    if not found:
        return unknown(f"S3 does not say where `{name}` is")
    if found != facts.table.region:
        return failed(
            f"`{name}` is in `{found}`, and the package is made in `{facts.table.region}`",
            Evidence("s3:HeadBucket", f"x-amz-bucket-region: {found}"),
        )
    return passed(f"`{name}` is in `{found}`")


def _quotas(facts: AccountFacts) -> Verdict:
    if isinstance(facts.quotas, Refused):
        return unknown(str(facts.quotas))
    said = facts.table.instances
    if not (said.realtime or said.batch):
        return skipped("argosy.toml names no instance types")
    names = [
        *(f"{name} for endpoint usage" for name in said.realtime),
        *(f"{name} for transform job usage" for name in said.batch),
    ]
    seen = Evidence("servicequotas:ListServiceQuotas", ", ".join(f"{n}: {facts.quotas.get(n, 'none')}" for n in names))
    lacking = [name for name in names if facts.quotas.get(name) == 0]
    if lacking:
        return failed(f"the quota of {lacking[0]} is 0 in the seller's own account", seen)
    if any(name not in facts.quotas for name in names):
        return unknown(f"there is no quota of the name `{next(n for n in names if n not in facts.quotas)}`", seen)
    return passed(f"{len(names)} quotas are above 0", seen)


_GROUP: Final[Group[AccountFacts]] = Group("aws", AccountFacts)

CHECKS: Final[tuple[Check[AccountFacts], ...]] = (
    _GROUP.check(
        must(
            "aws-account",
            MARKETPLACE_QUOTAS,
            "The credentials belong to the account that argosy.toml names.",
            "export AWS_PROFILE=PROFILE, or set id in [marketplace.account]",
            rows="I05 F19",
            only=SOLD,
        ),
        _account,
    ),
    _GROUP.check(
        must(
            "aws-region",
            REGIONS_PAGE,
            "AWS has the package's regions, and no account has to opt into them.",
            'set region = "us-east-1" in [marketplace], and take the others out of regions',
            rows="V09",
            only=SOLD,
        ),
        _region,
    ),
    _GROUP.check(
        must(
            "aws-repository",
            MARKETPLACE_UPLOAD,
            "The repository is there, in the seller's own account and the package's region.",
            "aws ecr create-repository --repository-name NAME --region REGION",
            rows="I05 F15",
            only=SOLD,
        ),
        _repository,
        "repository",
        "aws-account",
    ),
    _GROUP.check(
        must(
            "aws-manifest",
            f"{FEEDBACK_ISSUES}/180",
            "ECR has stored the image as one Docker v2 schema 2 manifest.",
            "argosy image convert, and push again: a manifest that is stored does not change",
            rows="I01 I02 F01",
            only=SOLD,
        ),
        _manifest,
        "aws-repository",
    ),
    _GROUP.check(
        must(
            "aws-scan",
            MARKETPLACE_TROUBLE,
            "ECR has scanned the image before the package is made.",
            "aws ecr start-image-scan --repository-name NAME --image-id imageDigest=DIGEST",
            rows="F16 N07",
            only=SOLD,
        ),
        _scan,
        "aws-repository",
    ),
    _GROUP.check(
        must(
            "aws-scan-findings",
            SCANNING_PAGE,
            "ECR's scan has found no vulnerability of severity CRITICAL or HIGH.",
            "update the base image and the packages that the findings name, build and push again",
            rows="N06 F17",
            only=SOLD,
        ),
        _findings,
        "aws-scan",
    ),
    _GROUP.check(
        must(
            "aws-bucket",
            MARKETPLACE_QUOTAS,
            "The bucket of artifacts and samples is there, in the package's region.",
            "aws s3 mb s3://BUCKET --region REGION",
            rows="A04 V06",
            only=SOLD,
        ),
        _bucket,
        "bucket-name",
    ),
    _GROUP.check(
        fact(
            "aws-quotas",
            QUOTAS_PAGE,
            "The seller's own account may start each instance type that the package supports.",
            "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code CODE",
            rows="F27",
            only=SOLD,
        ),
        _quotas,
        "instance-types",
    ),
)
