"""SageMaker of the local AWS, by boto3: packages that are really validated, endpoints, logs; by account and region."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from argosy.local_aws.accounts import EXECUTION_ROLE, INGESTION_ROLE, VALIDATION_ROLE
from argosy.testing.local_aws import BUYER, SELLER, LocalAwsServer
from tests.local_aws.requests import ended, endpoint, package_request, repository
from tests.local_aws.stand_in import Push, small_image


@pytest.fixture(scope="module")
def bucket(local_aws: LocalAwsServer) -> str:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="samples")
    s3.put_object(Bucket="samples", Key="in/rows.csv", Body=b"1,2,3\n")
    return "samples"


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


@pytest.mark.parametrize(
    ("role", "why"),
    [
        ("arn:aws:iam::111122223333:role/nobody", "there is none"),
        (INGESTION_ROLE.arn, "SageMaker may not assume it"),
        (EXECUTION_ROLE.arn, "it is another account's"),
    ],
)
def test_a_validation_role_that_sagemaker_cannot_assume_is_refused(
    local_aws: LocalAwsServer, push: Push, bucket: str, role: str, why: str
) -> None:
    name = f"roles-{why.split()[0].lower()}"
    repository(local_aws, name)
    request = package_request(name, push(small_image(why), f"{name}:1"), bucket)
    request["ValidationSpecification"]["ValidationRole"] = role
    with pytest.raises(ClientError, match=f"Could not assume role {role}. Please ensure that the role exists"):
        local_aws.client("sagemaker").create_model_package(**request)


@pytest.mark.parametrize(
    ("image", "sentence"),
    [
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/nowhere:1", "Requested image .* not found."),
        ("444455556666.dkr.ecr.us-east-1.amazonaws.com/iris:1", "Access denied for registry"),
        ("iris", 'ECR image "iris" is invalid.'),
    ],
)
def test_an_image_that_sagemaker_cannot_have_is_refused(
    local_aws: LocalAwsServer, bucket: str, image: str, sentence: str
) -> None:
    with pytest.raises(ClientError, match=sentence):
        local_aws.client("sagemaker").create_model_package(**package_request("no-image", image, bucket))


def test_an_image_that_is_not_dockers_schema_2_is_refused(local_aws: LocalAwsServer, push: Push, bucket: str) -> None:
    repository(local_aws, "oci")
    image = push(small_image(media_type="application/vnd.oci.image.manifest.v1+json"), "oci:1")
    with pytest.raises(ClientError, match=r"Unsupported manifest media type application/vnd\.oci\.image\.manifest"):
        local_aws.client("sagemaker").create_model_package(**package_request("oci-1", image, bucket))


def messages(aws: LocalAwsServer, group: str, **wanted: Any) -> list[tuple[str, str]]:
    found = aws.client("logs").filter_log_events(logGroupName=group, **wanted)["events"]
    return [(event["logStreamName"], event["message"]) for event in found]


def test_what_the_container_of_a_failed_validation_wrote_is_in_its_log(
    local_aws: LocalAwsServer, push: Push, bucket: str
) -> None:
    repository(local_aws, "crash")
    image = push(small_image("crash", STAND_IN_MODE="crash"), "crash:1")
    request = package_request("crash-1", image, bucket)
    found = ended(local_aws, local_aws.client("sagemaker").create_model_package(**request)["ModelPackageArn"])
    (validation,) = found["ModelPackageStatusDetails"]["ValidationStatuses"]
    assert found["ModelPackageStatus"] == "Failed"
    assert validation["Status"] == "Failed"
    assert validation["FailureReason"]
    said = messages(local_aws, "/aws/sagemaker/TransformJobs", logStreamNamePrefix="crash-1-samples/i-")
    assert "no such file: model.joblib" in [message for name, message in said if not name.endswith("/data-log")]


def test_a_buyer_invokes_an_endpoint_and_reads_its_log(local_aws: LocalAwsServer, push: Push) -> None:
    local_aws.client("ecr", BUYER).create_repository(repositoryName="own")
    image = push(small_image(), "own:1", BUYER)
    sagemaker = local_aws.client("sagemaker", BUYER)
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": image}, ExecutionRoleArn=EXECUTION_ROLE.arn)
    arn = endpoint(local_aws, "e", "m", BUYER)
    runtime = local_aws.client("sagemaker-runtime", BUYER)
    answer = runtime.invoke_endpoint(EndpointName="e", ContentType="text/csv", Body=b"1,2")
    assert arn == "arn:aws:sagemaker:us-east-1:444455556666:endpoint/e"
    assert answer["Body"].read() == b"1,2"

    logs = local_aws.client("logs", BUYER)
    (event,) = logs.filter_log_events(logGroupName="/aws/sagemaker/Endpoints/e", filterPattern="starts")["events"]
    assert event["message"] == "stand-in starts"
    assert event["logStreamName"].startswith("one/i-")
    with pytest.raises(ClientError, match="Endpoint e of account 111122223333 not found"):
        local_aws.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"1")
    streamed = runtime.invoke_endpoint_with_response_stream(EndpointName="e", Body=b"STREAM one two")["Body"]
    assert b"".join(event["PayloadPart"]["Bytes"] for event in streamed) == b"onetwo"
    with pytest.raises(ClientError, match=r"group=/aws/sagemaker/Endpoints/e in account 444455556666"):
        runtime.invoke_endpoint(EndpointName="e", ContentType="text/csv", Body=b"STATUS-404")
    sagemaker.delete_endpoint(EndpointName="e")


def test_accounts_and_regions_have_nothing_in_common(local_aws: LocalAwsServer, push: Push) -> None:
    places = [(account, region) for account in (SELLER, BUYER) for region in ("us-west-2", "eu-west-1")]
    for account, region in places:
        local_aws.client("ecr", account, region).create_repository(repositoryName="shared-name")
        image = push(small_image(f"{account.name} {region}"), "shared-name:1", account, region)
        role = EXECUTION_ROLE.arn if account is BUYER else VALIDATION_ROLE.arn
        local_aws.client("sagemaker", account, region).create_model(
            ModelName="same", PrimaryContainer={"Image": image}, ExecutionRoleArn=role
        )
    models = {
        local_aws.client("sagemaker", account, region).describe_model(ModelName="same")["ModelArn"]
        for account, region in places
    }
    images = {
        local_aws.client("ecr", account, region).describe_images(repositoryName="shared-name")["imageDetails"][0][
            "imageDigest"
        ]
        for account, region in places
    }
    assert models == {f"arn:aws:sagemaker:{region}:{account.number}:model/same" for account, region in places}
    assert len(images) == len(places)
