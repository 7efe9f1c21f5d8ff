from collections.abc import Iterator

import pytest

from argosy.testing.local_aws import BUYER
from argosy.testing.local_aws import local_aws as serving
from tests.local_aws.stand_in import open_stand_in
from tests.scenarios.drills.forking import forking
from tests.scenarios.drills.stand import Stand


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder = tmp_path_factory.mktemp("drills")
    with forking(folder) as client, serving(open_image=open_stand_in) as aws:
        yield Stand(aws, client, folder)


@pytest.fixture(scope="module")
def bought(stand: Stand) -> tuple[str, str]:
    """A product that the buyer is subscribed to, and the ARN of its package."""
    product, arn = stand.product(stand.project("published"))
    stand.run("subscribe", product, "--yes", account=BUYER)
    return product, arn
