"""What becomes of blobs on a bad line."""

import os

import pytest

from argosy.errors import RegistryError
from argosy.image.blobs import BlobStore, JoinedBlobs
from argosy.image.image import Image
from argosy.registry import upload
from argosy.registry.access import Access
from argosy.registry.transports import read_image, write_image
from tests.image.images import file, image
from tests.image.web import Answer, Request
from tests.registry.memory import NO_DIGEST, MemoryRegistry, place

LARGE = os.urandom(3_000_000)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A blob of 3 MB counts as large."""
    monkeypatch.setattr(upload, "SMALL", 1_000_000)


@pytest.fixture
def made(store: BlobStore) -> Image:
    return image(store, [[file("large", LARGE)], [file("small", b"1")]])


def test_a_large_blob_is_one_patch_and_a_small_one_one_put(memory: MemoryRegistry, access: Access, made: Image) -> None:
    write_image(made, place(memory), access)
    assert len(memory.sent("PATCH")) == 1
    assert len(memory.sent("PUT")) == 4
    assert memory.blobs["team/model", made.layers[0].digest] == made.blobs.open(made.layers[0].digest).read()


@pytest.mark.parametrize("breaks", [[1_000_000], [1, 500_000, 2_000_000], [2_999_999], [0]])
def test_an_upload_goes_on_where_it_broke_off(
    memory: MemoryRegistry, access: Access, made: Image, breaks: list[int]
) -> None:
    memory.breaks = list(breaks)
    assert write_image(made, place(memory), access) == made.digest
    assert len(memory.sent("PATCH")) == len(breaks) + 1
    resumed = [headers["Content-Range"] for headers in memory.headers if "Content-Range" in headers]
    if breaks == [1_000_000]:
        assert resumed == [f"1000000-{made.layers[0].size - 1}"]
        assert len(memory.sent("POST")) == 3  # no blob was started twice


@pytest.mark.parametrize("uploads", ["forgotten", "lossy"])
def test_where_it_cannot_go_on_it_starts_again(
    memory: MemoryRegistry, access: Access, made: Image, uploads: str
) -> None:
    memory.uploads = uploads
    memory.breaks = [1_000_000]
    assert write_image(made, place(memory), access) == made.digest
    assert memory.blobs["team/model", made.layers[0].digest] == made.blobs.open(made.layers[0].digest).read()


def test_a_line_that_always_breaks_is_given_up(memory: MemoryRegistry, access: Access, made: Image) -> None:
    memory.uploads = "forgotten"
    memory.breaks = [1_000_000] * 50
    with pytest.raises(RegistryError, match="does not answer"):
        write_image(made, place(memory), access)
    assert ("team/model", "1") not in memory.manifests


def test_a_registry_that_had_it_all_when_the_line_broke_is_not_sent_it_again(
    memory: MemoryRegistry, access: Access, made: Image
) -> None:
    def after_storing(request: Request) -> Answer | None:
        if request.method != "PUT" or "uploads" not in request.path:
            return None
        digest = request.query.rpartition("digest=")[2].replace("%3A", ":")
        memory.blobs["team/model", digest] = made.blobs.open(digest).read()
        return Answer(201, b"x" * 10, cut=1)

    memory.trouble.append(after_storing)
    assert write_image(made, place(memory), access) == made.digest
    assert len(memory.sent("POST")) == 3


def test_a_digest_that_the_registry_never_takes_is_an_error(
    memory: MemoryRegistry, access: Access, made: Image
) -> None:
    memory.trouble += [lambda request: NO_DIGEST if request.method == "PUT" else None] * 9
    with pytest.raises(RegistryError, match="DIGEST_INVALID"):
        write_image(made, place(memory), access)


@pytest.mark.parametrize(
    "full",
    [
        Answer(507),
        Answer(500, b'{"errors": [{"code": "UNKNOWN", "message": "x", "detail": {"Enclosed": {"Err": 28}}}]}'),
        Answer(500, b"write /var/lib/registry/data: no space left on device"),
    ],
)
@pytest.mark.parametrize("method", ["PATCH", "POST", "PUT"])
def test_a_full_registry_is_named_so_and_not_asked_again(
    memory: MemoryRegistry, access: Access, made: Image, full: Answer, method: str
) -> None:
    memory.trouble += [lambda request: full if request.method == method else None] * 50
    with pytest.raises(RegistryError, match="no room left") as raised:
        write_image(made, place(memory), access)
    assert raised.value.what == f"{method} was refused"
    assert len(memory.sent(method)) <= 3
    memory.trouble.clear()
    assert write_image(made, place(memory), access) == made.digest


def test_a_blob_under_another_digest_is_found_out(memory: MemoryRegistry, access: Access, made: Image) -> None:
    other = {"Docker-Content-Digest": "sha256:" + "0" * 64}
    memory.trouble.append(lambda request: Answer(200, headers=other) if request.method == "HEAD" else None)
    with pytest.raises(RegistryError, match="another blob than was asked for"):
        write_image(made, place(memory), access)


def test_a_blob_of_another_size_is_sent(memory: MemoryRegistry, access: Access, made: Image) -> None:
    memory.blobs["team/model", made.layers[0].digest] = b"half"
    assert write_image(made, place(memory), access) == made.digest
    assert memory.blobs["team/model", made.layers[0].digest] != b"half"


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/steal", "", None])
def test_an_upload_that_leads_nowhere_is_an_error(
    memory: MemoryRegistry, access: Access, made: Image, location: str | None
) -> None:
    headers = {} if location is None else {"Location": location}
    memory.trouble += [lambda request: Answer(202, headers=headers) if request.method == "POST" else None] * 20
    with pytest.raises(RegistryError):
        write_image(made, place(memory), access)


def test_a_blob_that_is_not_its_digest_never_arrives(memory: MemoryRegistry, access: Access, made: Image) -> None:
    store = made.blobs
    assert isinstance(store, BlobStore)
    path = store.path(made.layers[0].digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(Exception, match="not what its digest says"):
        write_image(made, place(memory), access)
    assert ("team/model", made.layers[0].digest) not in memory.blobs
    assert memory.manifests == {}


@pytest.mark.parametrize("refusal", [None, Answer(405), Answer(400), Answer(500), Answer(403)])
def test_a_mount_that_fails_is_an_upload(
    memory: MemoryRegistry, access: Access, made: Image, refusal: Answer | None
) -> None:
    write_image(made, place(memory, "first"), access)
    if refusal is None:  # the note is out of date: the registry starts an upload instead
        memory.blobs.clear()
    else:
        memory.trouble += [lambda request: refusal if "mount=" in request.query else None] * 3
    assert write_image(made, place(memory, "second"), access) == made.digest
    assert memory.blobs["second", made.layers[0].digest]


def test_an_image_goes_from_registry_to_registry(memory: MemoryRegistry, access: Access, made: Image) -> None:
    write_image(made, place(memory, "first"), access)
    other = Access(access.docker_config, access.environ, access.cache_dir / "other")
    pulled = read_image(place(memory, "first"), other)
    memory.requests.clear()
    write_image(
        Image(pulled.manifest_bytes, pulled.config_bytes, JoinedBlobs(BlobStore(other.cache_dir), pulled.blobs)),
        place(memory, "second"),
        other,
    )
    assert [line for line in memory.requests if line.startswith("PATCH")] == []
    assert not (other.cache_dir / "blobs" / "sha256" / made.layers[0].digest[7:]).exists()
