"""The two roles: who may take them, and what they may do.

What a policy allows is judged by its statements alone. A condition and a permissions boundary can take away from that,
so they make it unknown; a policy of the organization can, too, and is not seen.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from argosy.aws.account import Role, Statement, Trust
from argosy.conformance.check import Check, Evidence, Group, Verdict, failed, passed, skipped, unknown
from argosy.conformance.clause import must, should
from argosy.conformance.project_checks.wording import SOLD
from argosy.conformance.scenes.account import AccountFacts, Refused
from argosy.conformance.sources import MARKETPLACE_PREREQUISITES, VALIDATION_SPECIFICATION
from argosy.marketplace.model_package import package_name

SAGEMAKER: Final = "sagemaker.amazonaws.com"
MARKETPLACE: Final = "assets.marketplace.amazonaws.com"


def _validation_role(facts: AccountFacts) -> Verdict:
    return _trusts(facts.validation_role, facts.table.validation.role, SAGEMAKER)


def _access_role(facts: AccountFacts) -> Verdict:
    return _trusts(facts.access_role, facts.table.account.access_role, MARKETPLACE)


def _trusts(role: Role | Refused | None, arn: str | None, service: str) -> Verdict:
    if arn is None:
        return skipped("argosy.toml names no role")
    if isinstance(role, Refused):
        return unknown(str(role))
    if role is None:
        return failed(f"the account has no role `{arn.rpartition('/')[2]}`", Evidence("iam:GetRole", "NoSuchEntity"))
    if role.arn != arn:
        return failed(f"the role's ARN is `{role.arn}`, and argosy.toml says `{arn}`")
    about = [one for one in role.trust if _takes(one) and _matches(one.services, service)]
    allowing = [one for one in about if one.is_allow]
    if not allowing:
        services = {name for one in role.trust if one.is_allow and _takes(one) for name in one.services}
        trusted = ", ".join(sorted(services)) or "no service"
        return failed(f"`{service}` may not take the role", Evidence("iam:GetRole", f"trusts {trusted}"))
    if len(about) > len(allowing):
        return unknown(
            f"a statement of the trust policy denies `{service}` the role; whether it applies, is not judged"
        )
    if not any(one.is_plain for one in allowing):
        return unknown(f"`{service}` may take the role on conditions, which are not judged here")
    return passed(f"`{service}` may take the role")


def _takes(trust: Trust) -> bool:
    """Whether a statement is of taking the role; one that excepts actions may be."""
    return _matches(trust.actions, "sts:AssumeRole")


def _validation_rights(facts: AccountFacts) -> Verdict:
    if isinstance(facts.account, Refused):
        return unknown(str(facts.account))
    return _may(facts.validation_role, dict(_needed(facts, facts.account)))


def _access_rights(facts: AccountFacts) -> Verdict:
    if isinstance(facts.account, Refused):
        return unknown(str(facts.account))
    package = f"model-package/{package_name(facts.table).lower()}"
    arn = f"arn:aws:sagemaker:{facts.table.region}:{facts.account}:{package}"
    return _may(facts.access_role, {"sagemaker:DescribeModelPackage": arn})


def _needed(facts: AccountFacts, account: str) -> Iterator[tuple[str, str]]:
    """What the validation's job does with its role, each with a resource that it does it to."""
    said = facts.table
    repository = f"arn:aws:ecr:{said.region}:{account}:repository/{said.account.repository_name}"
    yield "s3:GetObject", f"{_s3_arn(facts.places.samples)}x"
    yield "s3:PutObject", f"{_s3_arn(facts.places.results)}x"
    yield "s3:ListBucket", f"arn:aws:s3:::{said.account.bucket_in(said.region)}"
    yield "ecr:GetAuthorizationToken", "*"
    yield "ecr:BatchGetImage", repository
    yield "ecr:GetDownloadUrlForLayer", repository
    yield "logs:PutLogEvents", f"arn:aws:logs:{said.region}:{account}:log-group:/aws/sagemaker/TransformJobs:x"


def _s3_arn(uri: str) -> str:
    return "arn:aws:s3:::" + uri.removeprefix("s3://")


def _may(role: Role | Refused | None, needed: dict[str, str]) -> Verdict:
    if isinstance(role, Refused):
        return unknown(str(role))
    if role is None:
        return skipped("there is no role to look at")
    denied = [action for action, resource in needed.items() if _is_denied(role.statements, action, resource)]
    if denied:
        return failed(f"a policy denies `{denied[0]}`", Evidence(role.arn, f"denied: {', '.join(denied)}"))
    lacking = [action for action, resource in needed.items() if not _allowing(role.statements, action, resource)]
    if lacking:
        return failed(f"no policy allows `{lacking[0]}`", Evidence(role.arn, f"not allowed: {', '.join(lacking)}"))
    doubtful = [
        action
        for action, resource in needed.items()
        if not any(statement.is_plain for statement in _allowing(role.statements, action, resource))
    ]
    if doubtful:
        return unknown(f"`{doubtful[0]}` is allowed on conditions, which are not judged here")
    if role.has_boundary or any(not s.is_allow and not s.is_plain for s in role.statements):
        return unknown("a permissions boundary or a conditional denial may take away what the policies allow")
    return passed(", ".join(f"`{action}`" for action in needed))


def _allowing(statements: tuple[Statement, ...], action: str, resource: str) -> list[Statement]:
    """The statements that allow an action; those that are not plain and name no action may do so."""
    return [
        one
        for one in statements
        if one.is_allow and ((_matches(one.actions, action) and _matches(one.resources, resource)) or _is_inverted(one))
    ]


def _is_inverted(statement: Statement) -> bool:
    """Whether it names what is excepted: `NotAction` or `NotResource`."""
    return not statement.is_plain and not (statement.actions and statement.resources)


def _is_denied(statements: tuple[Statement, ...], action: str, resource: str) -> bool:
    return any(
        not one.is_allow and one.is_plain and _matches(one.actions, action) and _matches(one.resources, resource)
        for one in statements
    )


def _matches(patterns: tuple[str, ...], text: str) -> bool:
    return any(_compiled(pattern).fullmatch(text) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern of IAM's: `*` is any text, `?` any character; actions know no case."""
    flags = 0 if pattern.startswith("arn:") else re.IGNORECASE
    return re.compile(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), flags)


_GROUP: Final[Group[AccountFacts]] = Group("aws", AccountFacts)

CHECKS: Final[tuple[Check[AccountFacts], ...]] = (
    _GROUP.check(
        must(
            "aws-validation-role",
            VALIDATION_SPECIFICATION,
            "The role of the validation is there, and SageMaker may take it.",
            f'aws iam update-assume-role-policy: {{"Effect": "Allow", "Principal": {{"Service": "{SAGEMAKER}"}},'
            ' "Action": "sts:AssumeRole"}',
            rows="V05",
            only=SOLD,
        ),
        _validation_role,
        "validation-role",
        "aws-account",
    ),
    _GROUP.check(
        should(
            "aws-validation-rights",
            VALIDATION_SPECIFICATION,
            "The role of the validation may read samples and image, and write results and logs.",
            "aws iam put-role-policy, with the statements of docs/how-to/check-marketplace.md",
            rows="V05 V06",
            only=SOLD,
        ),
        _validation_rights,
        "repository",
        "bucket-name",
        "aws-validation-role",
    ),
    _GROUP.check(
        must(
            "aws-access-role",
            MARKETPLACE_PREREQUISITES,
            "The role by which AWS Marketplace reads the package is there, and AWS Marketplace may take it.",
            f'aws iam update-assume-role-policy: {{"Effect": "Allow", "Principal": {{"Service": "{MARKETPLACE}"}},'
            ' "Action": "sts:AssumeRole"}',
            rows="V12 F19",
            only=SOLD,
        ),
        _access_role,
        "access-role",
        "aws-account",
    ),
    _GROUP.check(
        must(
            "aws-access-rights",
            MARKETPLACE_PREREQUISITES,
            "The role by which AWS Marketplace reads the package may describe it.",
            "aws iam put-role-policy, with sagemaker:DescribeModelPackage on *",
            rows="V12 F19",
            only=SOLD,
        ),
        _access_rights,
        "aws-access-role",
    ),
)
