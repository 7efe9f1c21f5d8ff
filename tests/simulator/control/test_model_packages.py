"""Model packages as unmodified boto3 sees them; their validation job is really run."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.simulator.control.conftest import ROLE, Simulated, simulation, until
from tests.simulator.control.test_restart import doomed, try_to
from tests.simulator.control.test_transform_jobs import LINES, RESOURCES, kept_jobs

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:model-package/"
SPECIFICATION = {
    "Containers": [{"Image": "stand-in"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
DEFINITION = {
    "TransformInput": LINES,
    "TransformOutput": {"S3OutputPath": "s3://out/validated", "AssembleWith": "Line"},
    "TransformResources": RESOURCES,
}
LARGE = {"MaxPayloadInMB": 101}
VALIDATION = {
    "ValidationRole": ROLE,
    "ValidationProfiles": [{"ProfileName": "first", "TransformJobDefinition": DEFINITION}],
}


def create(simulated: Simulated, name: str = "Iris", **more: Any) -> str:
    given = {"InferenceSpecification": SPECIFICATION, **more}
    named = {} if "ModelPackageGroupName" in more else {"ModelPackageName": name}
    arn: str = simulated.sagemaker.create_model_package(**named, **given)["ModelPackageArn"]
    return arn


def validated(simulated: Simulated, name: str = "Iris") -> Any:
    def describe() -> Any:
        return simulated.sagemaker.describe_model_package(ModelPackageName=name)

    until(lambda: describe()["ModelPackageStatus"] not in ("Pending", "InProgress"))
    return describe()


def test_a_package_is_validated_by_its_transform_job_and_makes_a_model(simulated: Simulated) -> None:
    simulated.bucket("in", {"rows/a.csv": b"1,2\n"})
    arn = create(simulated, ValidationSpecification=VALIDATION, CertifyForMarketplace=True)
    assert arn == f"{ARN}iris"
    with pytest.raises(ClientError, match="must be Completed") as caught:
        model(simulated, arn)
    described = validated(simulated)
    assert described["ModelPackageStatus"] == "Completed"
    statuses = described["ModelPackageStatusDetails"]["ValidationStatuses"]
    assert statuses == [{"Name": "first", "Status": "Completed"}]
    assert (simulated.folder / "s3/out/validated/a.csv.out").read_bytes() == b"1,2\n"
    with pytest.raises(ClientError, match="EnableNetworkIsolation must be true") as caught:
        model(simulated, arn, EnableNetworkIsolation=False)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    model(simulated, arn)
    shown = simulated.sagemaker.describe_model(ModelName="iris")["PrimaryContainer"]
    assert shown == {"ModelPackageName": arn}
    simulated.config()
    simulated.endpoint()
    simulated.in_service()
    assert simulated.runtime.invoke_endpoint(EndpointName="iris", Body=b"1")["Body"].read() == b"1"
    with pytest.raises(ClientError, match="already exists") as caught:
        create(simulated)
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    simulated.sagemaker.delete_model_package(ModelPackageName="iris")
    with pytest.raises(ClientError, match=f"ModelPackage {ARN}iris does not exist."):
        simulated.sagemaker.describe_model_package(ModelPackageName="iris")


def model(simulated: Simulated, arn: str, **more: Any) -> None:
    members = {"EnableNetworkIsolation": True, **more}
    container = {"ModelPackageName": arn}
    simulated.sagemaker.create_model(ModelName="iris", PrimaryContainer=container, ExecutionRoleArn=ROLE, **members)


def test_a_package_whose_job_fails_is_failed_and_says_why(simulated: Simulated) -> None:
    simulated.bucket("in", {"rows/a.csv": b"STATUS-500\n"})
    create(simulated, ValidationSpecification=VALIDATION)
    described = validated(simulated)
    assert described["ModelPackageStatus"] == "Failed"
    status = described["ModelPackageStatusDetails"]["ValidationStatuses"][0]
    assert (status["Status"], bool(status["FailureReason"])) == ("Failed", True)


def test_versions_of_a_group_are_counted_listed_approved_and_deleted(simulated: Simulated) -> None:
    client = simulated.sagemaker
    group = client.create_model_package_group(ModelPackageGroupName="Irises")["ModelPackageGroupArn"]
    with pytest.raises(ClientError, match=f"Model Package Group already exists: {group}"):
        client.create_model_package_group(ModelPackageGroupName="irises")
    arns = [create(simulated, ModelPackageGroupName="Irises") for _ in range(2)]
    assert arns == [f"{ARN}irises/1", f"{ARN}irises/2"]
    create(simulated, "alone")
    client.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved", ApprovalDescription="good")
    described = client.describe_model_package(ModelPackageName=arns[1])
    assert (described["ModelPackageGroupName"], described["ModelPackageVersion"]) == ("Irises", 2)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good")
    listed = client.list_model_packages(ModelPackageGroupName="Irises", ModelApprovalStatus="Approved")
    assert [package["ModelPackageArn"] for package in listed["ModelPackageSummaryList"]] == [arns[1]]
    unversioned = client.list_model_packages()["ModelPackageSummaryList"]
    assert [package["ModelPackageName"] for package in unversioned] == ["alone"]
    groups = client.list_model_package_groups()["ModelPackageGroupSummaryList"]
    assert [each["ModelPackageGroupArn"] for each in groups] == [group]
    assert client.describe_model_package_group(ModelPackageGroupName="Irises")["ModelPackageGroupStatus"] == "Completed"
    with pytest.raises(ClientError) as caught:
        client.delete_model_package_group(ModelPackageGroupName="Irises")
    assert caught.value.response["Error"]["Code"] == "ConflictException"
    for arn in arns:
        client.delete_model_package(ModelPackageName=arn)
    client.delete_model_package_group(ModelPackageGroupName="Irises")
    with pytest.raises(ClientError, match=r"ModelPackageGroup .*/irises does not exist"):
        create(simulated, ModelPackageGroupName="Irises")


def test_a_request_with_the_token_of_another_is_that_request_again(simulated: Simulated) -> None:
    client = simulated.sagemaker
    client.create_model_package_group(ModelPackageGroupName="irises")
    arns = [create(simulated, ModelPackageGroupName="irises", ClientToken=token) for token in ("a", "a", "b")]
    assert arns == [f"{ARN}irises/1", f"{ARN}irises/1", f"{ARN}irises/2"]
    added = [{"Name": "more", "Containers": [{"Image": "stand-in"}]}]
    for token in ("c", "c", "d"):
        client.update_model_package(
            ModelPackageArn=arns[0], AdditionalInferenceSpecificationsToAdd=added, ClientToken=token
        )
    described = client.describe_model_package(ModelPackageName=arns[0])
    assert len(described["AdditionalInferenceSpecifications"]) == 2
    with pytest.raises(ClientError, match="is not simulated"):
        client.describe_model_package(ModelPackageName=arns[0], IncludedData="MetadataOnly")
    owned = client.list_model_package_groups(CrossAccountFilterOption="CrossAccount")
    assert owned["ModelPackageGroupSummaryList"] == []


def test_only_an_approved_version_makes_a_model(simulated: Simulated) -> None:
    client = simulated.sagemaker
    client.create_model_package_group(ModelPackageGroupName="irises")
    arn = create(simulated, ModelPackageGroupName="irises")
    assert client.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    for status in ("PendingManualApproval", "Rejected"):
        client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus=status)
        with pytest.raises(ClientError, match=f"{arn} is {status}; its ModelApprovalStatus must be Approved") as caught:
            model(simulated, arn)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    model(simulated, arn)
    client.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Rejected")
    simulated.config()
    simulated.endpoint()
    assert simulated.in_service()["EndpointStatus"] == "InService"
    unversioned = create(simulated, "alone")
    assert "ModelApprovalStatus" not in client.describe_model_package(ModelPackageName=unversioned)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({}, "Missing ARN"),
        ({"ModelPackageName": "a", "ModelPackageGroupName": "b"}, "Cannot determine which one to use"),
        ({"ModelPackageName": "a"}, "InferenceSpecification is required"),
        (
            {"ModelPackageName": "a", "InferenceSpecification": {**SPECIFICATION, "Containers": [{}]}},
            "Image is required",
        ),
        (
            {
                "ModelPackageName": "a",
                "InferenceSpecification": SPECIFICATION,
                "ValidationSpecification": {
                    "ValidationRole": ROLE,
                    "ValidationProfiles": [{"ProfileName": "p", "TransformJobDefinition": {**DEFINITION, **LARGE}}],
                },
            },
            "MaxPayloadInMB is out of range",
        ),
    ],
)
def test_what_aws_refuses_is_refused(refusing: Simulated, members: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ClientError, match=sentence) as caught:
        refusing.sagemaker.create_model_package(**members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


@pytest.mark.parametrize(
    "member",
    [
        {"AdditionalS3DataSource": {"S3DataType": "S3Object", "S3Uri": "s3://in/more", "CompressionType": "None"}},
        {
            "ModelDataSource": {
                "S3DataSource": {
                    "S3Uri": "s3://in/model/",
                    "S3DataType": "S3Prefix",
                    "CompressionType": "None",
                    "ManifestS3Uri": "s3://in/manifest.json",
                }
            }
        },
    ],
)
def test_what_is_not_simulated_is_refused_as_such(refusing: Simulated, member: dict[str, Any]) -> None:
    specification = {**SPECIFICATION, "Containers": [{"Image": "stand-in", **member}]}
    with pytest.raises(ClientError, match="is not simulated") as caught:
        create(refusing, InferenceSpecification=specification)
    assert caught.value.response["Error"]["Code"] == "NotSimulated"


# Moments 1 and 2 are around the package's own write; then its validation begins, and has ended.
@pytest.mark.parametrize("moment", [2, 5])
def test_a_validation_survives_its_simulator(tmp_path: Path, moment: int) -> None:
    with doomed(tmp_path, moment) as first:
        first.bucket("in", {"rows/a.csv": b"1\n"})
        try_to(lambda: create(first, ValidationSpecification=VALIDATION))
    with simulation(tmp_path) as second:
        assert validated(second)["ModelPackageStatus"] == "Completed"
        assert (tmp_path / "s3/out/validated/a.csv.out").read_bytes() == b"1\n"
        until(lambda: kept_jobs(tmp_path) == [])
