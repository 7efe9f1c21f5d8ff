"""Asks AWS what the seller's account has: reads only, and only when that was asked for."""

from collections.abc import Callable
from typing import Final, TypeVar

from argosy.aws.account import Account, Role
from argosy.conformance.case import Case
from argosy.conformance.observing.project import NO_PROJECT, NO_TABLE
from argosy.conformance.scenes.account import AccountFacts, Refused
from argosy.errors import AwsError, UsageError
from argosy.marketplace.model_package import Places
from argosy.project import Project

Answer = TypeVar("Answer")

NOT_ASKED: Final = "not asked for: --online"
NO_CREDENTIALS: Final = "there are no AWS credentials: `aws sts get-caller-identity` says what boto3 finds"


def observe_account(project: Project | None, digest: str = "") -> Case:
    """The scene of the account that a project is sold from; else why there is none.

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
        return Case().without((AccountFacts,), f"{error.message}: {error.hint}")
    if not account.has_credentials():
        return Case().without((AccountFacts,), NO_CREDENTIALS)
    said = table.account
    repository = said.repository.partition("/")[2] if "." in said.repository.partition("/")[0] else said.repository
    image = _asked(lambda: account.image(repository, digest)) if digest and repository else None
    regions = dict.fromkeys((table.region, *table.regions))
    return Case.of(
        AccountFacts(
            table,
            Places.of(table),
            digest,
            _asked(account.identity),
            _asked(lambda: {region: account.opt_in_status(region) for region in regions}),
            _asked(lambda: account.repository_uri(repository)) if repository else None,
            image,
            None if image is None or isinstance(image, Refused) else _asked(lambda: account.scan(repository, digest)),
            _asked(lambda: account.bucket_region(said.bucket)) if said.bucket else None,
            _role(account, table.validation.role),
            _role(account, said.access_role),
            _asked(account.quotas),
        )
    )


def _role(account: Account, arn: str | None) -> Role | Refused | None:
    return None if arn is None else _asked(lambda: account.role(arn))


def _asked(call: Callable[[], Answer]) -> Answer | Refused:
    try:
        return call()
    except AwsError as error:
        return Refused(error.action, error.refusal)
