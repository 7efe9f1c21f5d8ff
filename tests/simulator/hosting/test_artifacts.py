import errno
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy import model_archive
from argosy.errors import ArchiveError, StorageError, UsageError
from argosy.simulator.hosting import artifacts
from argosy.simulator.hosting.artifacts import fetch, fetch_all, name_fault
from argosy.simulator.hosting.definition import ArtifactSource, ContainerDefinition
from tests.simulator.memory_store import MemoryStore

URL = "s3://bucket/models/iris.tar.gz"
NOT_THERE = (
    'Failed to download model data for container "container_1" from URL: "{}". Please ensure that there is an object '
    "located at the URL and that the role passed to CreateModel has permissions to download the object."
)
NOT_AN_ARCHIVE = (
    'Failed to extract model data archive from URL "{}". Please ensure that the object located at the URL is a valid '
    "tar.gz archive."
)
EMPTY = MemoryStore({})


def archive(files: dict[str, bytes], link: str | None = None) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            tar.addfile(member)
    return written.getvalue()


def found(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def prefix(store: MemoryStore, folder: Path, url: str = "s3://bucket/model/") -> None:
    fetch(ArtifactSource(url, is_archive=False, is_prefix=True), store, folder)


def is_clean(folder: Path) -> bool:
    return not folder.exists() or list(folder.iterdir()) == []


def test_what_lies_at_the_archive_s_root_lies_in_the_folder(tmp_path: Path) -> None:
    fetch(ArtifactSource(URL), MemoryStore({URL: archive({"a": b"1", "code/b": b"2"})}), tmp_path / "model")
    assert found(tmp_path / "model") == {"a": b"1", "code/b": b"2"}
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"PK\x03\x04 a zip", "not a whole tar archive in gzip"),
        (archive({"a": b"1" * 9000})[:-30], "not a whole tar archive in gzip"),
        (archive({"a": b"1"}, link="/etc/passwd"), "`link`: a symbolic link"),
        (archive({"../a": b"1"}), "`../a`: the name leads out of the archive"),
    ],
    ids=["zip", "cut", "link", "leading-out"],  # gzip notes the time: the bytes are no name that two processes share
)
def test_what_is_no_archive_fails_in_the_service_s_words_and_leaves_nothing(
    tmp_path: Path, body: bytes, reason: str
) -> None:
    with pytest.raises(ArchiveError) as error:
        fetch(ArtifactSource(URL), MemoryStore({URL: body}), tmp_path / "model")
    assert error.value.what == NOT_AN_ARCHIVE.format(URL)
    assert str(error.value.got).startswith(reason)
    assert is_clean(tmp_path)


@pytest.mark.parametrize("url", [URL, "/no/such/file.tar.gz"])
@pytest.mark.parametrize("is_archive", [True, False])
def test_what_is_not_there_fails_in_the_service_s_words(tmp_path: Path, url: str, is_archive: bool) -> None:
    with pytest.raises(StorageError) as error:
        fetch(ArtifactSource(url, is_archive=is_archive), EMPTY, tmp_path / "model")
    assert error.value.what == NOT_THERE.format(url)
    assert is_clean(tmp_path)


def test_a_full_disk_is_told_as_an_archive_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unpack(_archive: Path, _folder: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(model_archive, "unpack", unpack)
    with pytest.raises(ArchiveError, match=r"The model data archive is too large\. Please reduce"):
        fetch(ArtifactSource(URL), MemoryStore({URL: archive({})}), tmp_path / "model")


def test_a_folder_of_this_machine_is_packed_and_unpacked(tmp_path: Path) -> None:
    (tmp_path / "own" / "__pycache__").mkdir(parents=True)
    (tmp_path / "own" / "weights").write_bytes(b"w")
    (tmp_path / "own" / "__pycache__" / "x.pyc").write_bytes(b"x")
    fetch(ArtifactSource(str(tmp_path / "own")), EMPTY, tmp_path / "model")
    assert found(tmp_path / "model") == {"weights": b"w"}
    (tmp_path / "own" / "link").symlink_to("weights")
    with pytest.raises(ArchiveError, match="a symbolic link"):
        fetch(ArtifactSource(str(tmp_path / "own")), EMPTY, tmp_path / "other")


def test_an_archive_of_this_machine_is_unpacked(tmp_path: Path) -> None:
    (tmp_path / "m.tar.gz").write_bytes(archive({"a": b"1"}))
    fetch(ArtifactSource(str(tmp_path / "m.tar.gz")), EMPTY, tmp_path / "model")
    assert found(tmp_path / "model") == {"a": b"1"}


def test_one_object_is_named_by_the_last_part_of_its_key(tmp_path: Path) -> None:
    store = MemoryStore({"s3://bucket/some/where/model.onnx": b"onnx"})
    fetch(ArtifactSource("s3://bucket/some/where/model.onnx", is_archive=False), store, tmp_path / "model")
    assert found(tmp_path / "model") == {"model.onnx": b"onnx"}


def test_a_prefix_gives_every_object_below_it(tmp_path: Path) -> None:
    store = MemoryStore({"s3://bucket/model/a": b"1", "s3://bucket/model/b/c": b"2", "s3://bucket/model2/d": b"3"})
    prefix(store, tmp_path / "model")
    assert found(tmp_path / "model") == {"a": b"1", "b/c": b"2"}


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "a folder or file without a name"),
        ("weights/", "a folder or file without a name"),
        ("a//b", "a folder or file without a name"),
        (" /b", "a folder or file without a name"),
        ("a/./b", "`.` as a name"),
        ("../b", "`..` as a name"),
        ("a\0b", "a null byte"),
        ("é" * 128, "longer than 255 bytes"),
        ("a/b", "it is a file and a folder at once"),
        ("a/b/c", "it is a file and a folder at once"),
    ],
)
def test_a_key_that_cannot_be_a_file_fails_the_deployment(tmp_path: Path, key: str, reason: str) -> None:
    with pytest.raises(StorageError) as error:
        prefix(MemoryStore({"s3://bucket/model/a": b"1", f"s3://bucket/model/{key}": b""}), tmp_path / "model")
    assert error.value.what == NOT_THERE.format("s3://bucket/model/")
    assert reason in str(error.value.got)
    assert is_clean(tmp_path)


@pytest.mark.parametrize(("url", "reason"), [("s3://bucket/model", "end in a slash"), ("s3://bucket/x/", "no object")])
def test_a_prefix_ends_in_a_slash_and_holds_something(tmp_path: Path, url: str, reason: str) -> None:
    with pytest.raises(StorageError, match=reason):
        prefix(MemoryStore({"s3://bucket/model/a": b"1"}), tmp_path / "model", url)


@given(st.lists(st.text(max_size=6), min_size=1, max_size=4).map("/".join))
def test_a_name_without_fault_stays_below_the_folder(name: str) -> None:
    if name_fault(name) is None:
        assert (Path("/top") / name).resolve().is_relative_to("/top")
        assert (Path("/top") / name).as_posix() == f"/top/{name}"


def test_a_container_s_artifacts_and_channels(tmp_path: Path) -> None:
    definition = ContainerDefinition(
        "image",
        artifacts=ArtifactSource(URL),
        channels={"draft": ArtifactSource("s3://bucket/draft/", is_archive=False, is_prefix=True)},
    )
    store = MemoryStore({URL: archive({"a": b"1"}), "s3://bucket/draft/b": b"2"})
    fetched = fetch_all(definition, store, tmp_path, artifacts.FIRST_CONTAINER)
    assert fetched.model_dir is not None
    assert found(fetched.model_dir) == {"a": b"1"}
    assert found(fetched.channels["draft"]) == {"b": b"2"}


def test_an_image_that_brings_its_artifacts_gets_no_folder(tmp_path: Path) -> None:
    assert fetch_all(ContainerDefinition("image"), EMPTY, tmp_path, "container_1").model_dir is None


@pytest.mark.parametrize("name", ["..", ".", "a/b", "", "a" * 65])
def test_a_channel_s_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError):
        fetch_all(ContainerDefinition("image", channels={name: ArtifactSource(URL)}), EMPTY, tmp_path, "container_1")
