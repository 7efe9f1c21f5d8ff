import base64
import json
from pathlib import Path

import pytest

from argosy.errors import RegistryError
from argosy.registry.auth import Credentials, parse_challenge, read_credentials


def config(folder: Path, content: object) -> Path:
    (folder / "config.json").write_text(json.dumps(content))
    return folder


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("registry", "key"),
    [("r.example", "r.example"), ("r.example", "https://r.example"), ("docker.io", "https://index.docker.io/v1/")],
)
def test_the_keys_that_docker_writes(tmp_path: Path, registry: str, key: str) -> None:
    folder = config(tmp_path, {"auths": {key: {"auth": encoded("user:pa:ss")}}})
    found = read_credentials(registry, folder)
    assert (found.user, found.password) == ("user", "pa:ss")
    assert found.basic == f"Basic {encoded('user:pa:ss')}"
    assert not read_credentials("other.example", folder).is_known


def test_no_config_is_nobody(tmp_path: Path) -> None:
    assert read_credentials("r.example", tmp_path / "gone") == Credentials()


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"auths": {"r": {"auth": "secret!"}}})])
def test_a_broken_config_is_an_error_that_shows_none_of_it(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.json").write_text(content)
    with pytest.raises(RegistryError) as raised:
        read_credentials("r", tmp_path)
    assert "secret" not in str(raised.value)


def test_helpers_are_named_for_their_registry(tmp_path: Path) -> None:
    folder = config(tmp_path, {"credHelpers": {"r.example": "ecr-login"}, "credsStore": "desktop"})
    assert read_credentials("r.example", folder).helper == "ecr-login"
    assert read_credentials("other", folder).helper == "desktop"


def test_a_password_is_not_shown(tmp_path: Path) -> None:
    assert "secret" not in repr(Credentials("user", "secret", "secret"))


def test_a_challenge_with_commas_and_quotes() -> None:
    found = parse_challenge('Bearer realm="https://a/token",scope="repository:x:pull,push",error="a \\"b\\""')
    assert found.scheme == "bearer"
    assert found.parameters["scope"] == "repository:x:pull,push"
    assert parse_challenge("").scheme == ""
