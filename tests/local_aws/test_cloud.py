"""The local AWS as a whole: a package from its push to a buyer's endpoint; kept in a folder; seen write by write."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from argosy.errors import UsageError
from argosy.local_aws.accounts import EXECUTION_ROLE
from argosy.testing.local_aws import BUYER, SELLER, LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.requests import ended, endpoint, package_request, published, repository, until
from tests.local_aws.stand_in import Push, archive, small_image


def bucket_of(aws: LocalAwsServer, name: str) -> str:
    s3 = aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="in/rows.csv", Body=b"1,2,3\n")
    return name


def copy_of(aws: LocalAwsServer, package: str) -> str:
    """The ARN under which a package was published in us-east-1, as AWS's console shows it."""
    with urllib.request.urlopen(f"{aws.url}/_argosy/published-packages") as answer:
        return str(json.load(answer)[package]["us-east-1"])


def subscribe(aws: LocalAwsServer, product: str) -> None:
    discovery, agreement = aws.client("marketplace-discovery", BUYER), aws.client("marketplace-agreement", BUYER)
    wanted = [{"filterType": "PRODUCT_ID", "filterValues": [product]}]
    offer_id = discovery.list_purchase_options(filters=wanted)["purchaseOptions"][0]["purchaseOptionId"]
    offer = discovery.get_offer(offerId=offer_id)
    terms = discovery.get_offer_terms(offerId=offer_id)["offerTerms"]
    quote = agreement.create_agreement_request(
        intent="NEW",
        agreementProposalIdentifier=offer["agreementProposalId"],
        requestedTerms=[{"id": term["id"]} for each in terms for term in each.values()],
    )
    agreement.accept_agreement_request(agreementRequestId=quote["agreementRequestId"])


def test_a_buyer_deploys_what_a_seller_has_published_and_lives_on_without_the_sellers_copy(
    local_aws: LocalAwsServer, push: Push
) -> None:
    bucket = bucket_of(local_aws, "road")
    local_aws.client("s3").put_object(Bucket=bucket, Key="model.tar.gz", Body=archive())
    repository(local_aws, "road")
    image = push(small_image(), "road:1")
    request = package_request("road-1", image, bucket, ModelDataUrl=f"s3://{bucket}/model.tar.gz")
    arn = local_aws.client("sagemaker").create_model_package(**request)["ModelPackageArn"]
    assert ended(local_aws, arn)["ModelPackageStatus"] == "Completed"
    product = published(local_aws, arn)
    copy = copy_of(local_aws, arn)
    sagemaker = local_aws.client("sagemaker", BUYER)
    container = {"ModelPackageName": copy}
    model = {"ExecutionRoleArn": EXECUTION_ROLE.arn, "EnableNetworkIsolation": True}

    with pytest.raises(ClientError, match=r"Caller is not subscribed to the marketplace offering\."):
        sagemaker.create_model(ModelName="bought", PrimaryContainer=container, **model)
    subscribe(local_aws, product)
    until(lambda: _created(sagemaker, container, model), bool)
    with pytest.raises(ClientError, match="EnableNetworkIsolation must be true"):
        sagemaker.create_model(ModelName="other", PrimaryContainer=container, ExecutionRoleArn=EXECUTION_ROLE.arn)
    with pytest.raises(ClientError, match="Environment variable map cannot be specified"):
        changed = {**container, "Environment": {"A": "b"}}
        sagemaker.create_model(ModelName="other", PrimaryContainer=changed, **model)
    variant = {"VariantName": "one", "ModelName": "bought", "InitialInstanceCount": 1, "InstanceType": "ml.m5.4xlarge"}
    with pytest.raises(ClientError, match=r"does not support the instance type ml\.m5\.4xlarge; it supports ml\.m5\.l"):
        sagemaker.create_endpoint_config(EndpointConfigName="dear", ProductionVariants=[variant])
    job = dict(package_request("", "", bucket)["ValidationSpecification"]["ValidationProfiles"][0])
    job = {**job["TransformJobDefinition"], "TransformJobName": "dear", "ModelName": "bought"}
    job["TransformResources"] = {"InstanceType": "ml.c5.xlarge", "InstanceCount": 1}
    with pytest.raises(ClientError, match=r"does not support the instance type ml\.c5\.xlarge"):
        sagemaker.create_transform_job(**job)
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.delete_model_package(ModelPackageName=copy)

    local_aws.client("ecr").delete_repository(repositoryName="road", force=True)
    local_aws.client("s3").delete_object(Bucket=bucket, Key="model.tar.gz")
    endpoint(local_aws, "bought", "bought", BUYER)
    runtime = local_aws.client("sagemaker-runtime", BUYER)
    answer = runtime.invoke_endpoint(EndpointName="bought", ContentType="text/csv", Body=b"4,5,6")
    assert answer["Body"].read() == b"4,5,6"
    assert sagemaker.describe_model(ModelName="bought")["EnableNetworkIsolation"]


def _created(sagemaker: Any, container: dict[str, str], model: dict[str, Any]) -> bool:
    """A subscription takes a moment to arrive at SageMaker."""
    try:
        sagemaker.create_model(ModelName="bought", PrimaryContainer=container, **model)
    except ClientError as error:
        assert "not subscribed" in str(error)
        return False
    return True


def test_a_process_has_one_at_a_time(local_aws: LocalAwsServer) -> None:
    with pytest.raises(UsageError, match="this process has a local AWS already"), serving():
        raise AssertionError("there are two")


CLIENT = """
import boto3, sys
boto3.client("s3").create_bucket(Bucket="half-done")
print("the answer has come", flush=True)
"""


def test_a_client_that_is_killed_between_a_write_and_its_answer_has_written(local_aws: LocalAwsServer) -> None:
    environment = {"PATH": os.environ["PATH"], **local_aws.environment(SELLER)}
    seen: list[tuple[str, str]] = []
    started: list[subprocess.Popen[str]] = []

    def kill(service: str, operation: str) -> None:
        seen.append((service, operation))
        until(lambda: started, bool)
        started[0].kill()
        started[0].wait()

    with local_aws.after_write(kill):
        started.append(
            subprocess.Popen([sys.executable, "-c", CLIENT], env=environment, stdout=subprocess.PIPE, text=True)
        )
        assert started[0].wait(30) == -signal.SIGKILL
        said, _ = started[0].communicate()
    assert (seen, said) == ([("s3", "CreateBucket")], "")
    assert "half-done" in [bucket["Name"] for bucket in local_aws.client("s3").list_buckets()["Buckets"]]
    local_aws.client("s3").create_bucket(Bucket="after-the-block")
    assert len(seen) == 1
