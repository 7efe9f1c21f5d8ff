import base64
import json
import os
import threading
from pathlib import Path

import httpx
import pytest

from argosy.errors import ImageError, RegistryError
from argosy.image.blobs import BlobStore, JoinedBlobs, fetch_layers
from argosy.image.download import ATTEMPTS
from argosy.image.filesystem import read_filesystem
from argosy.image.image import DOCKER_MANIFEST, DOCKER_MANIFEST_LIST, OCI_INDEX, Image, canonical_json
from argosy.registry.protocol import PARALLEL
from argosy.registry.transports import Access, read_image, write_image
from tests.image.images import file, image, sha256, tree
from tests.image.web import Answer, Request
from tests.registry.memory import PASSWORD, USER, MemoryRegistry, log_in, place

LAYERS = [[file("a", os.urandom(50_000))], [file("b", b"2")]]


def test_what_was_pushed_is_pulled(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    assert write_image(made, place(memory), access) == made.digest
    pulled = read_image(place(memory), access)
    assert (pulled.manifest_bytes, pulled.config_bytes) == (made.manifest_bytes, made.config_bytes)
    assert "GET" in memory.requests[-1]
    assert not [name for name in memory.sent("GET") if name in {layer.digest for layer in made.layers}]
    assert read_filesystem(pulled).read("a") == LAYERS[0][0][1]
    again = len(memory.requests)
    assert read_filesystem(pulled).read("b") == b"2"
    assert len(memory.requests) == again
    assert memory.manifests["team/model", "1"][0] == DOCKER_MANIFEST


def test_only_what_is_missing_is_sent(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    write_image(image(store, LAYERS[:1]), place(memory), access)
    memory.requests.clear()
    made = image(store, LAYERS)
    write_image(made, place(memory, tag=":2"), access)
    assert len(memory.sent("POST")) == 2  # the second layer and the config
    memory.requests.clear()
    write_image(made, place(memory, tag=":2"), access)
    assert memory.sent("POST") == []


def test_layers_of_the_same_registry_are_mounted(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    write_image(made, place(memory, "base"), access)
    pulled = read_image(place(memory, "base"), access)
    built = Image(
        pulled.manifest_bytes, pulled.config_bytes, JoinedBlobs(BlobStore(access.cache_dir / "x"), pulled.blobs)
    )
    memory.requests.clear()
    write_image(built, place(memory, "ours"), access)
    assert memory.sent("PUT") == ["1"]  # the manifest: even the config is in a repository that was pushed to before
    assert {digest for repository, digest in memory.blobs if repository == "ours"} >= {x.digest for x in made.layers}


def test_an_index_gives_its_amd64_image_and_is_kept(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    write_image(made, place(memory), access)
    for media_type in (OCI_INDEX, DOCKER_MANIFEST_LIST):
        entry = {"mediaType": DOCKER_MANIFEST, "digest": made.digest, "size": len(made.manifest_bytes)}
        platforms = [("arm64", "sha256:" + "0" * 64), ("amd64", made.digest)]
        index = {
            "schemaVersion": 2,
            "mediaType": media_type,
            "manifests": [
                {**entry, "digest": digest, "platform": {"os": "linux", "architecture": architecture}}
                for architecture, digest in platforms
            ],
        }
        memory.manifests["team/model", "multi"] = (media_type, canonical_json(index))
        pulled = read_image(place(memory, tag=":multi"), access)
        assert pulled.digest == made.digest
        assert pulled.index_bytes == canonical_json(index)


@pytest.mark.parametrize("login", ["basic", "bearer"])
def test_the_login_of_dockers_config_is_used(
    memory: MemoryRegistry, access: Access, store: BlobStore, login: str
) -> None:
    memory.login = login
    log_in(access, memory, auth=base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode())
    made = image(store, LAYERS)
    assert write_image(made, place(memory), access) == made.digest
    assert read_image(place(memory), access).digest == made.digest


def test_an_identity_token_is_exchanged(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    memory.login = "bearer"
    log_in(access, memory, identitytoken="identity")
    made = image(store, LAYERS)
    assert write_image(made, place(memory), access) == made.digest


@pytest.mark.parametrize("login", ["basic", "bearer"])
@pytest.mark.parametrize("known", [False, True])
def test_a_refused_login_says_what_to_do_and_no_secret(
    memory: MemoryRegistry, access: Access, login: str, known: bool
) -> None:
    memory.login = login
    if known:
        log_in(access, memory, username=USER, password="wrong-secret")
    with pytest.raises(RegistryError, match="status 401") as raised:
        read_image(place(memory), access)
    assert str(raised.value.hint).startswith("docker login 127.0.0.1:")
    assert "secret" not in str(raised.value)


def test_a_credential_store_that_is_not_there_is_named(memory: MemoryRegistry, access: Access) -> None:
    memory.login = "basic"
    access.docker_config.mkdir()
    (access.docker_config / "config.json").write_text('{"credsStore": "osxkeychain"}')
    with pytest.raises(RegistryError, match="`docker-credential-osxkeychain` is not on the PATH"):
        read_image(place(memory), access)


BUSY, BROKEN = Answer(429, headers={"Retry-After": "0"}), Answer(200, b"x" * 9, cut=3)


@pytest.mark.parametrize(
    ("method", "trouble"),
    [
        *((method, trouble) for method in ("POST", "PUT", "GET") for trouble in (Answer(500), BUSY, BROKEN)),
        ("HEAD", Answer(500)),
        ("HEAD", BUSY),
    ],
)
def test_a_registry_in_trouble_is_asked_again(
    memory: MemoryRegistry, access: Access, store: BlobStore, method: str, trouble: Answer
) -> None:
    memory.trouble.append(lambda request: trouble if request.method == method else None)
    made = image(store, LAYERS)
    assert write_image(made, place(memory), access) == made.digest
    assert read_filesystem(read_image(place(memory), access)).read("b") == b"2"


def test_it_is_not_asked_for_ever(memory: MemoryRegistry, access: Access) -> None:
    memory.trouble += [lambda _: Answer(503, headers={"Retry-After": "0"})] * 20
    with pytest.raises(RegistryError, match="status 503"):
        read_image(place(memory), access)
    assert len(memory.requests) == ATTEMPTS


def test_a_missing_image_is_an_error_in_the_registrys_words(memory: MemoryRegistry, access: Access) -> None:
    with pytest.raises(RegistryError, match="status 404, MANIFEST_UNKNOWN: no such manifest"):
        read_image(place(memory), access)


def test_no_registry_is_an_error(access: Access) -> None:
    with pytest.raises(RegistryError, match="does not answer"):
        read_image("docker://127.0.0.1:9/a", access)


def test_a_blob_that_lies_is_not_kept(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    write_image(made, place(memory), access)
    digest = made.layers[0].digest
    memory.blobs["team/model", digest] = b"evil"
    with pytest.raises(ImageError, match="not what its digest says"):
        read_filesystem(read_image(place(memory), access))
    assert digest.replace(":", "/") not in tree(access.cache_dir / "blobs")


def test_a_manifest_that_lies_is_an_error(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    write_image(made, place(memory), access)
    memory.manifests["team/model", made.digest] = (DOCKER_MANIFEST, b"{}")
    with pytest.raises(RegistryError, match="not what its digest says"):
        read_image(place(memory, tag=f"@{made.digest}"), access)


@pytest.mark.parametrize("changed", [("application/vnd.oci.image.manifest.v1+json", None), (DOCKER_MANIFEST, b"{}")])
def test_a_registry_that_stores_something_else_is_found_out(
    memory: MemoryRegistry, access: Access, store: BlobStore, changed: tuple[str, bytes | None]
) -> None:
    made = image(store, LAYERS)

    def another(request: Request) -> Answer | None:
        if request.method == "GET" and "/manifests/" in request.path:
            content = made.manifest_bytes if changed[1] is None else changed[1]
            return Answer(200, content, {"Content-Type": changed[0]})
        return None

    memory.trouble.append(another)
    with pytest.raises(RegistryError, match="stored another manifest"):
        write_image(made, place(memory), access)


def test_a_digest_that_is_not_the_images_is_refused(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    with pytest.raises(RegistryError, match="another digest"):
        write_image(made, place(memory, tag=f"@{sha256(b'other')}"), access)
    assert write_image(made, place(memory, tag=f"@{made.digest}"), access) == made.digest


def test_the_password_is_never_sent_unencrypted_to_elsewhere(memory: MemoryRegistry, access: Access) -> None:
    challenge = {"WWW-Authenticate": 'Bearer realm="http://token.example/",service="x"'}
    memory.trouble.append(lambda _: Answer(401, headers=challenge))
    log_in(access, memory, username=USER, password=PASSWORD)
    with pytest.raises(RegistryError, match="unencrypted"):
        read_image(place(memory), access)


@pytest.mark.engine
def test_a_real_registry_takes_and_gives_back(registry: str, access: Access, store: BlobStore, tmp_path: Path) -> None:
    made = image(store, LAYERS)
    text = f"docker://{registry}/argosy-test/client:{os.getpid()}"
    assert write_image(made, text, access) == made.digest
    pulled = read_image(text, access)
    assert pulled.manifest_bytes == made.manifest_bytes
    assert read_filesystem(pulled).read("b") == b"2"
    accept = {"Accept": f"{DOCKER_MANIFEST}, {OCI_INDEX}"}
    url = f"http://{registry}/v2/argosy-test/client/manifests/{os.getpid()}"
    stored = httpx.get(url, headers=accept)
    assert stored.headers["Content-Type"] == DOCKER_MANIFEST
    assert stored.content == made.manifest_bytes


def test_the_manifest_is_read_back_by_its_digest_too(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, LAYERS)
    other = ("application/vnd.oci.image.manifest.v1+json", made.manifest_bytes)

    def convert(request: Request) -> Answer | None:
        if request.method == "GET" and request.path.endswith(made.digest):
            return Answer(200, other[1], {"Content-Type": other[0]})
        return None

    memory.trouble.append(convert)
    with pytest.raises(RegistryError, match="stored another manifest") as raised:
        write_image(made, place(memory), access)
    assert other[0] in str(raised.value.got)
    assert str(raised.value.where).endswith(f"/team/model@{made.digest}")


def test_a_manifest_whose_header_names_another_digest_is_an_error(
    memory: MemoryRegistry, access: Access, store: BlobStore
) -> None:
    made = image(store, LAYERS)
    write_image(made, place(memory), access)
    headers = {"Content-Type": DOCKER_MANIFEST, "Docker-Content-Digest": sha256(b"other")}
    memory.trouble.append(lambda _: Answer(200, made.manifest_bytes, headers))
    with pytest.raises(RegistryError, match="not what its digest says"):
        read_image(place(memory), access)


@pytest.mark.parametrize("size", [0, 49_000, 10**9])
def test_a_blob_that_has_not_the_size_of_the_manifest_is_an_error(
    memory: MemoryRegistry, access: Access, store: BlobStore, size: int
) -> None:
    made = image(store, LAYERS)
    write_image(made, place(memory), access)
    manifest = json.loads(made.manifest_bytes)
    manifest["layers"][0]["size"] = size
    memory.manifests["team/model", "1"] = (DOCKER_MANIFEST, canonical_json(manifest))
    with pytest.raises(ImageError, match="not what its digest says"):
        read_filesystem(read_image(place(memory), access))


def test_a_manifest_that_never_ends_is_cut_off(
    memory: MemoryRegistry, access: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("argosy.registry.protocol._LARGEST_ANSWER", 1000)
    memory.manifests["team/model", "1"] = (DOCKER_MANIFEST, b"x" * 1001)
    with pytest.raises(RegistryError, match="too long"):
        read_image(place(memory), access)


def test_an_index_without_our_platform_names_those_that_it_has(memory: MemoryRegistry, access: Access) -> None:
    entries = [
        {
            "mediaType": DOCKER_MANIFEST,
            "digest": sha256(b"x"),
            "size": 1,
            "platform": {"os": system, "architecture": cpu},
        }
        for system, cpu in (("linux", "arm64"), ("windows", "amd64"))
    ]
    memory.manifests["team/model", "1"] = (OCI_INDEX, canonical_json({"manifests": entries}))
    with pytest.raises(ImageError, match="linux/arm64, windows/amd64"):
        read_image(place(memory), access)


def test_layers_come_several_at_once(memory: MemoryRegistry, access: Access, store: BlobStore) -> None:
    made = image(store, [[file(name, name.encode())] for name in "abcdef"])
    write_image(made, place(memory), access)
    pulled = read_image(place(memory), access)
    digests = {layer.digest for layer in made.layers}
    first = {layer.digest for layer in made.layers[:PARALLEL]}
    waiting = threading.Barrier(PARALLEL)
    memory.before = lambda request: waiting.wait(20) if request.path.rpartition("/")[2] in first else None
    fetch_layers(pulled.blobs, pulled.layers)
    assert {digest for digest in memory.sent("GET") if digest in digests} == digests
    assert not waiting.broken
