"""Mirrors, plain http and certificates, with real servers."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
import trustme

from argosy.errors import RegistryError, UsageError
from argosy.image import reference
from argosy.image.blobs import BlobStore
from argosy.image.filesystem import read_filesystem
from argosy.image.reference import RegistryReference
from argosy.registry.access import Access
from argosy.registry.endpoint import Endpoint, is_loopback, place_to_write, places_to_read, tls_context
from argosy.registry.transports import read_image, write_image
from tests.image.images import file, image
from tests.image.web import Answer, serving
from tests.registry.memory import MemoryRegistry, place

LAYERS = [[file("a", b"1" * 1000)], [file("b", b"2")]]


def named(text: str) -> RegistryReference:
    found = reference.parse(f"docker://{text}")
    assert isinstance(found, RegistryReference)
    return found


@pytest.fixture
def settings(tmp_path: Path, access: Access) -> tuple[Path, Access]:
    path = tmp_path / "registries.conf"
    return path, replace(access, environ={"CONTAINERS_REGISTRIES_CONF": str(path)})


@pytest.mark.parametrize(
    ("name", "want"),
    [
        ("python", ["mirror.example:5000/hub/library/python", "docker.io/library/python"]),
        ("docker.io/team/model:1", ["mirror.example:5000/hub/team/model", "docker.io/team/model"]),
        ("quay.io/x/y", ["quay.io/x/y"]),
        ("r.example/moved/model", ["s.example/here/model"]),
        ("r.example/movedaway/model", ["r.example/movedaway/model"]),
        ("a.wild.example/x", ["wild.lan/x"]),
        ("d.example/x:1", ["d.example/x"]),
        ("d.example/x@sha256:" + "a" * 64, ["e.example/x", "d.example/x"]),
    ],
)
def test_the_longest_prefix_says_where(settings: tuple[Path, Access], name: str, want: list[str]) -> None:
    settings[0].write_text("""
        unqualified-search-registries = ["docker.io"]
        [[registry]]
        location = "docker.io"
        [[registry.mirror]]
        location = "mirror.example:5000/hub"
        insecure = true
        [[registry]]
        prefix = "r.example/moved"
        location = "s.example/here"
        [[registry]]
        prefix = "*.wild.example"
        location = "wild.lan"
        [[registry]]
        location = "d.example"
        mirror-by-digest-only = true
        [[registry.mirror]]
        location = "e.example"
    """)
    found = places_to_read(named(name), settings[1])
    assert [f"{place.registry}/{place.repository}" for place in found] == want
    assert [place.is_mirror for place in found] == [True] * (len(want) - 1) + [False]
    assert place_to_write(named(name), settings[1]) == found[-1]


@pytest.mark.parametrize("content", ["[[registry]", "\xff", '[[registry]]\nlocation = "r.example"\nblocked = true'])
def test_settings_that_cannot_be_followed_are_an_error(settings: tuple[Path, Access], content: str) -> None:
    settings[0].write_bytes(content.encode("latin-1"))
    with pytest.raises(UsageError):
        places_to_read(named("r.example/x"), settings[1])
    settings[0].unlink()
    with pytest.raises(UsageError, match="cannot be read"):
        places_to_read(named("r.example/x"), settings[1])


def test_docker_hub_has_a_host_of_another_name() -> None:
    assert Endpoint("docker.io", "library/python").host == "registry-1.docker.io"
    assert Endpoint("r.example", "x").host == "r.example"


def test_loopback_alone_is_spoken_to_without_tls() -> None:
    assert is_loopback("127.0.0.1:5000")
    assert is_loopback("localhost")
    assert not is_loopback("127.evil.example")
    assert not is_loopback("registry.example:5000")


def test_the_systems_cas_are_read_once_and_never_shared_with_what_trusts_more(access: Access) -> None:
    system = tls_context(Endpoint("registry.example", "a"), access)
    assert tls_context(Endpoint("other.example", "b"), access) is system
    assert system.verify_mode is ssl.CERT_REQUIRED

    insecure = tls_context(Endpoint("registry.example", "a", is_insecure=True), access)
    folder = access.docker_config / "certs.d" / "private.example"
    folder.mkdir(parents=True)
    trustme.CA().cert_pem.write_to_path(folder / "ca.crt")
    private = tls_context(Endpoint("private.example", "a"), access)
    elsewhere = replace(access, environ={**access.environ, "SSL_CERT_FILE": str(folder / "ca.crt")})
    other = tls_context(Endpoint("registry.example", "a"), elsewhere)

    assert len({id(one) for one in (system, insecure, private, other)}) == 4
    assert system.verify_mode is ssl.CERT_REQUIRED
    assert system.check_hostname


def with_mirror(settings: tuple[Path, Access], mirror: str, registry: str) -> Access:
    settings[0].write_text(f'[[registry]]\nlocation = "{registry}"\n[[registry.mirror]]\nlocation = "{mirror}"\n')
    return settings[1]


def test_a_mirror_gives_the_image(memory: MemoryRegistry, settings: tuple[Path, Access], store: BlobStore) -> None:
    made = image(store, LAYERS)
    settings[0].touch()
    write_image(made, place(memory, "hub/team/model"), settings[1])
    access = with_mirror(settings, f"{memory.url.removeprefix('http://')}/hub", "registry.invalid")
    assert read_filesystem(read_image("docker://registry.invalid/team/model:1", access)).read("b") == b"2"


@pytest.mark.parametrize("kind", ["gone", "empty", "lying about manifests", "lying about blobs", "busy"])
def test_the_registry_itself_is_asked_where_the_mirror_fails(
    memory: MemoryRegistry, settings: tuple[Path, Access], store: BlobStore, kind: str
) -> None:
    settings[0].touch()
    made = image(store, LAYERS)
    write_image(made, place(memory), settings[1])
    mirror = MemoryRegistry(blobs=dict(memory.blobs), manifests=dict(memory.manifests))
    with serving(mirror) as url:
        if kind == "empty":
            mirror.manifests.clear()
        elif kind == "busy":
            mirror.trouble += [lambda _: Answer(503)] * 100
        elif kind == "lying about manifests":
            mirror.manifests["team/model", made.digest] = ("application/json", b"{}")
        elif kind == "lying about blobs":
            mirror.blobs.update(dict.fromkeys(mirror.blobs, b"evil"))
        host = "127.0.0.1:9" if kind == "gone" else url.removeprefix("http://")
        access = with_mirror(settings, host, memory.url.removeprefix("http://"))
        pulled = read_image(place(memory, tag=f"@{made.digest}"), access)
        assert read_filesystem(pulled).read("b") == b"2"


def test_where_all_fail_the_mirror_is_named(memory: MemoryRegistry, settings: tuple[Path, Access]) -> None:
    access = with_mirror(settings, "127.0.0.1:9", memory.url.removeprefix("http://"))
    with pytest.raises(RegistryError, match="no such manifest") as raised:
        read_image(place(memory), access)
    assert "127.0.0.1:9" in str(raised.value.hint)


@contextmanager
def behind_tls(inner: str, context: ssl.SSLContext | None) -> Iterator[str]:
    """The address of a server that passes every request on to another one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name != "Host"}
            answer = httpx.request(self.command, inner + self.path, headers=headers, content=body)
            self.send_response(answer.status_code)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = pass_on  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # http.server's name
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not trust the certificate goes away."""

    server = Server(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.mark.parametrize("asks_for_ours", [False, True])
def test_a_private_ca_and_a_certificate_of_ours(
    memory: MemoryRegistry,
    settings: tuple[Path, Access],
    store: BlobStore,
    authority: trustme.CA,
    asks_for_ours: bool,
) -> None:
    settings[0].touch()
    access = settings[1]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    if asks_for_ours:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    made = image(store, LAYERS)
    with behind_tls(memory.url, context) as host:
        text = f"docker://{host}/team/model:1"
        folder = access.docker_config / "certs.d" / host
        folder.mkdir(parents=True)
        with pytest.raises(RegistryError, match="is not trusted"):
            write_image(made, text, access)
        authority.cert_pem.write_to_path(folder / "ca.crt")
        if asks_for_ours:
            with pytest.raises(RegistryError, match="does not answer"):
                write_image(made, text, access)
            ours = authority.issue_cert("me")
            ours.cert_chain_pems[0].write_to_path(folder / "client.cert")
            ours.private_key_pem.write_to_path(folder / "client.key")
        assert write_image(made, text, access) == made.digest
        assert read_image(text, access).digest == made.digest
        (folder / "ca.crt").write_text("no certificate")
        with pytest.raises(UsageError, match="cannot be read"):
            read_image(text, access)


@pytest.mark.parametrize("has_tls", [False, True])
def test_an_insecure_registry_is_one_that_the_settings_name(
    memory: MemoryRegistry,
    settings: tuple[Path, Access],
    store: BlobStore,
    authority: trustme.CA,
    monkeypatch: pytest.MonkeyPatch,
    has_tls: bool,
) -> None:
    monkeypatch.setattr("argosy.registry.endpoint.is_loopback", lambda _: False)  # as if it were another machine
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("another.example").configure_cert(context)
    made = image(store, LAYERS)
    with behind_tls(memory.url, context if has_tls else None) as host:
        settings[0].touch()
        with pytest.raises(RegistryError, match="is not trusted" if has_tls else "does not answer"):
            write_image(made, f"docker://{host}/x:1", settings[1])
        assert memory.requests == []
        settings[0].write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
        assert write_image(made, f"docker://{host}/x:1", settings[1]) == made.digest
