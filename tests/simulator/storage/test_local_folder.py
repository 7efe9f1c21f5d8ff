import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from argosy.errors import StorageError
from argosy.simulator.storage.local_folder import LocalFolder
from argosy.simulator.storage.objects import ObjectUri
from tests.simulator.storage.test_objects import content, keys, put

ALL = ObjectUri("bucket", "")


@pytest.fixture
def folder(tmp_path: Path) -> LocalFolder:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "root" / "bucket").mkdir(parents=True)
    return LocalFolder(tmp_path / "root")


def test_an_object_is_a_file_of_the_same_name(folder: LocalFolder, tmp_path: Path) -> None:
    put(folder, ObjectUri("bucket", "a/b"), b"1")
    assert (tmp_path / "root/bucket/a/b").read_bytes() == b"1"
    assert [path.name for path in (tmp_path / "root/bucket").iterdir()] == ["a"]


def test_the_first_object_makes_its_bucket(folder: LocalFolder) -> None:
    put(folder, ObjectUri("new", "a"), b"1")
    assert keys(folder, ObjectUri("new", "")) == ["a"]


@pytest.mark.parametrize(
    "key",
    ["", "/a", "a//b", "a/", "../secret", "../../secret", "a/../b", "./a", "a\0b", "x" * 256, "a/" * 600 + "b",
     ".argosy-partial-a", "\udfff", "file/below", "sub"],
)  # fmt: skip
def test_a_key_that_a_folder_cannot_hold_is_refused(folder: LocalFolder, key: str) -> None:
    put(folder, ObjectUri("bucket", "file"), b"1")
    put(folder, ObjectUri("bucket", "sub/a"), b"1")
    with pytest.raises(StorageError):
        folder.create(ObjectUri("bucket", key))
    assert folder.find(ObjectUri("bucket", key)) is None
    with pytest.raises(StorageError):
        folder.open(ObjectUri("bucket", key))
    folder.remove(ObjectUri("bucket", key))
    assert keys(folder, ALL) == ["file", "sub/a"]


@pytest.mark.parametrize("bucket", ["..", ".", "a/b", "", "/tmp", "a\0b"])
def test_a_bucket_outside_the_root_is_none(folder: LocalFolder, bucket: str) -> None:
    with pytest.raises(StorageError):
        folder.create(ObjectUri(bucket, "secret"))
    with pytest.raises(StorageError):
        list(folder.list(ObjectUri(bucket, "")))
    with pytest.raises(StorageError):
        folder.open(ObjectUri(bucket, "secret"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(key=st.lists(st.sampled_from(["..", ".", "", "a", "b", "link", "\0", "é", " "]), max_size=5).map("/".join))
@example(key="link/secret")
def test_nothing_is_read_or_written_outside_the_bucket(folder: LocalFolder, tmp_path: Path, key: str) -> None:
    link = tmp_path / "root/bucket/link"
    if not link.is_symlink():
        link.symlink_to(tmp_path)
    before = {path for path in tmp_path.rglob("*") if "bucket" not in path.parts}
    try:
        put(folder, ObjectUri("bucket", key), b"mine")
        assert content(folder, ObjectUri("bucket", key)) == b"mine"
    except StorageError:
        pass
    assert {path for path in tmp_path.rglob("*") if "bucket" not in path.parts} == before
    assert (tmp_path / "secret").read_bytes() == b"secret"


def test_links_out_of_a_bucket_are_no_objects(folder: LocalFolder, tmp_path: Path) -> None:
    bucket = tmp_path / "root/bucket"
    put(folder, ObjectUri("bucket", "a"), b"1")
    (bucket / "inside").symlink_to("a")
    (bucket / "outside").symlink_to(tmp_path / "secret")
    (bucket / "parent").symlink_to("..")
    os.mkfifo(bucket / "pipe")
    assert keys(folder, ALL) == ["a", "inside"]
    assert folder.find(ObjectUri("bucket", "outside")) is None
    with pytest.raises(StorageError):
        folder.open(ObjectUri("bucket", "outside"))
    with pytest.raises(StorageError):
        folder.open(ObjectUri("bucket", "parent/bucket/a/../../../secret"))


def test_a_bucket_that_is_a_link_is_refused(folder: LocalFolder, tmp_path: Path) -> None:
    (tmp_path / "root/link").symlink_to(tmp_path)
    with pytest.raises(StorageError, match="a bucket is a link"):
        folder.open(ObjectUri("link", "secret"))


def test_a_folder_of_ones_own_is_a_bucket_with_its_links(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"1")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/link").symlink_to(tmp_path / "elsewhere")
    mounted = LocalFolder(None, {"in": tmp_path / "mine"})
    assert keys(mounted, ObjectUri("in", "")) == ["link"]
    assert content(mounted, ObjectUri("in", "link")) == b"1"
    with pytest.raises(StorageError, match="no such bucket"):
        mounted.create(ObjectUri("other", "a"))


def test_a_discarded_object_leaves_no_folder(folder: LocalFolder, tmp_path: Path) -> None:
    folder.create(ObjectUri("bucket", "a/b/c")).discard()
    assert list((tmp_path / "root/bucket").iterdir()) == []


def test_what_a_killed_writer_left_is_never_listed_and_is_removed(folder: LocalFolder, tmp_path: Path) -> None:
    script = (
        "import sys; from argosy.simulator.storage.local_folder import LocalFolder;"
        "from argosy.simulator.storage.objects import ObjectUri;from pathlib import Path;"
        "upload = LocalFolder(Path(sys.argv[1])).create(ObjectUri('bucket', 'a'));"
        "upload.stream.write(b'half'); upload.stream.flush(); print('there', flush=True); sys.stdin.read()"
    )
    bucket = tmp_path / "root/bucket"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "root")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"there\n"
        put(folder, ObjectUri("bucket", "b"), b"1")
        living = list(bucket.glob(".argosy-partial-*"))
        assert len(living) == 1, "what a living writer writes stays"
        writer.send_signal(signal.SIGKILL)
    assert keys(folder, ALL) == ["b"]
    put(LocalFolder(tmp_path / "root"), ObjectUri("bucket", "c"), b"1")
    assert [path.name for path in sorted(bucket.iterdir())] == ["b", "c"]


def test_a_disk_that_refuses_leaves_nothing(folder: LocalFolder, tmp_path: Path) -> None:
    upload = folder.create(ObjectUri("bucket", "a/b"))
    upload.stream.write(b"1")
    (tmp_path / "root/bucket/a").write_bytes(b"came between")
    with pytest.raises(StorageError, match="cannot be stored"):
        upload.finish()
    assert keys(folder, ALL) == ["a"]
    assert [path.name for path in (tmp_path / "root/bucket").iterdir()] == ["a"]
