"""A plan with everything in it that a plan can have."""

from argosy.aws.call import Call
from argosy.planning.plan import Plan
from argosy.planning.step import Change, Consent, Kind, Later, Risk

ARN = "arn:aws:sagemaker:eu-central-1:123456789012:model-package/iris-classifier-1-0-0"


def _call(service: str, operation: str, **parameters: object) -> Call:
    return Call(service, operation, "us-east-1", parameters)


IMAGE = Change(
    "image",
    "image iris:1.0 in us-east-1",
    Kind.NOTHING,
    reads=(_call("ecr", "DescribeImages", repositoryName="iris"),),
    outputs={"digest": "sha256:00"},
)
PACKAGE = Change(
    "package",
    "model package iris-1-0-0 in us-east-1",
    Kind.CREATE,
    writes=(
        _call("s3", "PutObject", Bucket="b", Key="samples/one.csv"),
        _call(
            "sagemaker",
            "CreateModelPackage",
            ModelPackageName="iris-1-0-0",
            ModelPackageDescription="Says to which of three species an iris belongs, by the lengths of its leaves.",
            InferenceSpecification={
                "Containers": [{"Image": Later("image", "uri"), "Environment": {}}],
                "SupportedContentTypes": ["text/csv", "application/json"],
            },
            CertifyForMarketplace=True,
            Tags=[],
        ),
    ),
    notes=("its validation runs on an ml.m5.large for some minutes, which AWS bills by the second at its own price",),
)
PRODUCT = Change(
    "product",
    "product prod-0123456789abc",
    Kind.UPDATE,
    writes=(
        _call(
            "marketplace-catalog",
            "StartChangeSet",
            Catalog="AWSMarketplace",
            ChangeSet=[
                {
                    "ChangeType": "UpdateInformation",
                    "DetailsDocument": {"ProductTitle": "Iris \x1b[31mred\u202e", "Highlights": ["one", "two"]},
                },
                {
                    "ChangeType": "AddDeliveryOptions",
                    "DetailsDocument": {"ModelPackageArn": ARN, "Role": Later("r", "arn")},
                },
            ],
        ),
    ),
    before={
        "Catalog": "AWSMarketplace",
        "ChangeSet": [
            {"ChangeType": "UpdateInformation", "DetailsDocument": {"ProductTitle": "Old", "Highlights": ["one"]}}
        ],
    },
    consent=Consent(Risk.PUBLIC, "the version `1.0.0` of `Iris` is shown to buyers, who pay 0.10 USD an hour for it"),
    outputs={"product": "prod-0123456789abc"},
)
JOB = Change("job", "transform job iris-batch", Kind.WAIT, reads=(_call("sagemaker", "DescribeTransformJob"),))
OLD = Change(
    "old",
    "endpoint iris-old",
    Kind.DELETE,
    writes=(_call("sagemaker", "DeleteEndpoint", EndpointName="iris-old"),),
    consent=Consent(Risk.LOSS, "the endpoint `iris-old` is gone"),
)

PLAN = Plan((IMAGE, PACKAGE, PRODUCT, JOB, OLD))
EMPTY = Plan((IMAGE,))
