"""Each account has one thing wrong and fails exactly the clause that names it; a clean one fails none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from argosy.aws.account import Role, Scan, Statement, StoredImage, Trust
from argosy.conformance.case import Case
from argosy.conformance.catalogue import CHECKS, CLAUSES
from argosy.conformance.check import Status
from argosy.conformance.finding import Finding
from argosy.conformance.profile import Profile
from argosy.conformance.run import judge
from argosy.conformance.scenes.account import AccountFacts, Refused
from argosy.conformance.scenes.project import ProjectFacts
from argosy.marketplace.model_package import Places
from argosy.marketplace.table import Marketplace
from tests.aws import seller
from tests.conformance.sellers import facts_of, with_value
from tests.conformance.servers import failed_clauses
from tests.marketplace.offers import CLEAN, changed

DIGEST = f"sha256:{'a' * 64}"
URI = f"{seller.ACCOUNT}.dkr.ecr.{seller.REGION}.amazonaws.com/{seller.REPOSITORY}"
TABLE = msgspec.convert(CLEAN, Marketplace)
EVERYTHING = (Statement(True, ("*",)),)
SAGEMAKER = Trust(True, ("sagemaker.amazonaws.com",))
VALIDATION = Role(seller.VALIDATION_ROLE, (SAGEMAKER,), EVERYTHING)
ACCESS = Role(seller.ACCESS_ROLE, (Trust(True, ("assets.marketplace.amazonaws.com",)),), EVERYTHING)
QUOTAS = {
    "ml.m5.large for endpoint usage": 4.0,
    "ml.c5.xlarge for endpoint usage": 4.0,
    "ml.m5.large for transform job usage": 2.0,
    "ml.m5.xlarge for transform job usage": 2.0,
}
CLEAN_FACTS = AccountFacts(
    TABLE,
    Places.of(TABLE),
    DIGEST,
    seller.ACCOUNT,
    {"us-east-1": "opt-in-not-required", "eu-west-1": "opt-in-not-required"},
    URI,
    StoredImage(DIGEST, seller.DOCKER_MANIFEST, 10**8),
    Scan("COMPLETE", counts={"LOW": 2}),
    "us-east-1",
    VALIDATION,
    ACCESS,
    QUOTAS,
)


def with_facts(**fields: Any) -> AccountFacts:
    return replace(CLEAN_FACTS, **fields)


def with_validation(*statements: Statement) -> AccountFacts:
    return with_facts(validation_role=replace(VALIDATION, statements=statements))


def with_trust(*trust: Trust) -> AccountFacts:
    return with_facts(validation_role=replace(VALIDATION, trust=trust))


def with_access(*statements: Statement, **fields: Any) -> AccountFacts:
    return with_facts(access_role=replace(ACCESS, statements=statements, **fields))


def with_table(path: str, value: object) -> AccountFacts:
    table = msgspec.convert(changed(path, value), Marketplace)
    return with_facts(table=table, places=Places.of(table))


def judge_case(case: Case, project: ProjectFacts | None = None) -> Mapping[str, Finding]:
    """The findings on an account; the project beside it is clean unless one is given."""
    findings = judge(Case.of(project or facts_of()).joined(case), profile=Profile.MARKETPLACE)
    return {finding.clause.id: finding for finding in findings if finding.group == "aws"}


DEFECTS: Mapping[str, tuple[AccountFacts, str]] = {
    "another account": (with_facts(account="210987654321"), "aws-account"),
    "roles of another account": (
        with_facts(account="210987654321", table=msgspec.convert(changed("account/id", None), Marketplace)),
        "aws-account",
    ),
    "no such region": (with_facts(opt_ins={"us-east-1": "opt-in-not-required", "moon-1": None}), "aws-region"),
    "a region to opt into": (with_facts(opt_ins={"af-south-1": "not-opted-in"}), "aws-region"),
    "a region that was opted into": (with_facts(opt_ins={"af-south-1": "opted-in"}), "aws-region"),
    "no repository": (with_facts(repository=None), "aws-repository"),
    "a repository elsewhere": (
        with_table("account/repository", URI.replace("us-east-1", "us-west-2")),
        "aws-repository",
    ),
    "an OCI manifest": (with_facts(image=StoredImage(DIGEST, seller.OCI_MANIFEST, 1)), "aws-manifest"),
    "no scan": (with_facts(scan=None), "aws-scan"),
    "a failed scan": (with_facts(scan=Scan("FAILED", "it broke")), "aws-scan"),
    "a vulnerability": (with_facts(scan=Scan("ACTIVE", "", {"HIGH": 1}, ("CVE-1 HIGH",))), "aws-scan-findings"),
    "a critical one": (with_facts(scan=Scan("COMPLETE", "", {"CRITICAL": 3})), "aws-scan-findings"),
    "no bucket": (with_facts(bucket_region=None), "aws-bucket"),
    "a bucket in another region": (with_facts(bucket_region="eu-west-1"), "aws-bucket"),
    "no validation role": (with_facts(validation_role=None), "aws-validation-role"),
    "a validation role for others": (
        with_trust(Trust(True, ("ec2.amazonaws.com",))),
        "aws-validation-role",
    ),
    "a validation role that may only be tagged": (
        with_trust(replace(SAGEMAKER, actions=("sts:TagSession",))),
        "aws-validation-role",
    ),
    "a validation role that is denied alone": (with_trust(replace(SAGEMAKER, is_allow=False)), "aws-validation-role"),
    "a validation role of another path": (
        with_facts(validation_role=replace(VALIDATION, arn=VALIDATION.arn.replace("role/", "role/service/"))),
        "aws-validation-role",
    ),
    "a validation role that may do nothing": (with_validation(), "aws-validation-rights"),
    "a validation role that may read another bucket": (
        with_validation(
            Statement(True, ("s3:*",), ("arn:aws:s3:::others", "arn:aws:s3:::others/*")),
            Statement(True, ("ecr:*", "logs:*")),
        ),
        "aws-validation-rights",
    ),
    "a denial": (
        with_validation(*EVERYTHING, Statement(False, ("s3:Put*",))),
        "aws-validation-rights",
    ),
    "no access role": (with_facts(access_role=None), "aws-access-role"),
    "an access role for others": (
        with_facts(access_role=replace(ACCESS, trust=(SAGEMAKER,))),
        "aws-access-role",
    ),
    "an access role that may do nothing": (
        with_access(Statement(True, ("sagemaker:DescribeAlgorithm",))),
        "aws-access-rights",
    ),
    "an access role for another package": (
        with_access(
            Statement(True, ("sagemaker:*",), ("arn:aws:sagemaker:us-east-1:123456789012:model-package/other*",))
        ),
        "aws-access-rights",
    ),
    "a quota of nothing": (
        with_facts(quotas={**QUOTAS, "ml.m5.xlarge for transform job usage": 0.0}),
        "aws-quotas",
    ),
}

REFUSED = Refused("ecr:DescribeImages", "AccessDeniedException")
UNDECIDED: Mapping[str, tuple[AccountFacts, str]] = {
    "account": (with_facts(account=REFUSED), "aws-account"),
    "region": (with_facts(opt_ins=REFUSED), "aws-region"),
    "repository": (with_facts(repository=REFUSED), "aws-repository"),
    "image": (with_facts(image=REFUSED), "aws-manifest"),
    "scan": (with_facts(scan=REFUSED), "aws-scan"),
    "bucket": (with_facts(bucket_region=REFUSED), "aws-bucket"),
    "validation role": (with_facts(validation_role=REFUSED), "aws-validation-role"),
    "access role": (with_facts(access_role=REFUSED), "aws-access-role"),
    "quotas": (with_facts(quotas=REFUSED), "aws-quotas"),
    "scan of an unknown image": (with_facts(image=REFUSED, scan=None), "aws-scan-findings"),
    "rights of an unknown role": (with_facts(validation_role=REFUSED), "aws-validation-rights"),
    "trust on a condition": (with_trust(replace(SAGEMAKER, is_plain=False)), "aws-validation-role"),
    "trust in everybody": (with_trust(Trust(True, ("*",), is_plain=False)), "aws-validation-role"),
    "trust and a denial": (
        with_trust(SAGEMAKER, Trust(False, ("sagemaker.amazonaws.com",), ("sts:*",))),
        "aws-validation-role",
    ),
    "rights without account": (with_facts(account=REFUSED), "aws-access-rights"),
    "a scan that goes on": (with_facts(scan=Scan("IN_PROGRESS")), "aws-scan"),
    "an image that ECR cannot scan": (with_facts(scan=Scan("UNSUPPORTED_IMAGE")), "aws-scan"),
    "a scan that is too old": (with_facts(scan=Scan("SCAN_ELIGIBILITY_EXPIRED")), "aws-scan"),
    "a bucket without a region": (with_facts(bucket_region=""), "aws-bucket"),
    "no quota of that name": (with_facts(quotas={}), "aws-quotas"),
    "a condition": (with_access(Statement(True, ("*",), is_plain=False)), "aws-access-rights"),
    "all but something": (with_access(Statement(True, (), ("*",), is_plain=False)), "aws-access-rights"),
    "a conditional denial": (
        with_access(*EVERYTHING, Statement(False, ("*",), is_plain=False)),
        "aws-access-rights",
    ),
    "a boundary": (with_access(*EVERYTHING, has_boundary=True), "aws-access-rights"),
}


def test_a_clean_account_fails_nothing_and_decides_everything() -> None:
    assert {finding.status for finding in judge_case(Case.of(CLEAN_FACTS)).values()} == {Status.PASS}


@pytest.mark.parametrize("defect", sorted(DEFECTS))
def test_a_defect_fails_exactly_its_own_clause(defect: str) -> None:
    facts, clause_id = DEFECTS[defect]
    findings = judge_case(Case.of(facts))
    assert failed_clauses(findings) == {clause_id}
    assert findings[clause_id].verdict.reason


@pytest.mark.parametrize("case", sorted(UNDECIDED))
def test_what_aws_did_not_tell_is_unknown(case: str) -> None:
    facts, clause_id = UNDECIDED[case]
    findings = judge_case(Case.of(facts))
    assert failed_clauses(findings) == set()
    assert findings[clause_id].status is Status.UNKNOWN
    refused = [value for value in (getattr(facts, name) for name in facts.__slots__) if value is REFUSED]
    assert not refused or "`ecr:DescribeImages` was not done: AccessDenied" in findings[clause_id].verdict.reason


@pytest.mark.parametrize(
    ("facts", "clause_id"),
    [
        (with_facts(digest="", image=None, scan=None), "aws-manifest"),
        (with_facts(image=None, scan=None), "aws-manifest"),
        (with_facts(image=None, scan=None), "aws-scan"),
        (with_table("validation/role", ...), "aws-validation-role"),
    ],
)
def test_what_is_not_there_yet_is_skipped(facts: AccountFacts, clause_id: str) -> None:
    findings = judge_case(Case.of(facts))
    assert failed_clauses(findings) == set()
    assert findings[clause_id].status is Status.SKIP


@pytest.mark.parametrize("action", ["sts:Assume*", "sts:assumerole", "STS:AssumeRole", "sts:AssumeRol?", "*"])
def test_what_iam_takes_for_the_action_is_the_action(action: str) -> None:
    facts = with_trust(replace(SAGEMAKER, actions=("sts:TagSession", action)))
    assert judge_case(Case.of(facts))["aws-validation-role"].status is Status.PASS


@pytest.mark.parametrize(
    ("path", "value", "fields", "clause_ids"),
    [
        ("account/repository", "", {"repository": None}, {"aws-repository", "aws-manifest", "aws-validation-rights"}),
        ("account/bucket", "", {"bucket_region": None}, {"aws-bucket", "aws-validation-rights"}),
        ("validation/role", "", {"validation_role": None}, {"aws-validation-role", "aws-validation-rights"}),
        ("account/access_role", None, {"access_role": None}, {"aws-access-role", "aws-access-rights"}),
        ("instances", {}, {}, {"aws-quotas"}),
    ],
)
def test_what_argosy_toml_leaves_out_is_no_finding_on_the_account(
    path: str, value: object, fields: Mapping[str, Any], clause_ids: set[str]
) -> None:
    facts = replace(with_table(path, value), **fields)
    findings = judge_case(Case.of(facts), with_value(path, value))
    assert failed_clauses(findings) == set()
    assert {findings[clause_id].status for clause_id in clause_ids} == {Status.SKIP}


def test_no_quota_that_was_asked_for_is_no_pass() -> None:
    finding = judge_case(Case.of(with_table("instances", {})))["aws-quotas"]
    assert (finding.status, finding.verdict.reason) == (Status.SKIP, "argosy.toml names no instance types")


def test_every_clause_on_the_account_has_a_defect_that_breaks_it_and_is_asked_only_there() -> None:
    asked = {check.clause.id for check in CHECKS if check.group == "aws"}
    assert asked == {clause_id for _, clause_id in DEFECTS.values()}
    assert all(CLAUSES[clause_id].only == (Profile.MARKETPLACE,) for clause_id in asked)
