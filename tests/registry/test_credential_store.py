import json
from pathlib import Path

import pytest

from argosy.registry.credential_store import ask
from tests.registry.test_login import store_program


def test_user_and_password_of_the_server(tmp_path: Path) -> None:
    environ = store_program(tmp_path, json.dumps({"ServerURL": "r", "Username": "me", "Secret": "s"}))
    found = ask("test", "r.example", environ)
    assert (found.user, found.password, found.identity_token) == ("me", "s", "")
    assert (tmp_path / "asked").read_text() == "get r.example\n"


@pytest.mark.parametrize("name", ["../test", "/bin/test", "a b", "", "-x", "gone"])
def test_only_a_program_of_that_name_on_the_path_is_run(tmp_path: Path, name: str) -> None:
    environ = store_program(tmp_path, "{}")
    assert "not on the PATH" in ask(name, "r.example", environ).trouble
    assert not (tmp_path / "asked").exists()


def test_one_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    environ = store_program(tmp_path, "{}")
    (tmp_path / "docker-credential-test").write_text("#!/bin/sh\nexec sleep 600\n")
    found = ask("test", "r.example", environ, longest_s=0.2)
    assert not found.is_known
    assert "did not answer" in found.trouble


def test_one_that_cannot_be_run_is_told(tmp_path: Path) -> None:
    environ = store_program(tmp_path, "{}")
    (tmp_path / "docker-credential-test").write_bytes(b"\x7fELF")
    assert "cannot be run" in ask("test", "r.example", environ).trouble
