from collections.abc import Iterator

import pytest

from tests.aws.stand_in import moto_server


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of AWS's API on loopback, which boto3 is told of as a user would tell it."""
    with moto_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it-is-secret")
        yield url
