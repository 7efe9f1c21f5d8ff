import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.image import Descriptor, Image, canonical_json, choose_platform, digest_of, is_digest, parse_object
from tests.image.images import file, image

AMD64 = {"mediaType": "m", "digest": "sha256:" + "a" * 64, "size": 1}
ARM64 = {"mediaType": "m", "digest": "sha256:" + "b" * 64, "size": 1}


def test_an_image_shows_what_its_manifest_says(store: BlobStore) -> None:
    made = image(store, [[file("a")], [file("b")]])
    assert made.digest == digest_of(made.manifest_bytes)
    assert len(made.layers) == len(made.diff_ids) == 2
    assert made.config_descriptor.digest == digest_of(made.config_bytes)
    assert made.runtime == {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"]}
    assert made.config["architecture"] == "amd64"
    assert made.index_bytes is None


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{", b"null", b"\xff"])
def test_what_is_no_manifest_is_an_error(store: BlobStore, manifest: bytes) -> None:
    with pytest.raises(ImageError):
        _ = Image(manifest, b"{}", store).layers


@pytest.mark.parametrize("layers", [None, [{}], [{"mediaType": "m", "digest": "sha256:..", "size": 1}], ["x"]])
def test_what_is_no_layer_is_an_error(store: BlobStore, layers: object) -> None:
    with pytest.raises(ImageError):
        _ = Image(canonical_json({"layers": layers}), b"{}", store).layers


@pytest.mark.parametrize("rootfs", [{}, {"diff_ids": []}, {"diff_ids": ["x"]}, None])
def test_a_config_without_a_diff_id_for_each_layer_is_an_error(store: BlobStore, rootfs: object) -> None:
    made = image(store, [[file("a")]], config={"rootfs": rootfs})
    with pytest.raises(ImageError, match="disagree"):
        _ = made.diff_ids


def test_an_index_gives_its_linux_amd64_image() -> None:
    index = {
        "manifests": [
            {**ARM64, "platform": {"os": "linux", "architecture": "arm64"}},
            {**AMD64, "platform": {"os": "linux", "architecture": "amd64"}},
            {**ARM64, "platform": {"os": "unknown", "architecture": "unknown"}},
        ]
    }
    assert choose_platform(index, "here") == Descriptor("m", str(AMD64["digest"]), 1)
    assert choose_platform({"manifests": [AMD64]}, "here").digest == AMD64["digest"]
    for manifests in ([], None, index["manifests"][:1], [ARM64, AMD64]):
        with pytest.raises(ImageError, match="no image for linux/amd64"):
            choose_platform({"manifests": manifests}, "here")


def test_an_index_gives_its_plainest_amd64_image_and_no_attestation() -> None:
    newer = {**ARM64, "platform": {"os": "linux", "architecture": "amd64", "variant": "v3"}}
    plain = {**AMD64, "platform": {"os": "linux", "architecture": "amd64"}}
    attestation = {**ARM64, "annotations": {"vnd.docker.reference.digest": AMD64["digest"]}}
    for manifests in ([newer, plain], [plain, newer], [attestation, AMD64], [attestation, plain]):
        assert choose_platform({"manifests": manifests}, "here").digest == AMD64["digest"]
    assert choose_platform({"manifests": [newer]}, "here").digest == ARM64["digest"]


@given(st.recursive(st.none() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)))
def test_a_value_has_one_serialization(value: object) -> None:
    content = canonical_json({"value": value})
    assert canonical_json(parse_object(content, "it")) == content


@pytest.mark.parametrize("text", [None, 1, "", "sha256:abc", "sha256:" + "A" * 64, "sha256:" + "a" * 64 + "\n"])
def test_what_is_no_digest(text: object) -> None:
    assert not is_digest(text)


@pytest.mark.parametrize(
    "config",
    [5, [], {"Env": 5}, {"Env": [5]}, {"Env": {"A": "b"}}, {"Labels": ["x"]}, {"Labels": {"x": 1}}, {"Cmd": [1]},
     {"Entrypoint": {}}, {"User": 0}, {"WorkingDir": []}],
)  # fmt: skip
def test_a_config_of_the_wrong_kind_is_an_error(store: BlobStore, config: object) -> None:
    made = image(store, config={"config": config})
    with pytest.raises(ImageError, match="what a container is started with"):
        _ = made.runtime


def test_what_is_null_in_a_config_is_not_there(store: BlobStore) -> None:
    fields = {"Env": None, "Labels": None, "Cmd": ["serve"], "Entrypoint": "a b"}
    assert image(store, config={"config": fields}).runtime == {"Cmd": ["serve"], "Entrypoint": "a b"}
    assert image(store, config={"config": None}).runtime == {}


def test_json_without_end_is_no_object() -> None:
    with pytest.raises(ImageError, match="not JSON"):
        parse_object(b"[" * 100_000, "it")
