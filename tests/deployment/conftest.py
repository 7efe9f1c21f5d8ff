from collections.abc import Iterator

import pytest

from tests.deployment.account import Account, accounts


@pytest.fixture(scope="session")
def buyer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One account for all tests of this folder: each has a deployment of its own name."""
    with accounts(tmp_path_factory.mktemp("buyer")) as made:
        yield made
