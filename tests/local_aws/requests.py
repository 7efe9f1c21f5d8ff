"""Requests to the local SageMaker, and waiting for what they begin."""

import time
from collections.abc import Callable
from typing import Any

from argosy.local_aws.accounts import INGESTION_ROLE, VALIDATION_ROLE
from argosy.testing.local_aws import SELLER, Account, LocalAwsServer
from tests.local_aws.listings import creation

DEADLINE_S = 60.0


def until(ask: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
    """Ask until the answer is what is waited for."""
    end = time.monotonic() + DEADLINE_S
    while not is_so(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def package_request(name: str, image: str, bucket: str, **container: str) -> dict[str, Any]:
    """A package for sale, whose validation has `s3://BUCKET/in/` transformed."""
    job = {
        "TransformInput": {
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{bucket}/in/"}},
            "ContentType": "text/csv",
        },
        "TransformOutput": {"S3OutputPath": f"s3://{bucket}/out/", "Accept": "text/csv"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
    }
    return {
        "ModelPackageName": name,
        "InferenceSpecification": {
            "Containers": [{"Image": image, **container}],
            "SupportedTransformInstanceTypes": ["ml.m5.large", "ml.m5.xlarge"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large", "ml.c5.xlarge"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ValidationSpecification": {
            "ValidationRole": VALIDATION_ROLE.arn,
            "ValidationProfiles": [{"ProfileName": "samples", "TransformJobDefinition": job}],
        },
        "CertifyForMarketplace": True,
    }


def repository(aws: LocalAwsServer, name: str, *, scans: bool = True, region: str = "us-east-1") -> None:
    """The seller's repository of a name."""
    scanning = {"scanOnPush": scans}
    aws.client("ecr", region=region).create_repository(repositoryName=name, imageScanningConfiguration=scanning)


def ended(aws: LocalAwsServer, arn: str) -> Any:
    """A model package of the seller's, when it is validated."""

    def describe() -> Any:
        return aws.client("sagemaker").describe_model_package(ModelPackageName=arn)

    return until(describe, lambda found: found["ModelPackageStatus"] in ("Completed", "Failed"))


def endpoint(aws: LocalAwsServer, name: str, model: str, account: Account = SELLER) -> str:
    """Put an endpoint of a model into service; returns its ARN."""
    sagemaker = aws.client("sagemaker", account)
    variant = {"VariantName": "one", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    arn = sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)["EndpointArn"]
    described = until(
        lambda: sagemaker.describe_endpoint(EndpointName=name),
        lambda found: found["EndpointStatus"] in ("InService", "Failed"),
    )
    assert described["EndpointStatus"] == "InService", described
    return str(arn)


def published(aws: LocalAwsServer, package: str) -> str:
    """Publish a package of the seller's to the buyer alone; the product."""
    catalog = aws.client("marketplace-catalog")
    changes = creation()
    for change in changes:
        if change["ChangeType"] == "AddDeliveryOptions":
            option = change["DetailsDocument"]["DeliveryOptions"][0]["Details"]
            details = option["SageMakerModelPackageDeliveryOptionDetails"]
            details |= {"SageMakerModelPackageArn": package, "AccessRoleArn": INGESTION_ROLE.arn}
    started = catalog.start_change_set(Catalog="AWSMarketplace", ChangeSet=changes)["ChangeSetId"]
    described = until(
        lambda: catalog.describe_change_set(Catalog="AWSMarketplace", ChangeSetId=started),
        lambda found: found["Status"] in ("SUCCEEDED", "FAILED"),
    )
    assert described["Status"] == "SUCCEEDED", described
    return str(described["ChangeSet"][0]["Entity"]["Identifier"].partition("@")[0])
