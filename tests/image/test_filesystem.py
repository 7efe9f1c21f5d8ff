import os
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import ImageError
from argosy.image.blobs import BlobStore
from argosy.image.filesystem import Filesystem, read_filesystem, unpack
from tests.image.foreign import foreign_image
from tests.image.images import Member, file, folder, image, link, sha256, tree

DEVICE = link("dev/null", "", tarfile.CHRTYPE)


def merged(store: BlobStore, *layers: list[Member]) -> Filesystem:
    return read_filesystem(image(store, layers))


def paths(files: Filesystem) -> set[str]:
    return {entry.path for entry in files}


def test_higher_layers_win(store: BlobStore) -> None:
    files = merged(store, [file("etc/a", b"1"), file("etc/b", b"2")], [file("etc/a", b"three", 0o600)])
    assert files.read("/etc/a") == b"three"
    assert files.read("etc/b") == b"2"
    entry = files.get("etc/a")
    assert entry is not None
    assert (entry.kind, entry.mode, entry.size, entry.layer) == ("file", 0o600, 5, 1)


def test_a_whiteout_removes_what_lies_below_and_not_beside(store: BlobStore) -> None:
    files = merged(
        store,
        [file("a/one"), file("a/two"), file("b/deep/er")],
        [file("a/.wh.one"), file(".wh.b"), folder("b"), file("b/new")],
    )
    assert paths(files) == {"a", "a/two", "b", "b/new"}


@pytest.mark.parametrize("order", [1, -1])
def test_an_opaque_folder_shows_its_own_layer_alone(store: BlobStore, order: int) -> None:
    upper = [file("a/.wh..wh..opq"), folder("a/sub"), file("a/sub/new")][::order]
    files = merged(store, [file("a/old"), file("a/sub/old")], upper)
    assert paths(files) == {"a", "a/sub", "a/sub/new"}


@pytest.mark.parametrize("order", [1, -1])
def test_an_opaque_folder_keeps_the_way_to_what_its_layer_brings(store: BlobStore, order: int) -> None:
    upper = [file("a/.wh..wh..opq"), file("a/sub/deep/new")][::order]
    files = merged(store, [file("a/old"), folder("a/sub/deep"), file("a/sub/old")], upper)
    assert {path for path in paths(files) if "old" in path} == set()
    assert "a/sub/deep/new" in paths(files)


def test_links_are_followed_inside_the_image(store: BlobStore) -> None:
    files = merged(
        store,
        [
            folder("usr/bin"),
            file("usr/bin/python3.11", b"python", 0o755),
            link("bin", "usr/bin"),
            link("usr/bin/python3", "python3.11"),
            link("opt/venv/bin/python", "/bin/python3"),
            link("out", "../../../../usr/bin/python3"),
        ],
    )
    for path in ("bin/python3", "opt/venv/bin/python", "/out", "bin/../bin/./python3", "../bin/python3"):
        entry = files.resolve(path)
        assert entry is not None
        assert entry.path == "usr/bin/python3.11"
        assert files.read(path) == b"python"
    assert files.get("bin/python3") is None
    assert files.listing("/bin") == ["python3", "python3.11"]


def test_links_that_lead_nowhere_or_in_a_circle_are_nothing(store: BlobStore) -> None:
    files = merged(store, [link("a", "b"), link("b", "a"), link("c", "/nothing"), file("d")])
    for path in ("a", "c", "d/below", "nothing"):
        assert files.resolve(path) is None
    with pytest.raises(ImageError, match="no such file"):
        files.read("a")


def test_a_member_below_a_link_has_one_place(store: BlobStore) -> None:
    files = merged(store, [folder("usr/lib"), link("lib", "usr/lib")], [file("lib/libc.so", b"1"), file("lib/.wh.x")])
    assert paths(files) == {"usr", "usr/lib", "usr/lib/libc.so", "lib"}
    assert files.read("lib/libc.so") == b"1"


def test_a_hard_link_keeps_the_content_that_it_was_made_of(store: BlobStore) -> None:
    files = merged(store, [file("a", b"old"), link("b", "a", tarfile.LNKTYPE)], [file("a", b"new!")])
    entry = files.get("b")
    assert entry is not None
    assert (entry.kind, entry.size, entry.link, entry.layer) == ("hardlink", 3, "a", 0)
    assert (files.read("a"), files.read("b")) == (b"new!", b"old")


def test_a_file_replaces_a_folder_and_the_other_way_round(store: BlobStore) -> None:
    files = merged(store, [file("a/below"), file("b")], [file("a"), file("b/below")])
    assert paths(files) == {"a", "b", "b/below"}


def test_reading_stops_at_the_limit(store: BlobStore) -> None:
    files = merged(store, [file("a", b"0123456789")])
    assert files.read("a", 4) == b"0123"
    with files.open("a") as stream:
        stream.seek(-2, os.SEEK_END)
        assert stream.read() == b"89"


@pytest.mark.parametrize("member", [file("../out"), file("a/../../out"), link("x", "/nothing", tarfile.LNKTYPE)])
def test_a_member_that_leads_out_or_nowhere_is_an_error(store: BlobStore, member: Member) -> None:
    with pytest.raises(ImageError):
        merged(store, [member])


def test_plain_tar_layers_are_read_too(store: BlobStore) -> None:
    assert read_filesystem(image(store, [[file("a", b"1")]], compressed=False)).read("a") == b"1"


def test_a_layer_that_is_not_its_diff_id_is_an_error(store: BlobStore) -> None:
    made = image(store, [[file("a")]], config={"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "0" * 64]}})
    with pytest.raises(ImageError, match="diff ID"):
        read_filesystem(made)


def test_a_zstd_layer_is_read_in_order_and_in_any_order(store: BlobStore) -> None:
    files = read_filesystem(foreign_image(store, [("zstd", [file("a", b"1"), file("b", b"2" * 100_000)])]))
    assert (files.read("b"), files.read("a")) == (b"2" * 100_000, b"1")


@pytest.mark.parametrize("rest", [bytes(100), b"\xff" * 100])
def test_broken_zstd_is_an_error(store: BlobStore, rest: bytes) -> None:
    content = b"\x28\xb5\x2f\xfd" + rest
    made = image(store, [[]])
    store.add_bytes(content, sha256(content))
    manifest = made.manifest_bytes.replace(made.layers[0].digest.encode(), sha256(content).encode())
    with pytest.raises(ImageError, match="broken"):
        read_filesystem(type(made)(manifest, made.config_bytes, store))


def test_a_truncated_layer_is_an_error(store: BlobStore) -> None:
    made = image(store, [[file("a", os.urandom(10_000))]])
    content = store.read(made.layers[0].digest)[:-100]
    store.add_bytes(content, sha256(content))
    manifest = made.manifest_bytes.replace(made.layers[0].digest.encode(), sha256(content).encode())
    with pytest.raises(ImageError, match="broken"):
        read_filesystem(type(made)(manifest, made.config_bytes, store))


def test_unpacking_writes_the_merged_tree(store: BlobStore, tmp_path: Path) -> None:
    made = image(
        store,
        [
            [folder("a", 0o700), file("a/f", b"1", 0o4755), file("gone"), DEVICE, folder("tmp", 0o1777)],
            [file(".wh.gone"), link("l", "/a/f"), link("h", "a/f", tarfile.LNKTYPE), file("ro/f", b"2", 0o444)],
        ],
    )
    unpack(made, tmp_path / "root")
    assert tree(tmp_path / "root") == {"a/f": b"1", "l": "/a/f", "h": b"1", "ro/f": b"2"}
    assert stat.S_IMODE((tmp_path / "root/a/f").stat().st_mode) == 0o755
    assert stat.S_IMODE((tmp_path / "root/tmp").stat().st_mode) == 0o1777
    assert (tmp_path / "root/h").samefile(tmp_path / "root/a/f")


def test_nothing_is_written_through_a_link(store: BlobStore, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    made = image(store, [[link("a", str(outside)), file("a/f", b"1")], [link("b", "../.."), file("b/g", b"2")]])
    unpack(made, tmp_path / "root")
    assert tree(outside) == {}
    assert set(tree(tmp_path)) - {p for p in tree(tmp_path) if p.startswith(("root/", "cache/"))} == set()


def test_a_failed_unpacking_leaves_nothing(store: BlobStore, tmp_path: Path) -> None:
    made = image(store, [[file("a", b"1")]])
    store.path(made.layers[0].digest).chmod(0o644)
    store.path(made.layers[0].digest).write_bytes(b"damaged")
    with pytest.raises(ImageError):
        unpack(made, tmp_path / "root")
    assert not (tmp_path / "root").exists()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/mine").touch()
    with pytest.raises(ImageError, match="not empty"):
        unpack(made, tmp_path / "root")


NAMES = st.lists(st.sampled_from(["a", "b", "..", ".", "lib", ".wh.a", ".wh..wh..opq"]), min_size=1, max_size=4)
MEMBERS = st.one_of(
    st.builds(lambda name: file(name, b"x"), NAMES.map("/".join)),
    st.builds(folder, NAMES.map("/".join)),
    st.builds(link, NAMES.map("/".join), st.sampled_from(["/", "..", "../../..", "a", "/a/b", "/tmp"])),
)


@given(st.lists(st.lists(MEMBERS, max_size=5), min_size=1, max_size=3))
@settings(max_examples=100, deadline=None)
def test_no_layers_write_outside_the_folder(layers: list[list[Member]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        made = image(BlobStore(root / "blobs"), layers)
        before = tree(root)
        try:
            unpack(made, root / "in" / "root")
        except ImageError:
            assert not (root / "in/root").exists()
        outside = {path: content for path, content in tree(root).items() if not path.startswith("in/root/")}
        assert outside == before


def test_folders_in_each_other_need_no_stack(store: BlobStore, tmp_path: Path) -> None:
    deep = "/".join("d" for _ in range(1500))
    made = image(store, [[file(f"{deep}/file", b"1"), file("d/.wh..wh..opq")]])
    files = read_filesystem(made)
    assert len(list(files)) == 1501
    assert files.read(f"{deep}/file") == b"1"
    with pytest.raises(ImageError, match="too many folders in each other"):
        unpack(made, tmp_path / "out/root")
    assert not (tmp_path / "out").exists()
