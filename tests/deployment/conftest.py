from collections.abc import Iterator

import pytest

from tests.deployment.account import Account, account


@pytest.fixture(scope="module")
def buyer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """One account for all tests of a file: each has a deployment of its own name."""
    with account(tmp_path_factory.mktemp("buyer")) as made:
        yield made
