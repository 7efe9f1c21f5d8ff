import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.image.blobs import BlobStore
from argosy.image.convert import convert
from argosy.image.filesystem import read_filesystem
from argosy.image.image import Image
from argosy.image.inspection.diff import Difference, PackageChange, SettingChange, diff
from argosy.image.inspection.settings import HIDDEN
from argosy.image.inspection.text import FILES_SHOWN, WIDTH, difference_text
from argosy.image.layer import LayerCache
from tests.image.foreign import foreign_image
from tests.image.images import Member, file, folder, image, link

STATUS = "Package: libc6\nStatus: install ok installed\nVersion: {}\n"
BELOW = [file("etc/base", b"base")]


def conceal(name: str, value: str) -> bool:
    return "hunter2" in value


def compared(store: BlobStore, before: list[Member], after: list[Member]) -> Difference:
    return diff(image(store, [BELOW, before]), image(store, [BELOW, after]), conceal)


@pytest.mark.parametrize(
    ("before", "after", "differs"),
    [
        (file("x", b"1"), file("x", b"2"), ("content",)),
        (file("x", b"1"), file("x", b"22"), ("size",)),
        (file("x", b"1"), file("x", b"1", 0o755), ("mode",)),
        (file("x", b"1"), file("x", b"2", 0o755), ("mode", "content")),
        (link("x", "a"), link("x", "b"), ("link",)),
        (link("x", "a"), folder("x", 0o777), ("kind",)),
        (folder("x"), folder("x", 0o700), ("mode",)),
    ],
)
def test_a_file_that_changed(store: BlobStore, before: Member, after: Member, differs: tuple[str, ...]) -> None:
    found = compared(store, [before], [after])
    assert [(change.path, change.differs) for change in found.files] == [("x", differs)]
    assert found.shared_layers == 1


def test_files_that_come_and_go(store: BlobStore) -> None:
    found = compared(store, [file("old", b"1")], [file("new", b"1"), file("etc/.wh.base")])
    assert [(change.path, change.before is None) for change in found.files] == [
        ("etc/base", False),
        ("new", True),
        ("old", False),
    ]


def test_packages_by_version(store: BlobStore) -> None:
    site = "usr/lib/python3.11/site-packages"
    before = [file(f"{site}/numpy-1.0.dist-info/METADATA"), file("var/lib/dpkg/status", STATUS.format(1).encode())]
    after = [file(f"{site}/numpy-2.0.dist-info/METADATA"), file("var/lib/dpkg/status", STATUS.format(2).encode()),
             file(f"{site}/new-1.dist-info/METADATA")]  # fmt: skip
    found = compared(store, before, after)
    assert found.packages == (
        PackageChange("debian", "libc6", "1", "2"),
        PackageChange("python", "new", None, "1"),
        PackageChange("python", "numpy", "1.0", "2.0"),
    )
    assert "~ Python numpy 1.0 -> 2.0" in difference_text(found, every_file=False)


def test_settings_and_secrets(store: BlobStore) -> None:
    before: dict[str, Any] = {"config": {"Env": ["A=1", "KEY=hunter2", "SAME=x"], "Cmd": ["serve"]}}
    after: dict[str, Any] = {"config": {"Env": ["A=2", "KEY=hunter2!", "SAME=x"], "Labels": {"l": "1"}}}
    found = diff(image(store, [BELOW], config=before), image(store, [BELOW], config=after), conceal)
    assert set(found.settings) == {
        SettingChange("env A", "1", "2"),
        SettingChange("env KEY", HIDDEN, HIDDEN),
        SettingChange("command", '["serve"]', None),
        SettingChange("label l", None, "1"),
    }
    for text in (difference_text(found, every_file=True), msgspec.json.encode(found).decode()):
        assert "hunter2" not in text


def test_an_image_stored_in_another_way_has_no_difference(store: BlobStore) -> None:
    made = foreign_image(store, [("zstd", BELOW)])
    found = diff(made, convert(made, LayerCache(store.folder.parent)).image, conceal)
    assert found.is_empty
    assert difference_text(found, every_file=False) == "no difference: they are only stored differently"
    assert difference_text(diff(made, made, conceal), every_file=False) == "no difference"


def test_files_split_otherwise_among_layers_are_the_same(store: BlobStore) -> None:
    one = image(store, [[file("a", b"1"), file("b", b"2")]])
    two = image(store, [[file("a", b"x"), file("b", b"2")], [file("a", b"1")]])
    assert diff(one, two, conceal).is_empty


def test_shared_layers_are_read_once_only(store: BlobStore) -> None:
    opened: list[str] = []

    class Counting:
        def open(self, digest: str) -> BinaryIO:
            opened.append(digest)
            return store.open(digest)

    old, new = (replace(image(store, [BELOW, [file("x", content)]]), blobs=Counting()) for content in (b"1", b"2"))
    assert [change.path for change in diff(old, new, conceal).files] == ["x"]
    shared, changed = old.layers
    assert (opened.count(shared.digest), opened.count(changed.digest)) == (2, 2)


def test_the_text_is_cut_unless_every_file_is_asked_for(store: BlobStore) -> None:
    found = compared(store, [], [file(f"{number:03}-{'x' * 90}") for number in range(FILES_SHOWN + 5)])
    short, whole = (difference_text(found, every_file=every) for every in (False, True))
    assert "… and 5 more: --all shows them" in short
    assert len(whole.splitlines()) == len(short.splitlines()) + 4
    assert max(map(len, whole.splitlines())) <= WIDTH


MEMBER = st.builds(file, st.sampled_from("abcd"), st.binary(max_size=3), st.sampled_from([0o644, 0o755]))
LAYER = st.lists(MEMBER, max_size=5)


@given(st.lists(LAYER, min_size=1, max_size=3), st.lists(LAYER, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_a_difference_is_what_the_trees_say(before: list[list[Member]], after: list[list[Member]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        store = BlobStore(Path(place))
        old, new = image(store, before), image(store, after)
        found = diff(old, new, conceal)
        assert {change.path for change in found.files} == {
            path for path, _ in contents(old).items() ^ contents(new).items()
        }
        back = diff(new, old, conceal)
        assert [(c.path, c.before, c.after) for c in back.files] == [(c.path, c.after, c.before) for c in found.files]


def contents(of: Image) -> dict[str, tuple[int, bytes]]:
    tree = read_filesystem(of)
    return {entry.path: (entry.mode, tree.read(entry.path)) for entry in tree}
