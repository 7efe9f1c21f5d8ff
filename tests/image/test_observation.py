"""One reading of a layer for all who want to know something, and none of what was seen while it was written."""

import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy.errors import ImageError
from argosy.image import layer_stream
from argosy.image.blobs import BlobStore
from argosy.image.build import BaseImage, Surroundings, build_with_parts
from argosy.image.image import (
    DOCKER_CONFIG,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    Descriptor,
    Image,
    canonical_json,
    digest_of,
)
from argosy.image.layer import Layer, Member, from_bytes, ordered, symlink, write_layer
from argosy.image.layers import recipes
from argosy.image.libraries.layer_programs import ProgramObserver, read_layer_programs
from argosy.image.libraries.proof import prove
from argosy.image.materials.inventory import InventoryObserver, Places, take_inventory
from argosy.image.observation import Collected, observe
from argosy.image.venv import VENV
from tests.image.conftest import Shop
from tests.image.images import PYTHON, file, image, link
from tests.image.libraries.programs import loader_cache, program

PLACES = Places("opt/program", "opt/model", "opt/venv", 0)
NAMES = ["opt/model/weights", "opt/program/a.py", "usr/lib/libodd.so.1", "bin/tool", "etc/ld.so.cache", "x/.wh.gone"]
NAMES += [
    "srv/model-1.dist-info/METADATA",
    "usr/share/doc/odd/copyright",
    "etc/os-release",
    "var/lib/dpkg/status.d/odd",
]
CONTENTS = [b"", b"text", b"\x7fELF", program(["libc.so.6"], soname="libodd.so.1"), program()[:90], b"ID=debian\n"]
CONTENTS += [
    b"x" * (2 << 20),
    b"Name: model\nVersion: 1\n\n",
    b"Package: odd\nVersion: 1\n",
    loader_cache("/a/libx.so"),
]
MEMBERS = st.dictionaries(
    st.sampled_from(NAMES), st.tuples(st.sampled_from(CONTENTS), st.booleans()), min_size=1, max_size=6
).map(lambda files: [from_bytes(name, content, executable=run) for name, (content, run) in files.items()])


def stored(layer: Layer, store: BlobStore) -> Image:
    """An image of this one layer."""
    config = canonical_json({"rootfs": {"type": "layers", "diff_ids": [layer.diff_id]}})
    descriptors = (
        Descriptor(DOCKER_CONFIG, digest_of(config), len(config)),
        Descriptor(DOCKER_LAYER, layer.digest, layer.size),
    )
    listed = {"mediaType": DOCKER_MANIFEST, "config": descriptors[0].to_json(), "layers": [descriptors[1].to_json()]}
    return Image(canonical_json(listed), config, store)


@given(MEMBERS)
@settings(max_examples=60, deadline=None)
def test_what_is_seen_while_a_layer_is_written_is_what_it_is_read_as(members: list[Member]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store, written, read = BlobStore(Path(folder)), Path(folder) / "written", Path(folder) / "read"
        observers = (ProgramObserver(written), InventoryObserver(PLACES, written))
        layer = write_layer(ordered([*members, symlink("link", "bin/tool")]), store, observers=observers)
        made = stored(layer, store)
        assert read_layer_programs(made, 0, read) == observers[0].names
        take_inventory(made, [], PLACES, read)
        remembered = [
            {path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()}
            for place in (written, read)
        ]
        assert len(remembered[0]) == 2
        assert remembered[0] == remembered[1]


def test_a_build_decompresses_its_base_once_and_its_own_layers_never(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    before = layer_stream.layer_stream

    def counted(read: Image, layer: Descriptor) -> object:
        opened.append(layer.digest)
        return before(read, layer)

    monkeypatch.setattr(layer_stream, "layer_stream", counted)
    shop.index.add("model", "1.0", files={"model/__init__.py": b"", "model/a.so": program()})
    libc = file("usr/lib64/libc.so.6", program(soname="libc.so.6", defined=["GLIBC_2.36"]))
    base = image(BlobStore(shop.root.parent / "base"), [PYTHON, [libc]])
    around = Surroundings(shop.cache_dir, shop.environ, lambda _: None, shop.said.append)
    built = build_with_parts(shop.project("model\n"), BaseImage(base), around)
    places = Places(recipes.PROGRAM, recipes.MODEL, VENV, len(base.layers))
    found = take_inventory(built.image, (*built.parts.dependencies, *built.parts.server), places, shop.cache_dir)
    assert [each.path for each in found.program] == ["opt/program/predictor.py"]
    assert built.parts.python.glibc_minor == 36
    assert opened == [layer.digest for layer in base.layers]


def test_nothing_is_remembered_of_a_layer_that_proves_broken(store: BlobStore) -> None:
    made = image(store, [PYTHON])
    path = store.path(made.layers[0].digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-4] + b"\0\0\0\1")
    cache = store.folder.parent
    with pytest.raises(ImageError):
        observe(made, 0, [ProgramObserver(cache), InventoryObserver(PLACES, cache)])
    assert not (cache / "programs").exists()
    assert not (cache / "inventories").exists()


def test_a_file_is_kept_up_to_a_limit_whatever_the_pieces() -> None:
    got: list[bytes] = []
    for limit in (None, 4, 100):
        collected = Collected(lambda content: got.append(content.read()), limit)
        for piece in (b"abc", b"", b"defg", b"h"):
            collected.write(piece)
        collected.close()
    assert got == [b"abcdefgh", b"abcd", b"abcdefgh"]


def test_hard_links_of_plain_files_are_no_fault_of_an_image(store: BlobStore) -> None:
    """As the names of time zones are, where a base image was made of a folder."""
    zone = file("usr/share/zoneinfo/UTC", b"TZif")
    library = file("usr/lib/libodd.so.1", program())
    links = [
        link("usr/share/zoneinfo/Zulu", zone[0].name, tarfile.LNKTYPE),
        link("usr/lib/libodd.so", library[0].name, tarfile.LNKTYPE),
    ]
    made = image(store, [[*PYTHON, zone, library, *links], [file("usr/bin/tool", program(["libodd.so"]))]])
    found = prove(made, 1, store.folder.parent)
    assert found.findings == ()
