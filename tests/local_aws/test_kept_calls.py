"""A local AWS that keeps its state in a folder, killed, and gone on with by another one."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from argosy.errors import UsageError
from argosy.local_aws.accounts import MARKETPLACE
from argosy.testing.local_aws import BUYER, LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.requests import ended, endpoint, package_request, published, repository, until
from tests.local_aws.stand_in import Push, archive, open_stand_in, small_image

KEPT = """
import sys
from pathlib import Path
from argosy.testing.local_aws import local_aws
from tests.local_aws.stand_in import open_stand_in

with local_aws(Path(sys.argv[1]), open_stand_in) as aws:
    print(aws.url, flush=True)
    sys.stdin.read()
"""


class Elsewhere(LocalAwsServer):
    """The clients' side of a local AWS in another process."""

    def __init__(self, url: str) -> None:
        self.url = url


def fill(aws: LocalAwsServer, cache: Path) -> None:
    """Something of everything: an upload in parts, what was deleted, a role, an image, an endpoint."""
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="deleted", Body=b"gone")
    upload = s3.create_multipart_upload(Bucket="kept", Key="large")["UploadId"]
    part = s3.upload_part(Bucket="kept", Key="large", UploadId=upload, PartNumber=1, Body=b"part")
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    s3.complete_multipart_upload(Bucket="kept", Key="large", UploadId=upload, MultipartUpload=parts)
    s3.delete_object(Bucket="kept", Key="deleted")
    repository(aws, "kept")
    image = Push(aws, cache)(small_image(), "kept:1")
    trust = '{"Statement": {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}}'
    role = aws.client("iam").create_role(RoleName="mine", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    aws.client("sagemaker").create_model(ModelName="kept", PrimaryContainer={"Image": image}, ExecutionRoleArn=role)
    endpoint(aws, "kept", "kept")
    s3.put_object(Bucket="kept", Key="in/rows.csv", Body=b"1\n")
    s3.put_object(Bucket="kept", Key="model.tar.gz", Body=archive())
    request = package_request("sold", image, "kept", ModelDataUrl="s3://kept/model.tar.gz")
    package = aws.client("sagemaker").create_model_package(**request)["ModelPackageArn"]
    assert ended(aws, package)["ModelPackageStatus"] == "Completed"
    published(aws, package)


def test_what_is_kept_in_a_folder_is_there_after_a_kill(tmp_path: Path) -> None:
    state = tmp_path / "state"
    command = [sys.executable, "-c", KEPT, str(state)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "it did not start"
        fill(Elsewhere(url), tmp_path / "cache")
        with pytest.raises(UsageError, match="another local AWS uses this state folder"), serving(state):
            raise AssertionError("two have one folder")
    finally:
        process.kill()
        process.communicate()
    with (state / "moto" / "calls.jsonl").open("ab") as calls:
        calls.write(b'{"half a line')

    with serving(state, open_stand_in) as aws:
        s3, sagemaker = aws.client("s3"), aws.client("sagemaker")
        until(lambda: sagemaker.describe_endpoint(EndpointName="kept")["EndpointStatus"], lambda s: s == "InService")
        until(lambda: _answers(aws.client("sagemaker-runtime")), bool)
        assert [found["Key"] for found in s3.list_objects_v2(Bucket="kept", Prefix="l")["Contents"]] == ["large"]
        assert [found["Key"] for found in s3.list_objects_v2(Bucket="kept", Prefix="d").get("Contents", ())] == []
        assert s3.get_object(Bucket="kept", Key="large")["Body"].read() == b"part"
        assert aws.client("ecr").describe_images(repositoryName="kept")["imageDetails"][0]["imageTags"] == ["1"]
        assert aws.client("iam").get_role(RoleName="mine")
        (copies,) = httpx.get(f"{aws.url}/_argosy/published-packages").json().values()
        described = aws.client("sagemaker", BUYER).describe_model_package(ModelPackageName=copies["us-east-1"])
        _, _, bucket, key = described["InferenceSpecification"]["Containers"][0]["ModelDataUrl"].split("/", 3)
        owned = aws.client("s3", MARKETPLACE)  # the copy is nobody else's
        assert owned.get_object(Bucket=bucket, Key=key)["Body"].read() == archive()


def _answers(runtime: Any) -> bool:
    try:
        answer = runtime.invoke_endpoint(EndpointName="kept", ContentType="text/csv", Body=b"1")
    except ClientError:  # it is in service again soon
        return False
    return bool(answer["Body"].read() == b"1")
