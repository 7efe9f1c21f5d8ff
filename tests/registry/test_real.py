"""Debian's docker-registry: under ECR's name, with a full disk, over a line that breaks; and clients that die."""

import hashlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from argosy.errors import RegistryError
from argosy.image.blobs import BlobStore
from argosy.image.filesystem import read_filesystem
from argosy.image.image import Image
from argosy.registry import upload
from argosy.registry.access import Access
from argosy.registry.layout import write_layout
from argosy.registry.transports import read_image, write_image
from tests.aws.stand_in import moto_server
from tests.image.images import file, image
from tests.image.web import Answer
from tests.registry.memory import MemoryRegistry, place
from tests.registry.real import docker_registry

ECR = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
AS_ECR = "AWS:$2b$04$JIhad3EmuaH/agvspeNwgO73eWKQq5iUbjsGe6pIyUpHJL51sNWGi\n"
"""bcrypt of the token that moto's ECR gives to this account."""

LAYERS = [[file("a", os.urandom(3_000_000))], [file("b", b"2")]]


@pytest.fixture
def ecr(tmp_path: Path, access: Access, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A registry behind TLS and a password, where the host name of ECR leads to for this process."""
    authority = trustme.CA()
    certificate = authority.issue_cert(ECR)
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    (tmp_path / "htpasswd").write_text(AS_ECR)
    folder = access.docker_config / "certs.d" / ECR
    folder.mkdir(parents=True)
    authority.cert_pem.write_to_path(folder / "ca.crt")
    sections = {
        "auth": {"htpasswd": {"realm": "x", "path": str(tmp_path / "htpasswd")}},
        "http": {"tls": {"certificate": str(tmp_path / "cert.pem"), "key": str(tmp_path / "key.pem")}},
    }
    resolve: Callable[..., Any] = socket.getaddrinfo
    with docker_registry(tmp_path / "registry", sections) as port:

        def override(host: Any, *rest: Any, **more: Any) -> Any:
            return resolve("127.0.0.1", port) if host == ECR else resolve(host, *rest, **more)

        monkeypatch.setattr(socket, "getaddrinfo", override)
        yield


@pytest.mark.engine
def test_ecr_is_logged_in_to_with_a_token_of_its_own(
    ecr: None, access: Access, store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = image(store, LAYERS)
    with moto_server() as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "it-is-secret")
        assert write_image(made, f"docker://{ECR}/model:1", access) == made.digest
        assert read_filesystem(read_image(f"docker://{ECR}/model:1", access)).read("b") == b"2"


@pytest.mark.engine
def test_ecr_without_boto3_says_how_to_log_in(
    ecr: None, access: Access, store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(RegistryError, match="status 401") as raised:
        write_image(image(store, LAYERS), f"docker://{ECR}/model:1", access)
    assert "pip install boto3, or aws ecr get-login-password --region us-east-1" in str(raised.value.hint)
    assert f"--password-stdin {ECR}" in str(raised.value.hint)


@pytest.mark.engine
def test_a_registry_whose_disk_is_full_is_named_so(access: Access, store: BlobStore, tmp_path: Path) -> None:
    made = image(store, LAYERS)
    with docker_registry(tmp_path / "registry", {}, megabytes=2) as port:
        text = f"docker://127.0.0.1:{port}/model:1"
        with pytest.raises(RegistryError, match="no room left"):
            write_image(made, text, access)
        with pytest.raises(RegistryError, match="status 404"):
            read_image(text, access)


@contextmanager
def line_to(port: int, breaks: list[int]) -> Iterator[int]:
    """The port of a line to another one; each of its first connections breaks after so many bytes from the client."""

    def carry(source: socket.socket, target: socket.socket, limit: int | None) -> None:
        gone = 0
        while limit is None or gone < limit:
            try:
                content = source.recv(65536 if limit is None else min(65536, limit - gone))
                target.sendall(content)
            except OSError:
                break
            if not content:
                break
            gone += len(content)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    threads: list[threading.Thread] = []
    ends: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                server = socket.create_connection(("127.0.0.1", port))
                ends.extend((client, server))
                limit = breaks.pop(0) if breaks else None
                for pair in ((client, server, limit), (server, client, None)):
                    threads.append(threading.Thread(target=carry, args=pair, daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join(10)
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
    for thread in threads:
        thread.join(10)
    for end in ends:
        end.close()


@pytest.mark.engine
def test_a_real_registry_has_all_in_the_end_over_a_line_that_breaks(
    access: Access, store: BlobStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upload, "SMALL", 1_000_000)
    made = image(store, LAYERS)
    breaks = [2_000_000, 400, 1_000_000, 3_000]
    with docker_registry(tmp_path / "registry", {}) as port, line_to(port, breaks) as line:
        assert write_image(made, f"docker://127.0.0.1:{line}/model:1", access) == made.digest
        assert breaks == []
        pulled = read_image(f"docker://127.0.0.1:{port}/model:1", access)
        assert read_filesystem(pulled).read("a") == LAYERS[0][0][1]


PUSH = """
import sys
from pathlib import Path
from argosy.registry.transports import Access, read_image, write_image
access = Access(Path("/nowhere"), {}, Path(sys.argv[3]))
print(write_image(read_image(sys.argv[1], access), sys.argv[2], access))
"""


def run(source: str, target: str, cache: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", PUSH, source, target, str(cache)], stdout=subprocess.PIPE, text=True)


def is_whole(memory: MemoryRegistry, made: Image) -> bool:
    """Whether every blob that is there is what it is called, and the manifest only there with all of its own."""
    assert all(f"sha256:{hashlib.sha256(blob).hexdigest()}" == digest for (_, digest), blob in memory.blobs.items())
    stored = memory.manifests.get(("team/model", "1"))
    if stored is None:
        return False
    named = [layer["digest"] for layer in json.loads(stored[1])["layers"]] + [made.config_descriptor.digest]
    assert all(("team/model", digest) in memory.blobs for digest in named)
    return True


def test_a_push_that_is_killed_anywhere_leaves_nothing_half_and_the_next_one_goes_on(
    memory: MemoryRegistry, access: Access, tmp_path: Path
) -> None:
    made = image(BlobStore(tmp_path / "made"), [*LAYERS, [file("c", os.urandom(100_000))]])
    write_layout(made, tmp_path / "layout", "1")
    running: list[subprocess.Popen[str]] = []
    for last in random.Random(4).sample(range(1, 14), 5):
        memory.blobs.clear()
        memory.manifests.clear()
        memory.requests.clear()

        def kill(_: object, last: int = last) -> Answer | None:
            if len(memory.requests) < last:
                return None
            running[-1].send_signal(signal.SIGKILL)
            return Answer(503)

        memory.trouble = [kill] * 20
        running.append(run(f"oci:{tmp_path}/layout", place(memory), tmp_path / f"cache-{last}"))
        assert running[-1].communicate(timeout=60)[0] == ""
        memory.trouble = []
        is_whole(memory, made)
        there = {digest for _, digest in memory.blobs}
        memory.requests.clear()
        running.append(run(f"oci:{tmp_path}/layout", place(memory), tmp_path / f"cache-{last}"))
        assert running[-1].communicate(timeout=60)[0].strip() == made.digest
        assert is_whole(memory, made)
        assert len(memory.sent("POST")) <= 4 - len(there)
