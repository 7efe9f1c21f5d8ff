"""SageMaker of the local AWS, by boto3: packages that are really validated, endpoints, logs; by account and region."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from argosy.local_aws.accounts import VALIDATION_ROLE
from argosy.testing.local_aws import LocalAwsServer
from tests.local_aws.stand_in import Push, small_image

DEADLINE_S = 60.0


def until(ask: Callable[[], Any], is_so: Callable[[Any], bool]) -> Any:
    """Ask until the answer is what is waited for."""
    end = time.monotonic() + DEADLINE_S
    while not is_so(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def package_request(name: str, image: str, bucket: str, **members: Any) -> dict[str, Any]:
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
            "Containers": [{"Image": image}],
            "SupportedTransformInstanceTypes": ["ml.m5.large"],
            "SupportedRealtimeInferenceInstanceTypes": ["ml.m5.large"],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ValidationSpecification": {
            "ValidationRole": VALIDATION_ROLE.arn,
            "ValidationProfiles": [{"ProfileName": "samples", "TransformJobDefinition": job}],
        },
        "CertifyForMarketplace": True,
        **members,
    }


@pytest.fixture(scope="module")
def bucket(local_aws: LocalAwsServer) -> str:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="samples")
    s3.put_object(Bucket="samples", Key="in/rows.csv", Body=b"1,2,3\n")
    return "samples"


def repository(aws: LocalAwsServer, name: str, *, scans: bool = True, region: str = "us-east-1") -> None:
    scanning = {"scanOnPush": scans}
    aws.client("ecr", region=region).create_repository(repositoryName=name, imageScanningConfiguration=scanning)


def ended(aws: LocalAwsServer, arn: str) -> Any:
    def describe() -> Any:
        return aws.client("sagemaker").describe_model_package(ModelPackageName=arn)

    return until(describe, lambda found: found["ModelPackageStatus"] in ("Completed", "Failed"))


def test_a_package_is_validated_by_running_its_image_over_the_samples(
    local_aws: LocalAwsServer, push: Push, bucket: str
) -> None:
    repository(local_aws, "iris")
    image = push(small_image(), "iris:1")
    request = package_request("iris-1", image, bucket)
    arn = local_aws.client("sagemaker").create_model_package(**request)["ModelPackageArn"]
    found = ended(local_aws, arn)
    assert arn == "arn:aws:sagemaker:us-east-1:111122223333:model-package/iris-1"
    assert found["ModelPackageStatus"] == "Completed"
    assert found["ModelPackageStatusDetails"] == {
        "ValidationStatuses": [{"Name": "samples", "Status": "Completed"}],
        "ImageScanStatuses": [{"Name": image, "Status": "Completed"}],
    }
    result = local_aws.client("s3").get_object(Bucket=bucket, Key="out/rows.csv.out")["Body"].read()
    assert result == b"1,2,3\n"


def test_a_package_whose_image_was_not_scanned_fails(local_aws: LocalAwsServer, push: Push, bucket: str) -> None:
    repository(local_aws, "unscanned", scans=False)
    request = package_request("unscanned-1", push(small_image("x"), "unscanned:1"), bucket)
    arn = local_aws.client("sagemaker").create_model_package(**request)["ModelPackageArn"]
    found = ended(local_aws, arn)
    (scan,) = found["ModelPackageStatusDetails"]["ImageScanStatuses"]
    assert found["ModelPackageStatus"] == "Failed"
    assert scan["Status"] == "NotStarted"
    assert scan["FailureReason"].startswith("Client error: No scan scheduled")
