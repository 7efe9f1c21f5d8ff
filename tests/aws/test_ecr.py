import sys

import pytest

from argosy.aws.ecr import EcrRegistry, authorization_token, registry_of
from argosy.errors import RegistryError

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
REGISTRY = EcrRegistry(HOST, "123456789012", "us-east-1")


@pytest.mark.parametrize(
    ("host", "region"),
    [
        (HOST, "us-east-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
    ],
)
def test_hosts_of_ecr(host: str, region: str) -> None:
    assert registry_of(host) == EcrRegistry(host, "123456789012", region)


@pytest.mark.parametrize(
    "host",
    ["public.ecr.aws", "docker.io", f"{HOST}.evil.example", f"evil.{HOST}", "1.dkr.ecr.us-east-1.amazonaws.com",
     "123456789012.dkr.ecr.us-east-1.amazonawsXcom"],
)  # fmt: skip
def test_other_hosts(host: str) -> None:
    assert registry_of(host) is None


def test_the_token_is_user_and_password(aws: str) -> None:
    login = authorization_token(REGISTRY)
    assert login is not None
    assert (login.user, login.password) == ("AWS", "123456789012-auth-token")
    assert "auth-token" not in repr(login)


def test_without_credentials_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(RegistryError, match="NoCredentialsError") as raised:
        authorization_token(REGISTRY)
    assert "ecr:GetAuthorizationToken" in str(raised.value.hint)


def test_an_api_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "http://me:it-is-secret@127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it-is-secret")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(RegistryError, match="gave no authorization token") as raised:
        authorization_token(REGISTRY)
    assert "secret" not in str(raised.value)


def test_without_boto3_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert authorization_token(REGISTRY) is None
