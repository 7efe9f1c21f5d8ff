import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.image.materials import signs

# Put together here, so that no scanner of this repository takes them for real ones.
TOKENS = {
    "a GitHub token": "ghp_" + "a1B2" * 9,
    "a GitLab token": "glpat-" + "a1B2-" * 4,
    "a Hugging Face token": "hf_" + "aB" * 17,
    "a PyPI token": "pypi-AgE" + "Ib3_" * 20,
    "an npm token": "npm_" + "a1B2" * 9,
    "a Slack token": "xoxb-" + "1" * 12 + "-" + "aB3" * 8,
    "a Google API key": "AIza" + "a1B_-" * 7,
    "an OpenAI key": "sk-proj-" + "a1B_-" * 12,
    "an Anthropic key": "sk-ant-" + "api03-" + "a1B_-" * 12,
    "a Stripe key": "sk_live_" + "a1B2" * 6,
    "an AWS access key": "ASIA" + "A1B2" * 4,
    "an AWS secret key": "aws_secret_access_key = " + "a1/+" * 10,
    "a private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEvQIBADAN",
}


@pytest.mark.parametrize("what", sorted(TOKENS))
def test_a_token_is_told_by_its_form(what: str) -> None:
    text = f"value: '{TOKENS[what]}'\n".encode()
    assert signs.secret_in_file("opt/program/settings.yaml", io.BytesIO(text)) == what
    assert signs.secret_in(text.decode()) == what


@pytest.mark.parametrize("what", sorted(set(TOKENS) - {"an AWS secret key"}))
def test_half_a_token_is_none(what: str) -> None:
    text = f"value: '{TOKENS[what][: len(TOKENS[what]) // 2]}'\n".encode()
    assert signs.secret_in_file("opt/program/settings.yaml", io.BytesIO(text)) is None


@settings(max_examples=40, deadline=None)  # each reads a megabyte
@given(st.integers(-200, 200), st.sampled_from(sorted(TOKENS)))
def test_a_token_across_two_reads_is_seen(offset: int, what: str) -> None:
    before = b"." * (signs._CHUNK - 1 + offset) + b"\n"
    content = io.BytesIO(before + TOKENS[what].encode() + b"\n" + b"." * 300)
    assert signs.secret_in_file("opt/model/notes.txt", content) == what


def test_of_a_binary_file_no_more_is_read_than_its_first_zero() -> None:
    content = io.BytesIO(b"\0" + b"x" * 4 * signs._CHUNK)
    assert signs.secret_in_file("opt/model/weights", content) is None
    assert content.tell() <= signs._CHUNK


@pytest.mark.parametrize(
    ("path", "is_secret"),
    [
        ("root/.netrc", True),
        ("opt/program/.env", True),
        ("opt/program/.env.production", True),
        ("opt/program/.env.example", False),
        ("opt/program/env", False),
        ("root/.aws/credentials", True),
        ("root/.aws/config", False),
        ("root/.docker/config.json", True),
        ("opt/model/config.json", False),
        ("opt/program/id_rsa", True),
        ("opt/program/id_rsa.pub", False),
        ("root/.ssh/id_ed25519_sk", True),
        ("root/.huggingface/token", True),
        ("root/.cache/huggingface/token", True),
        ("opt/program/cert.pfx", True),
        ("opt/venv/lib/python3.11/site-packages/paramiko/tests/id_rsa", False),
        ("opt/venv/lib/python3.11/site-packages/paramiko/id_rsa", True),
    ],
)
def test_a_secret_is_told_by_its_path(path: str, is_secret: bool) -> None:
    assert signs.has_secret_path(path) is is_secret


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("opt/model/.git/objects/pack/x", "opt/model/.git"),
        ("opt/program/.svn/entries", "opt/program/.svn"),
        (".hg/dirstate", ".hg"),
        ("opt/program/.git", None),
        ("opt/program/.github/workflow.yaml", None),
    ],
)
def test_a_version_control_folder_is_named_as_a_whole(path: str, folder: str | None) -> None:
    assert signs.control_folder(path) == folder


@pytest.mark.parametrize(
    ("name", "line", "is_secret"),
    [
        ("etc/pip.conf", "index-url = https://me:pass@index.test/simple", True),
        ("opt/program/uv.toml", 'url = "https://token:x@index.test/"', True),
        ("site-packages/x.dist-info/direct_url.json", '{"url": "https://me:pass@git.test/x"}', True),
        ("opt/program/requirements-gpu.txt", "--extra-index-url https://me:pass@index.test/", True),
        ("etc/pip.conf", "index-url = https://me@index.test/simple", False),
        ("etc/pip.conf", "index-url = https://me:****@index.test/simple", False),
        ("etc/pip.conf", "index-url = https://${USER}:${PASSWORD}@index.test/simple", False),
        ("opt/program/predictor.py", "# as in https://user:password@host/", False),
    ],
)
def test_a_password_is_looked_for_where_indexes_are_named(name: str, line: str, is_secret: bool) -> None:
    found = signs.secret_in_file(name, io.BytesIO(line.encode()))
    assert found == ("a URL with a password" if is_secret else None)


@pytest.mark.parametrize(
    ("url", "is_secret"),
    [
        ("postgresql://admin:pw@host/db", True),
        ("postgresql+psycopg://admin:pw@host/db", True),
        ("mysql://admin:pw@host/", True),
        ("mongodb+srv://admin:pw@host/", True),
        ("redis://:pw@host:6379/0", True),
        ("amqp://admin:pw@host//", True),
        ("postgresql://admin@host/db", False),
        ("postgresql://host:5432/db?user=a@b", False),
        ("postgresql://admin:****@host/db", False),
        ("postgresql://admin:{password}@host/db", False),
        ("postgresql://admin:${PASSWORD}@host/db", False),
        ("postgresql://admin:<password>@host/db", False),
    ],
)
def test_a_database_url_with_a_password_counts_in_ones_own_files(url: str, is_secret: bool) -> None:
    def found(path: str) -> str | None:
        return signs.secret_in_file(path, io.BytesIO(f'URL = "{url}"\n'.encode()))

    assert found("opt/program/predictor.py") == ("a database URL with a password" if is_secret else None)
    assert found("opt/venv/lib/python3.11/site-packages/sqlalchemy/engine/url.py") is None
    assert found("usr/share/perl5/DBI.pm") is None


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("DB_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf", False),
        ("DB_SECRET", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:db", False),
        ("SECRET_NAME", "prod/db", False),
        ("PASSWORD_MIN_LENGTH", "8", False),
        ("PASSWORD_ROUNDS", "12", False),
        ("HF_TOKEN_PATH", "/run/x", False),
        ("API_KEY", "/run/secrets/key", False),
        ("API_KEY_ID", "abc", False),
        ("SECRET_URL", "https://vault.test/x", False),
        ("PASSWORD", "", False),
        ("PASSWORD", "hunter2", True),
        ("PASSWORD", "/hunter 2", True),
        ("HF_TOKEN", "abc", True),
        ("SECRET_NAMES", "abc", True),
        ("AWS_SECRET_ACCESS_KEY", "/" + "a1B2/" * 7 + "a1B2", True),
    ],
)
def test_what_only_points_to_a_secret_is_none(name: str, value: str, is_secret: bool) -> None:
    assert signs.is_secret_variable(name, value) is is_secret
    assert list(signs.secret_assignments(f"ARG {name}='{value}'")) == ([name] if is_secret else [])
