"""Asks AWS what the seller's account has: reads only, and only when that was asked for."""

from collections.abc import Callable
from typing import Final, TypeVar

from argosy.aws import identity
from argosy.aws.account import Account, Role, StoredImage
from argosy.conformance.case import Case
from argosy.conformance.observing.project import NO_PROJECT, NO_TABLE
from argosy.conformance.scenes.account import AccountFacts, Refused
from argosy.errors import AwsError, NetworkError, UsageError
from argosy.marketplace.model_package import Places
from argosy.marketplace.table import Marketplace
from argosy.project import Project

Answer = TypeVar("Answer")

NOT_ASKED: Final = "not asked for: --online"
NO_CREDENTIALS: Final = "there are no AWS credentials: `aws sts get-caller-identity` says what boto3 finds"


def observe_account(project: Project | None, digest: str = "") -> Case:
    """The scene of the account that a project is sold from; else why there is none.

    Where AWS cannot be asked, for want of boto3 or credentials, the scene says so of each call: it was asked for.

    Args:
        project: The project; None when what is examined is no project.
        digest: Digest of the image that is looked for in the repository; empty when none was built.
    """
    table = None if project is None else project.marketplace
    if table is None:
        return Case().without((AccountFacts,), NO_PROJECT if project is None else NO_TABLE)
    try:
        account = Account(table.region)
    except UsageError as error:
        return Case.of(_unasked(table, digest, f"{error.message}: {error.hint}"))
    fault = account.credentials_fault()
    if fault is not None:
        return Case.of(_unasked(table, digest, NO_CREDENTIALS + (f" ({fault})" if fault else "")))
    said = table.account
    name = said.repository_name
    image = _asked(lambda: account.image(name, digest)) if digest and name else None
    return Case.of(
        AccountFacts(
            table=table,
            places=Places.of(table),
            digest=digest,
            account=_caller(),
            opt_ins=_opt_ins(account, table),
            repository=_asked(lambda: account.repository_uri(name)) if name else None,
            image=image,
            scan=_asked(lambda: account.scan(name, digest)) if isinstance(image, StoredImage) else None,
            bucket_region=_asked(lambda: account.bucket_region(said.bucket_in(table.region))) if said.bucket else None,
            validation_role=_role(account, table.validation.role),
            access_role=_role(account, said.access_role),
            quotas=_asked(account.quotas),
        )
    )


def _unasked(table: Marketplace, digest: str, why: str) -> AccountFacts:
    """The scene of an account of which nothing can be asked."""
    said = table.account
    return AccountFacts(
        table=table,
        places=Places.of(table),
        digest=digest,
        account=Refused("sts:GetCallerIdentity", why),
        opt_ins=Refused("ec2:DescribeRegions", why),
        repository=Refused("ecr:DescribeRepositories", why),
        image=Refused("ecr:DescribeImages", why),
        scan=Refused("ecr:DescribeImageScanFindings", why),
        bucket_region=Refused("s3:ListBucket", why),
        validation_role=Refused("iam:GetRole", why) if table.validation.role else None,
        access_role=Refused("iam:GetRole", why) if said.access_role else None,
        quotas=Refused("servicequotas:ListServiceQuotas", why),
    )


def _opt_ins(account: Account, table: Marketplace) -> dict[str, str | None] | Refused:
    found = _asked(account.opt_in_statuses)
    if isinstance(found, Refused):
        return found
    return {region: found.get(region) for region in (table.region, *table.regions)}


def _caller() -> str | Refused:
    try:
        return identity.caller().account
    except (NetworkError, UsageError) as error:
        return Refused("sts:GetCallerIdentity", str(error.got))


def _role(account: Account, arn: str | None) -> Role | Refused | None:
    return None if not arn else _asked(lambda: account.role(arn))


def _asked(call: Callable[[], Answer]) -> Answer | Refused:
    try:
        return call()
    except AwsError as error:
        return Refused(error.action, error.refusal)
