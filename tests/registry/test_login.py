"""Who we are to a registry while images go over: tokens, scopes, passwords that expire, redirects."""

import json
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.errors import RegistryError
from argosy.image.blobs import BlobStore
from argosy.image.filesystem import read_filesystem
from argosy.registry.access import Access
from argosy.registry.auth import Credentials
from argosy.registry.transports import read_image, write_image
from tests.image.images import file, image
from tests.image.web import Answer, Request, serving
from tests.registry.memory import PASSWORD, USER, MemoryRegistry, log_in, place

LAYERS = [[file("a", b"1" * 1000)], [file("b", b"2")]]


@pytest.fixture
def known(memory: MemoryRegistry, access: Access) -> MemoryRegistry:
    """A registry that gives tokens, to us too."""
    memory.login = "bearer"
    log_in(access, memory, username=USER, password=PASSWORD)
    return memory


def test_one_token_does_for_a_push(known: MemoryRegistry, access: Access, store: BlobStore) -> None:
    write_image(image(store, LAYERS), place(known), access)
    assert len(known.tokens) == 1
    assert next(iter(known.tokens.values())) == {"repository:team/model:pull,push"}


@pytest.mark.parametrize("method", ["POST", "PUT", "GET", "HEAD"])
def test_a_token_that_expires_meanwhile_is_asked_for_again(
    known: MemoryRegistry, access: Access, store: BlobStore, method: str
) -> None:
    expired: list[str] = []

    def expire(request: Request) -> None:
        if request.method == method and known.tokens and not expired:
            expired.extend(known.tokens)
            known.tokens.clear()

    known.trouble.append(expire)
    made = image(store, LAYERS)
    assert write_image(made, place(known), access) == made.digest
    assert expired


def test_a_mount_asks_for_the_right_to_read_there(known: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    write_image(made, place(known, "first"), access)
    known.tokens.clear()
    known.requests.clear()
    write_image(made, place(known, "second"), access)
    assert {"repository:first:pull", "repository:second:pull,push"} in known.tokens.values()
    assert known.sent("PUT") == ["1"]


def test_where_that_right_is_not_given_the_bytes_are_sent(
    known: MemoryRegistry, access: Access, store: BlobStore
) -> None:
    made = image(store, LAYERS)
    write_image(made, place(known, "first"), access)
    known.may_read = lambda repository: repository != "first"
    assert write_image(made, place(known, "second"), access) == made.digest
    assert ("second", made.layers[0].digest) in known.blobs


def test_a_redirect_leads_to_the_blob_and_takes_no_credentials_along(
    known: MemoryRegistry, access: Access, store: BlobStore
) -> None:
    made = image(store, LAYERS)
    write_image(made, place(known), access)
    seen: list[dict[str, str]] = []

    def elsewhere(request: Request) -> Answer:
        seen.append(dict(request.headers))
        return Answer(200, known.blobs["team/model", request.path[1:]])

    with serving(elsewhere) as url:
        other = url.replace("127.0.0.1", "localhost")

        def redirect(request: Request) -> Answer | None:
            if request.method != "GET" or "/blobs/" not in request.path:
                return None
            return Answer(307, headers={"Location": f"{other}/{request.path.rpartition('/')[2]}"})

        known.trouble += [redirect] * 3
        assert read_filesystem(read_image(place(known), access)).read("b") == b"2"
    assert len(seen) == 3
    assert not [headers for headers in seen if "Authorization" in headers]


def test_an_upload_to_another_host_takes_no_credentials_along(
    known: MemoryRegistry, access: Access, store: BlobStore
) -> None:
    seen: list[dict[str, str]] = []
    made = image(store, LAYERS)

    def elsewhere(request: Request) -> Answer:
        seen.append(dict(request.headers))
        known.blobs["team/model", request.query.rpartition("digest=")[2].replace("%3A", ":")] = request.body
        return Answer(201)

    with serving(elsewhere) as url:

        def start(request: Request) -> Answer | None:
            known_token = request.headers.get("Authorization")
            return Answer(202, headers={"Location": f"{url}/x"}) if request.method == "POST" and known_token else None

        known.trouble += [start] * 3
        assert write_image(made, place(known), access) == made.digest
    assert len(seen) == 3
    assert not [headers for headers in seen if "Authorization" in headers]


def store_program(folder: Path, answers: str, status: int = 0) -> dict[str, str]:
    """An environment with a credential store `test`, which notes what it is asked."""
    program = folder / "docker-credential-test"
    program.write_text(
        f'#!/bin/sh\nread -r server\necho "$1 $server" >>{folder}/asked\ncat {folder}/answers\n'
        f"echo it-is-secret >&2\nexit {status}\n"
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "answers").write_text(answers)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


def test_the_credential_store_is_asked_once_a_connection_and_again_when_its_password_expires(
    memory: MemoryRegistry, access: Access, store: BlobStore, tmp_path: Path
) -> None:
    registry = memory.url.removeprefix("http://")
    memory.login, memory.password = "basic", "first"
    environ = store_program(tmp_path, json.dumps({"ServerURL": registry, "Username": USER, "Secret": "first"}))
    access.docker_config.mkdir()
    (access.docker_config / "config.json").write_text(json.dumps({"credHelpers": {registry: "test"}}))
    access = Access(access.docker_config, environ, access.cache_dir)

    def expire(request: Request) -> None:
        if request.method == "PUT" and memory.password == "first":
            memory.password = "second"
            (tmp_path / "answers").write_text(json.dumps({"Username": USER, "Secret": "second"}))

    memory.trouble.append(expire)
    made = image(store, LAYERS)
    assert write_image(made, place(memory), access) == made.digest
    assert (tmp_path / "asked").read_text().splitlines() == [f"get {registry}"] * 2


def test_a_login_that_the_caller_finds_goes_before_dockers_and_is_found_again_when_it_expires(
    memory: MemoryRegistry, access: Access, store: BlobStore
) -> None:
    memory.login, memory.password = "basic", "first"
    log_in(access, memory, username=USER, password="docker's")
    found: list[str] = []

    def find() -> Credentials:
        found.append(memory.password)
        return Credentials(USER, memory.password)

    def expire(request: Request) -> None:
        if request.method == "PUT" and memory.password == "first":
            memory.password = "second"

    memory.trouble.append(expire)
    access = replace(access, logins={memory.url.removeprefix("http://"): find})
    made = image(store, LAYERS)
    assert write_image(made, place(memory), access) == made.digest
    assert found == ["first", "second"]


def test_an_identity_token_of_a_credential_store_is_exchanged(
    memory: MemoryRegistry, access: Access, store: BlobStore, tmp_path: Path
) -> None:
    memory.login = "bearer"
    environ = store_program(tmp_path, json.dumps({"Username": "<token>", "Secret": "identity"}))
    access.docker_config.mkdir()
    (access.docker_config / "config.json").write_text('{"credsStore": "test"}')
    made = image(store, LAYERS)
    assert write_image(made, place(memory), Access(access.docker_config, environ, access.cache_dir)) == made.digest


@pytest.mark.parametrize(
    ("answers", "status"), [("it-is-secret", 1), ("it-is-secret", 0), ('{"Username": "it-is-secret"}', 0), ("", 0)]
)
def test_what_a_credential_store_says_is_never_shown(
    memory: MemoryRegistry, access: Access, tmp_path: Path, answers: str, status: int
) -> None:
    memory.login = "basic"
    environ = store_program(tmp_path, answers, status)
    access.docker_config.mkdir()
    (access.docker_config / "config.json").write_text('{"credsStore": "test"}')
    with pytest.raises(RegistryError, match="docker-credential-test get") as raised:
        read_image(place(memory), Access(access.docker_config, environ, access.cache_dir))
    assert "secret" not in str(raised.value)
