from collections.abc import Iterator

import pytest

from argosy.testing.local_aws import LocalAwsServer
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import Push, open_stand_in


@pytest.fixture(scope="module")
def local_aws() -> Iterator[LocalAwsServer]:
    """One for each file, since a process has one at a time, and xdist gives a file to one process."""
    with serving(open_image=open_stand_in) as aws:
        yield aws


@pytest.fixture(scope="module")
def push(local_aws: LocalAwsServer, tmp_path_factory: pytest.TempPathFactory) -> Push:
    return Push(local_aws, tmp_path_factory.mktemp("cache"))
