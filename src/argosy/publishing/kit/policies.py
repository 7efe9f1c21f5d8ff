"""IAM policies that allow what each part needs, and nothing else: the seller's, the roles', the buyer's.

What a call of the API needs is `argosy.aws.permissions`' to say; here is who makes which calls, on what. An account or
region that is not known is `*`: a policy of an identity allows nothing in other accounts by that.

Source: AWS Marketplace seller guide, "Prerequisites" of machine-learning products, for the ingestion role; SageMaker
Developer Guide, "SageMaker roles", for what roles that run containers need; Service Authorization Reference of
SageMaker, AWS Marketplace Agreement and AWS Marketplace Discovery (read 2026-11-23).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from msgspec import structs

from argosy.aws.call import Call
from argosy.aws.permissions import policy
from argosy.marketplace.model_package import Places
from argosy.publishing.kit.contents import Kit

Document = dict[str, Any]
"""A policy of IAM. Any: JSON."""

SAGEMAKER: Final = "sagemaker.amazonaws.com"
MARKETPLACE: Final = "assets.marketplace.amazonaws.com"
_VERSION: Final = "2012-10-17"
_EVERYWHERE: Final = "*"

_STUDIO_ROLES: Final = "arn:aws:iam::*:role/service-role/AmazonSageMaker-ExecutionRole-*"
"""What SageMaker names the roles that it makes for notebooks; one runs its models with the role that it has."""

_PULL: Final = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_LOGS: Final = ("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents")
_DISCOVERY: Final = (
    "GetListing",
    "GetOffer",
    "GetOfferTerms",
    "GetProduct",
    "ListFulfillmentOptions",
    "ListPurchaseOptions",
)
_AGREEMENT: Final = (
    *("AcceptAgreementRequest", "CancelAgreement", "CreateAgreementRequest", "DescribeAgreement"),
    *("GetAgreementEntitlements", "GetAgreementTerms", "SearchAgreements"),
)
_SUBSCRIBING: Final = (
    *("aws-marketplace:ListPrivateListings", "aws-marketplace:Subscribe"),
    *("aws-marketplace:Unsubscribe", "aws-marketplace:ViewSubscriptions"),
)
"""What buyers need beside the operations: some of them ask for these, too."""
_CATALOG: Final = ("CancelChangeSet", "DescribeChangeSet", "DescribeEntity", "ListChangeSets", "ListEntities")


def documents(kit: Kit) -> dict[str, Document]:
    """Name of a file below `policies/` -> the policy."""
    bucket = f"sagemaker-{kit.name}-*".lower()
    kit = _with_patterns(kit)
    return {
        "seller/publisher.json": publisher(kit),
        "seller/validation-role.json": validation_role(kit),
        "seller/validation-role.trust.json": trust(SAGEMAKER),
        "seller/ingestion-role.json": ingestion_role(),
        "seller/ingestion-role.trust.json": trust(MARKETPLACE),
        "buyer/subscriber.json": subscriber(),
        "buyer/deployer.json": deployer(kit),
        "buyer/execution-role.json": execution_role(bucket),
        "buyer/execution-role.trust.json": trust(SAGEMAKER),
        "buyer/invoker.json": invoker(kit),
        "buyer/notebook.json": notebook(kit, bucket),
    }


def trust(service: str) -> Document:
    """Who may take a role: one service of AWS."""
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": _VERSION, "Statement": [statement]}


def publisher(kit: Kit) -> Document:
    """The person or the CI that publishes: pushes, registers, lists.

    UNSURE: whether the caller of CreateModelPackage needs what its validation does; it is allowed.
    """
    table, account = kit.table, kit.table.account
    region, places = table.region, Places.of(table)
    names = {"ModelPackageName": f"{table.name}-*", "ModelName": "*", "TransformJobName": "*"}
    roles = {"ValidationRole": table.validation.role or "", "AccessRoleArn": account.access_role or ""}
    handed = {member: arn for member, arn in roles.items() if arn}
    repository = {"repositoryName": account.repository_name}
    bucket, _, key = places.artifacts.removeprefix("s3://").partition("/")
    stored = {"Bucket": bucket, "Key": f"{key.rpartition('/')[0]}/*"}
    ecr = ("CreateRepository", "DescribeRepositories", "GetAuthorizationToken", "PutImage", "DescribeImages")
    calls = [
        Call("sts", "GetCallerIdentity", region, {}),
        *_calls("ecr", (*ecr, "StartImageScan", "DescribeImageScanFindings"), repository, region),
        *_calls("s3", ("PutObject", "GetObject", "ListObjectsV2"), stored, region),
        *_calls("sagemaker", ("CreateModelPackage", "DescribeModelPackage", "DeleteModelPackage"), names, region),
        *_calls("sagemaker", ("ListModelPackages", "ListTransformJobs"), {}, region),
        *_calls("sagemaker", ("CreateModel", "CreateTransformJob", "DescribeTransformJob"), names, region),
        *_calls("logs", ("FilterLogEvents",), {"logGroupName": "/aws/sagemaker/TransformJobs"}, region),
        *_calls("marketplace-catalog", _CATALOG, {}, region),
        Call("sagemaker", "CreateModelPackage", region, {**names, **handed}),
    ]
    document = policy(calls, _account(kit))
    document["Statement"] += [
        _statement(("s3:GetBucketLocation",), f"arn:aws:s3:::{bucket}"),
        _statement(("aws-marketplace:StartChangeSet",), _EVERYWHERE),
    ]
    return document


def validation_role(kit: Kit) -> Document:
    """The role that SageMaker takes for the validation: reads samples, artifacts and image, writes results."""
    places, account, region = Places.of(kit.table), _account(kit), kit.table.region
    bucket = places.artifacts.removeprefix("s3://").partition("/")[0]
    repository = f"arn:aws:ecr:{region}:{account}:repository/{kit.table.account.repository_name}"
    return _document(
        _statement(("s3:GetObject",), [_objects(places.artifacts), f"{_objects(places.samples)}*"]),
        _statement(("s3:AbortMultipartUpload", "s3:PutObject"), f"{_objects(places.results)}*"),
        _statement(("s3:GetBucketLocation", "s3:ListBucket"), f"arn:aws:s3:::{bucket}"),
        _statement(("ecr:GetAuthorizationToken",), _EVERYWHERE),
        _statement(_PULL, repository),
        *_running(region, account),
    )


def ingestion_role() -> Document:
    """The role by which AWS Marketplace reads what it copies."""
    return _document(_statement(("sagemaker:DescribeAlgorithm", "sagemaker:DescribeModelPackage"), _EVERYWHERE))


def subscriber() -> Document:
    """Whoever subscribes: this one may spend money."""
    calls = [
        *_calls("marketplace-discovery", _DISCOVERY, {}, _EVERYWHERE),
        *_calls("marketplace-agreement", _AGREEMENT, {}, _EVERYWHERE),
    ]
    document = policy(calls, _EVERYWHERE)
    document["Statement"].append(_statement(_SUBSCRIBING, _EVERYWHERE))
    return document


def deployer(kit: Kit) -> Document:
    """Whoever makes and deletes models, endpoints and transform jobs of the product."""
    return policy(_deploying(kit), _EVERYWHERE)


def execution_role(bucket: str) -> Document:
    """The role that SageMaker takes to run the product: the container itself has no network, and gets nothing of it.

    UNSURE: whether it has to be allowed to read image and artifacts; they belong to AWS Marketplace, so it is not.

    Args:
        bucket: A pattern of the bucket that transform jobs read and write.
    """
    return _document(
        _statement(("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"), f"arn:aws:s3:::{bucket}/*"),
        _statement(("s3:ListBucket",), f"arn:aws:s3:::{bucket}"),
        *_running(_EVERYWHERE, _EVERYWHERE),
    )


def invoker(kit: Kit) -> Document:
    """A program that invokes endpoints of the product."""
    operations = ("InvokeEndpoint", *(("InvokeEndpointWithResponseStream",) if kit.observed.is_streaming else ()))
    return policy(_calls("sagemaker-runtime", operations, {"EndpointName": f"{kit.name}-*"}, _EVERYWHERE), _EVERYWHERE)


def notebook(kit: Kit, bucket: str) -> Document:
    """Whoever runs the notebook: deploys, invokes, makes a bucket and a role and deletes both.

    A notebook of SageMaker's hands its own role on, which is of SageMaker's making; a role with another name and trust
    has to be allowed to be handed on beside this.

    Args:
        kit: The kit.
        bucket: A pattern of the bucket that it makes.
    """
    stored = {"Bucket": bucket, "Key": "*"}
    role = {"RoleName": f"{kit.name}-*-execution"}
    calls = [
        *_deploying(kit),
        Call("sts", "GetCallerIdentity", _EVERYWHERE, {}),
        *_calls("s3", ("CreateBucket", "ListObjectsV2", "PutObject", "GetObject", "DeleteObject"), stored, _EVERYWHERE),
    ]
    document = policy(calls, _EVERYWHERE)
    document["Statement"] += [
        *invoker(kit)["Statement"],
        _statement(("s3:DeleteBucket",), f"arn:aws:s3:::{bucket}"),
        _statement(("iam:GetRole",), _EVERYWHERE),
        {
            **_statement(("iam:PassRole",), _STUDIO_ROLES),
            "Condition": {"StringEquals": {"iam:PassedToService": SAGEMAKER}},
        },
        _statement(
            ("iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:PutRolePolicy"),
            f"arn:aws:iam::*:role/{role['RoleName']}",
        ),
    ]
    return document


def _deploying(kit: Kit) -> Sequence[Call]:
    mine = f"{kit.name}-*"
    names = {"ModelName": mine, "EndpointConfigName": mine, "EndpointName": mine, "TransformJobName": mine}
    packages = [{"ModelPackageName": arn} for _, arn in sorted(kit.arns.items())] or [{"ModelPackageName": ""}]
    role = {"ExecutionRoleArn": f"arn:aws:iam::*:role/{kit.name}-*"}
    operations = (
        *("DescribeModel", "DeleteModel", "CreateEndpointConfig", "DescribeEndpointConfig", "DeleteEndpointConfig"),
        *("CreateEndpoint", "UpdateEndpoint", "DescribeEndpoint", "DeleteEndpoint"),
        *("CreateTransformJob", "DescribeTransformJob", "StopTransformJob"),
    )
    return [
        *(Call("sagemaker", "DescribeModelPackage", _EVERYWHERE, package) for package in packages),
        Call("sagemaker", "CreateModel", _EVERYWHERE, {**names, **role}),
        *_calls("sagemaker", operations, names, _EVERYWHERE),
        *(
            Call("logs", "FilterLogEvents", _EVERYWHERE, {"logGroupName": group})
            for group in (f"/aws/sagemaker/Endpoints/{mine}", "/aws/sagemaker/TransformJobs")
        ),
    ]


def _running(region: str, account: str) -> Iterable[Document]:
    """What SageMaker needs of a role to run any container: its logs and its numbers."""
    group = f"arn:aws:logs:{region}:{account}:log-group:/aws/sagemaker/*"
    yield _statement(_LOGS, group)
    numbers = _statement(("cloudwatch:PutMetricData",), _EVERYWHERE)
    namespaces = ["/aws/sagemaker/*", "AWS/SageMaker"]
    yield {**numbers, "Condition": {"StringLike": {"cloudwatch:namespace": namespaces}}}


def _calls(service: str, operations: Iterable[str], parameters: Mapping[str, Any], region: str) -> list[Call]:
    return [Call(service, operation, region, parameters) for operation in operations]


def _with_patterns(kit: Kit) -> Kit:
    """The kit with `*` for the bucket and the repository, where argosy.toml does not say them."""
    said = kit.table.account
    account = structs.replace(said, bucket=said.bucket or _EVERYWHERE, repository=said.repository or _EVERYWHERE)
    return replace(kit, table=structs.replace(kit.table, account=account))


def _account(kit: Kit) -> str:
    """The seller's account, `*` where nothing says it."""
    said = kit.table.account.id
    role = (kit.table.validation.role or "").split(":")
    return said or (role[4] if len(role) > 5 else _EVERYWHERE)


def _objects(uri: str) -> str:
    return f"arn:aws:s3:::{uri.removeprefix('s3://')}"


def _statement(actions: Sequence[str], resource: str | list[str]) -> Document:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource}


def _document(*statements: Document) -> Document:
    return {"Version": _VERSION, "Statement": list(statements)}
