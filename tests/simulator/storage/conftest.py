import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectStore
from argosy.simulator.storage.s3 import S3
from tests.aws.stand_in import moto_server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The URL of a server that speaks S3's API."""
    with moto_server() as url:
        yield url


@pytest.fixture
def s3_environment(s3_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The variables with which a user points boto3 to another server."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it-is-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return s3_server


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """Each implementation, with an empty bucket that is called as `bucket` says."""
    if request.param == "folder":
        (tmp_path / "root" / bucket_of(request)).mkdir(parents=True)
        return LocalFolder(tmp_path / "root")
    request.getfixturevalue("s3_environment")
    boto3.client("s3").create_bucket(Bucket=bucket_of(request))
    return S3(tmp_path)


@pytest.fixture
def bucket(request: pytest.FixtureRequest) -> str:
    return bucket_of(request)


def bucket_of(request: pytest.FixtureRequest) -> str:
    """A name that is the test's own: the server keeps its buckets for the whole session."""
    return uuid.uuid5(uuid.NAMESPACE_URL, request.node.nodeid).hex
