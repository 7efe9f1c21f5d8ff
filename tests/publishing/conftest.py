from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.testing.local_aws import LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import open_stand_in
from tests.publishing.sellers import Seller


@pytest.fixture(scope="package")
def local_aws() -> Iterator[LocalAwsServer]:
    """One for all files of the folder that one process runs: every test has names of its own in it."""
    with serving(open_image=open_stand_in) as aws:
        yield aws


@pytest.fixture
def seller(local_aws: LocalAwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Seller:
    """A seller of the local AWS, whose project has names that no other test's has."""
    for name, value in local_aws.environment().items():
        monkeypatch.setenv(name, value)
    return Seller(local_aws, tmp_path)
