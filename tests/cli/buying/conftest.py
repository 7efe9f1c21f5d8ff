import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from argosy.cli import main
from tests.deployment.account import Account, account


@dataclass
class Desk:
    """A buyer at a command line, in a folder of their own."""

    buyer: Account

    def run(self, *arguments: object, **options: Any) -> Result:
        """What a command prints, and its exit code or error."""
        done = CliRunner().invoke(main.command, [str(one) for one in arguments], **options)
        if isinstance(done.exception, Exception) and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done

    def policy(self, *arguments: object) -> Any:
        """What `argosy iam` prints for a command."""
        return json.loads(self.run("iam", *arguments).stdout)


@pytest.fixture(scope="module")
def buyer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    with account(tmp_path_factory.mktemp("buyer")) as made:
        yield made


@pytest.fixture
def desk(buyer: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    return Desk(buyer)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Service and operation of every call that boto3 really sends."""
    import botocore.client

    calls: list[tuple[str, str]] = []
    send: Callable[..., Any] = botocore.client.BaseClient._make_api_call

    def recording(self: Any, operation: str, parameters: Any) -> Any:
        calls.append((self.meta.service_model.service_name, operation))
        return send(self, operation, parameters)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", recording)
    assert os.environ["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    return calls
