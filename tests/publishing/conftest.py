from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.aws.api import AwsApi
from argosy.testing.local_aws import LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import open_stand_in
from tests.publishing.sellers import Seller


@pytest.fixture(scope="package")
def local_aws() -> Iterator[LocalAwsServer]:
    """One for all files of the folder that one process runs: every test has names of its own in it."""
    with serving(open_image=open_stand_in) as aws:
        yield aws


@pytest.fixture(scope="package")
def api(local_aws: LocalAwsServer) -> Iterator[AwsApi]:
    """As the seller, whom the environment names while the folder's tests run; its clients are made once."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_aws.environment().items():
            patch.setenv(name, value)
        yield AwsApi()


@pytest.fixture
def seller(local_aws: LocalAwsServer, api: AwsApi, tmp_path: Path) -> Seller:
    """A seller of the local AWS, whose project has names that no other test's has."""
    return Seller(local_aws, api, tmp_path)
