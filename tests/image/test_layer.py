import gzip
import io
import os
import random
import tarfile
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import ImageError
from argosy.image import layer
from argosy.image.blobs import BlobStore
from argosy.image.layer import Layer, LayerCache, Member, from_bytes, from_file, ordered, symlink, write_layer
from tests.image.images import sha256

PATHS = st.lists(
    st.text("abc.-é", min_size=1, max_size=4).filter(lambda n: n not in (".", "..")), min_size=1, max_size=4
)
FILES = st.dictionaries(PATHS.map("/".join), st.binary(max_size=100), min_size=1, max_size=8)


def members(store: BlobStore, made: Layer) -> list[tarfile.TarInfo]:
    with store.open(made.digest) as blob, tarfile.open(fileobj=blob, mode="r|gz") as archive:
        return list(archive)


@given(FILES, st.randoms(use_true_random=False))
@settings(max_examples=50, deadline=None)
def test_the_order_of_files_does_not_matter(files: dict[str, bytes], chance: random.Random) -> None:
    folders = {parent for name in files for parent in _parents(name)}
    listed = [from_bytes(name, content) for name, content in files.items() if name not in folders]
    shuffled = list(listed)
    chance.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        store = BlobStore(Path(folder))
        assert write_layer(ordered(listed), store) == write_layer(ordered(shuffled), store)


def _parents(name: str) -> Iterator[str]:
    while "/" in name:
        name = name.rpartition("/")[0]
        yield name


def test_times_owners_and_masks_do_not_matter(store: BlobStore, tmp_path: Path) -> None:
    made = []
    for mask, mode, time in ((0o022, 0o644, 1), (0o077, 0o600, 2_000_000_000)):
        before = os.umask(mask)
        try:
            (tmp_path / f"{mask}").write_bytes(b"content")
        finally:
            os.umask(before)
        (tmp_path / f"{mask}").chmod(mode)
        os.utime(tmp_path / f"{mask}", (time, time))
        made.append(write_layer([from_file("opt/file", tmp_path / f"{mask}")], store))
    assert made[0] == made[1]


def test_a_layer_has_its_folders_plain_modes_and_no_time(store: BlobStore) -> None:
    made = write_layer(
        [from_bytes("opt/a/run", b"#!", executable=True), symlink("opt/b", "a/run"), Member("tmp", 0o1777)], store
    )
    found = [(m.name, m.type, oct(m.mode), m.mtime, m.uid, m.gid, m.uname, m.linkname) for m in members(store, made)]
    assert found == [
        ("opt", tarfile.DIRTYPE, "0o755", 0, 0, 0, "", ""),
        ("opt/a", tarfile.DIRTYPE, "0o755", 0, 0, 0, "", ""),
        ("opt/a/run", tarfile.REGTYPE, "0o755", 0, 0, 0, "", ""),
        ("opt/b", tarfile.SYMTYPE, "0o777", 0, 0, 0, "", "a/run"),
        ("tmp", tarfile.DIRTYPE, "0o1777", 0, 0, 0, "", ""),
    ]


def test_the_digests_are_those_of_the_stored_bytes(store: BlobStore) -> None:
    made = write_layer([from_bytes("file", b"content")], store)
    stored = store.read(made.digest)
    assert sha256(stored) == made.digest
    assert len(stored) == made.size
    assert sha256(gzip.decompress(stored)) == made.diff_id


def test_the_bytes_of_a_layer_are_the_same_in_every_release(store: BlobStore) -> None:
    """Golden: when this moves, every image of every user gets another digest. Raise `FORMAT`, and say so."""
    files = [from_bytes(f"opt/program/{n:03}.py", b"x = %d\n" % n * 50) for n in range(100)]
    files.append(from_bytes("opt/" + "long/" * 40 + "näme", b""))
    made = write_layer(ordered(files), store)
    assert made.diff_id == "sha256:09bf1a3efd01cbea533bc69aa0448cc1d61b2bf0d935cdf5ebed07048aa726b2"
    assert made.digest == "sha256:4612c2d04933ef41edad54bbe9a5b5bc0bd5434b21198d90c8163202dfc99067"


def test_long_and_foreign_names_survive(store: BlobStore) -> None:
    names = ["opt/" + "long/" * 50 + "name", "opt/日本.txt", "opt/" + "x" * 200]
    made = write_layer(ordered(from_bytes(name, b"1") for name in names), store)
    assert {m.name for m in members(store, made) if m.isfile()} == set(names)


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", "", "a\0b"])
def test_a_path_that_leads_out_is_refused(store: BlobStore, path: str) -> None:
    with pytest.raises(ImageError, match="leads out"):
        write_layer([from_bytes(path, b"")], store)


@pytest.mark.parametrize("size", [0, 3, 10])
def test_a_file_that_changes_while_it_is_read_is_an_error(store: BlobStore, size: int) -> None:
    with pytest.raises(ImageError, match="changed while"):
        write_layer([Member("file", 0o644, size, lambda: io.BytesIO(b"12345"))], store)
    assert not any(path.is_file() for path in store.folder.rglob("*"))


def test_two_files_for_one_path_are_refused() -> None:
    with pytest.raises(ImageError, match="two files"):
        ordered([from_bytes("a", b"1"), from_bytes("a", b"2")])


def test_a_large_layer_does_not_need_memory_for_itself(store: BlobStore, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(200 * 2**20)
    tracemalloc.start()
    write_layer([from_file("large", tmp_path / "large")], store)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


def test_the_cache_knows_a_layer_while_its_blob_is_there(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path)
    made = write_layer([from_bytes("file", b"content")], cache.store)
    key = layer.cache_key("test", 1)
    assert cache.get(key) is None
    cache.put(key, made)
    assert LayerCache(tmp_path).get(key) == made
    cache.store.path(made.digest).unlink()
    assert cache.get(key) is None


def test_a_damaged_record_is_no_record(tmp_path: Path) -> None:
    cache = LayerCache(tmp_path)
    made = write_layer([from_bytes("file", b"content")], cache.store)
    cache.put("key", made)
    for damage in (b"", b"{}", b"[]", b'{"digest": "../x", "size": 1, "diff_id": ""}'):
        (tmp_path / "layers/key").write_bytes(damage)
        assert cache.get("key") is None


def test_a_file_that_is_a_folder_for_another_is_refused() -> None:
    for upper in (from_bytes("a/clash", b""), symlink("a/clash", "x")):
        with pytest.raises(ImageError, match="a file and a folder for one path") as caught:
            ordered([from_bytes("a/clash/deep/b.py", b""), upper, from_bytes("a/clash-ing", b"")])
        assert "`/a/clash`, `/a/clash/deep/b.py`" in caught.value.message
    ordered([Member("a", 0o1777), from_bytes("a/b", b"")])
