"""Tags of any resource, as unmodified boto3 sees them."""

import pytest
from botocore.exceptions import ClientError

from tests.simulator.control.conftest import ROLE, Simulated


def test_tags_are_added_listed_and_deleted_and_go_with_their_resource(simulated: Simulated) -> None:
    made = simulated.sagemaker.create_model(
        ModelName="Iris",
        PrimaryContainer={"Image": "stand-in"},
        ExecutionRoleArn=ROLE,
        Tags=[{"Key": "team", "Value": "ä"}],
    )
    arn = made["ModelArn"]
    added = simulated.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "stage", "Value": "1"}])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in added} == {"team": "ä", "stage": "1"}
    simulated.sagemaker.delete_tags(ResourceArn=arn, TagKeys=["team", "none"])
    pages = simulated.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == [{"Key": "stage", "Value": "1"}]
    simulated.sagemaker.delete_model(ModelName="Iris")
    with pytest.raises(ClientError, match="does not exist") as caught:
        simulated.sagemaker.list_tags(ResourceArn=arn)
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"
    simulated.model()
    assert simulated.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [(["a", "b", "a"], "The tag key a is there twice"), (["AWS:a"], "The tag key AWS:a is not allowed")],
)
def test_a_tag_of_aws_and_one_given_twice_are_refused(refusing: Simulated, keys: list[str], sentence: str) -> None:
    tags = [{"Key": key, "Value": str(number)} for number, key in enumerate(keys)]
    arn = refusing.sagemaker.describe_model(ModelName="iris")["ModelArn"]
    add, create = refusing.sagemaker.add_tags, refusing.sagemaker.create_model_package_group
    for operation, resource in ((add, {"ResourceArn": arn}), (create, {"ModelPackageGroupName": "group"})):
        with pytest.raises(ClientError, match=sentence) as caught:
            operation(**resource, Tags=tags)
        assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert refusing.sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_a_resource_has_at_most_fifty_tags(simulated: Simulated) -> None:
    simulated.model()
    arn = simulated.sagemaker.describe_model(ModelName="iris")["ModelArn"]
    many = [{"Key": f"k{number}", "Value": ""} for number in range(50)]
    simulated.sagemaker.add_tags(ResourceArn=arn, Tags=many)
    with pytest.raises(ClientError) as caught:
        simulated.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "one more", "Value": ""}])
    assert caught.value.response["Error"]["Code"] == "ResourceLimitExceeded"
